import type { GroupEntry } from '../../row.ts'

/** The machines in memory, without journal and bus. */
export const coreGroups: readonly GroupEntry[] = [
  { name: 'core/trading', load: async () => (await import('./trading.ts')).coreTrading },
]
