import { machineNumbers } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { encodeSpec, marketStates, type SpecCommand } from '@bourse/risk-rules/trading/codec.ts'
import type { Market } from '@bourse/client/shapes.ts'

const LEDGER = machineNumbers.ledger * 0x1000000

/** Accounts say where money goes, not how much it is: any will do. */
const NOBODY = new Uint8Array(16).fill(1)

const optional = (text: string | null): bigint => (text === null ? 0n : parseAmount(text))

/**
 * A market's rules as the machine takes them, from `GET /api/v1/markets`. The spread is 0, because the prices of the API
 * include it; funding, age and exposure are left out: they are of the running market and do not change what one trade comes to.
 */
export const specOf = (market: Market): SpecCommand => ({
  tickSize: parseAmount(market.tickSize),
  lotSize: parseAmount(market.lotSize),
  minMargin: parseAmount(market.limits.minMargin),
  maxNotional: optional(market.limits.maxNotional),
  maxNetNotional: 0n,
  maxOpenTrades: 0,
  maxLeverage: market.margin.maxLeverage,
  openBps: parseAmount(market.fees.openBps),
  closeBps: parseAmount(market.fees.closeBps),
  liquidationBps: parseAmount(market.fees.liquidationBps),
  spreadBps: 0n,
  fundingRateBps: 0n,
  fundingCapBps: 0n,
  maxAgeMs: 0n,
  fundingIntervalSeconds: 0,
  state: marketStates[market.state],
  quoteCurrency: market.quoteAsset,
  house: NOBODY,
  fees: NOBODY,
  clearing: NOBODY,
  insurance: NOBODY,
  insurancePartition: LEDGER,
  marketNumber: 1,
  partitionIndex: 0,
  capacity: 0,
  tiers: market.margin.tiers.map(({ notionalFloor, maintenanceRate, maxLeverage }) => ({
    floor: parseAmount(notionalFloor),
    rate: parseAmount(maintenanceRate),
    maxLeverage,
  })),
})

/** The trial's own account and ledger partition. */
export const TRIAL = { account: NOBODY, ledgerPartition: LEDGER } as const

/** The SPEC command of rules. */
export const specCommand = (spec: SpecCommand): Uint8Array => encodeSpec(spec)
