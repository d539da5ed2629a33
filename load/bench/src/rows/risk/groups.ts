import type { GroupEntry } from '../../row.ts'

/** The arithmetic and the triggers of the trading machine. */
export const riskGroups: readonly GroupEntry[] = [
  { name: 'risk/liquidation-price', load: async () => (await import('./liquidation-price.ts')).liquidationPrice },
  { name: 'risk/idle-tick', load: async () => (await import('./idle-tick.ts')).idleTick },
  { name: 'risk/mass-liquidation', load: async () => (await import('./mass-liquidation.ts')).massLiquidation },
]
