import { parseAmount } from '../money/amount.ts'
import type { Units } from '../money/amount.ts'
import { mulDivFloor } from '../money/rounding.ts'
import { compileSchema, ruleFault } from './faults.ts'
import type { Fault, Parsed } from './faults.ts'
import { priceSourceFaults, readPriceSource } from './price-source.ts'
import type { PriceSource, RawPrices } from './price-source.ts'
import { immutableRules, tradingPairRules as rules } from './rules.ts'
import type { ResourceRule } from './rules.ts'
import { tradingPairSchema } from './trading-pair-schema.ts'

/** State of a market. */
export type MarketState = 'Open' | 'ReduceOnly' | 'Halted'
/** How snapshots are compressed. */
export type SnapshotCompression = 'zstd' | 'gzip' | 'none'

/** One leverage tier, from `notionalFloor` (units) on. */
export interface LeverageTier {
  readonly notionalFloor: Units
  /** 1 = 1e8. */
  readonly maintenanceRate: Units
  readonly maxLeverage: number
  /** c of the tier by continuity, units: floor(floor × (rate − rate before)) + c before. */
  readonly maintenanceAmount: Units
}

/** The spec of a `TradingPair`. Amounts are units of 1e-8, bps units of 1e-8 bp (`"5"` is 500,000,000). */
export interface TradingPairSpec {
  readonly symbol: string
  readonly type: 'CFD'
  readonly baseAsset: string
  readonly quoteAsset: string
  readonly tickSize: Units
  readonly lotSize: Units
  /** Default Open. */
  readonly state: MarketState
  readonly margin: { readonly maxLeverage: number; readonly tiers: readonly LeverageTier[] }
  readonly fees: { readonly openBps: Units; readonly closeBps: Units; readonly liquidationBps: Units }
  /** Default 0. */
  readonly spreadBps: Units
  /** Default every 28,800 s, rate 0, cap 75 bps. The rate may be negative. */
  readonly funding: { readonly intervalSeconds: number; readonly rateBps: Units; readonly capBps: Units }
  /** Defaults: source walk, maxAgeSeconds 5, maxJumpBps 2000; each source's own in `price-source.ts`. */
  readonly prices: { readonly source: PriceSource; readonly maxAgeSeconds: number; readonly maxJumpBps: Units }
  /** Each null (minMargin: 0) when the manifest is silent: the pair sets no such limit, the engine's own stay. */
  readonly limits: {
    readonly maxOpenTrades: number | null
    readonly maxNotional: Units | null
    readonly maxNetNotional: Units | null
    readonly minMargin: Units
  }
  /** Defaults: 4 partitions, 1 shard, capacity 10,000 open trades per partition. */
  readonly engine: { readonly partitions: number; readonly shards: number; readonly capacity: number }
  /**
   * Defaults: every 15 s, newest 10 kept, zstd; the first two come from the configuration where the manifest is
   * silent.
   */
  readonly snapshots: { readonly intervalMs: number; readonly keep: number; readonly compression: SnapshotCompression }
}

/** A `TradingPair` manifest. */
export interface TradingPair {
  readonly kind: 'TradingPair'
  readonly name: string
  readonly spec: TradingPairSpec
}

/** What fills a manifest's silence, and where relative file names start. */
export interface ManifestDefaults {
  readonly snapshotIntervalMs: number
  readonly snapshotsKeep: number
  readonly folder?: string
}

/** Defaults of a platform that configures none: snapshots every 15 s, newest 10 kept. */
export const manifestDefaults: ManifestDefaults = { snapshotIntervalMs: 15_000, snapshotsKeep: 10 }

interface RawTier {
  readonly notionalFloor: string
  readonly maintenanceRate: string
  readonly maxLeverage: number
}

/** A manifest that passed the schema. */
interface RawPair {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly symbol: string
    readonly type: 'CFD' | 'SPOT'
    readonly baseAsset: string
    readonly quoteAsset: string
    readonly tickSize: string
    readonly lotSize: string
    readonly state?: MarketState
    readonly margin: {
      readonly maxLeverage: number
      readonly tiers: readonly RawTier[]
    }
    readonly fees: { readonly openBps: string; readonly closeBps: string; readonly liquidationBps: string }
    readonly spreadBps?: string
    readonly funding?: { readonly intervalSeconds?: number; readonly rateBps?: string; readonly capBps?: string }
    readonly prices?: RawPrices
    readonly limits?: {
      readonly maxOpenTrades?: number
      readonly maxNotional?: string
      readonly maxNetNotional?: string
      readonly minMargin?: string
    }
    readonly engine?: { readonly partitions?: number; readonly shards?: number; readonly capacity?: number }
    readonly snapshots?: {
      readonly intervalSeconds?: number
      readonly keep?: number
      readonly compression?: SnapshotCompression
    }
    readonly riskRules?: unknown
  }
}

const RATE_ONE = 100_000_000n
const BPS_MAX = 10_000n * 100_000_000n
const TICK_SIZE_MAX = parseAmount('100000000')
const PARTITIONS_MAX = 256

const schemaFaults = compileSchema(tradingPairSchema)

/**
 * The tiers with their amounts c by continuity: `c_0 = 0`, `c_k = floor(floor_k × (m_k − m_{k−1})) + c_{k−1}`
 * in units. Rounded down: a smaller c asks for more maintenance, in favour of the house.
 */
export const tiersWithAmounts = (tiers: readonly Omit<LeverageTier, 'maintenanceAmount'>[]): LeverageTier[] => {
  let amount = 0n
  let rateBefore: Units | undefined
  return tiers.map((tier) => {
    const riseOfRate = rateBefore === undefined ? 0n : tier.maintenanceRate - rateBefore
    amount += mulDivFloor(tier.notionalFloor, riseOfRate, RATE_ONE)
    rateBefore = tier.maintenanceRate
    return { ...tier, maintenanceAmount: amount }
  })
}

const optionalAmount = (text: string | undefined): Units | null => (text === undefined ? null : parseAmount(text))

const specOf = ({ spec: raw }: RawPair, defaults: ManifestDefaults): TradingPairSpec => {
  const { funding = {}, prices = {}, limits = {}, engine = {}, snapshots = {} } = raw
  const tiers = raw.margin.tiers.map((tier) => ({
    notionalFloor: parseAmount(tier.notionalFloor),
    maintenanceRate: parseAmount(tier.maintenanceRate),
    maxLeverage: tier.maxLeverage,
  }))
  return {
    symbol: raw.symbol,
    type: 'CFD',
    baseAsset: raw.baseAsset,
    quoteAsset: raw.quoteAsset,
    tickSize: parseAmount(raw.tickSize),
    lotSize: parseAmount(raw.lotSize),
    state: raw.state ?? 'Open',
    margin: { maxLeverage: raw.margin.maxLeverage, tiers: tiersWithAmounts(tiers) },
    fees: {
      openBps: parseAmount(raw.fees.openBps),
      closeBps: parseAmount(raw.fees.closeBps),
      liquidationBps: parseAmount(raw.fees.liquidationBps),
    },
    spreadBps: parseAmount(raw.spreadBps ?? '0'),
    funding: {
      intervalSeconds: funding.intervalSeconds ?? 28_800,
      rateBps: parseAmount(funding.rateBps ?? '0'),
      capBps: parseAmount(funding.capBps ?? '75'),
    },
    prices: {
      source: readPriceSource(prices, raw, defaults.folder),
      maxAgeSeconds: prices.maxAgeSeconds ?? 5,
      maxJumpBps: parseAmount(prices.maxJumpBps ?? '2000'),
    },
    limits: {
      maxOpenTrades: limits.maxOpenTrades ?? null,
      maxNotional: optionalAmount(limits.maxNotional),
      maxNetNotional: optionalAmount(limits.maxNetNotional),
      minMargin: parseAmount(limits.minMargin ?? '0'),
    },
    engine: { partitions: engine.partitions ?? 4, shards: engine.shards ?? 1, capacity: engine.capacity ?? 10_000 },
    snapshots: {
      intervalMs:
        snapshots.intervalSeconds === undefined ? defaults.snapshotIntervalMs : snapshots.intervalSeconds * 1_000,
      keep: snapshots.keep ?? defaults.snapshotsKeep,
      compression: snapshots.compression ?? 'zstd',
    },
  }
}

const tierFaults = (tiers: readonly LeverageTier[]): Fault[] => {
  const faults: Fault[] = []
  tiers.forEach((tier, index) => {
    const before = tiers[index - 1]
    const check = (holds: boolean, rule: ResourceRule, field: string): void => {
      if (!holds) faults.push(ruleFault(rule, `spec.margin.tiers[${index}].${field}`))
    }
    if (before === undefined) check(tier.notionalFloor === 0n, rules.firstFloorZero, 'notionalFloor')
    check(tier.maintenanceRate > 0n, rules.ratePositive, 'maintenanceRate')
    check(tier.maintenanceRate * BigInt(tier.maxLeverage) < RATE_ONE, rules.rateTimesLeverage, 'maintenanceRate')
    if (before === undefined) return
    check(tier.notionalFloor > before.notionalFloor, rules.floorsRise, 'notionalFloor')
    check(tier.maintenanceRate > before.maintenanceRate, rules.ratesRise, 'maintenanceRate')
    check(tier.maxLeverage < before.maxLeverage, rules.leverageFalls, 'maxLeverage')
  })
  return faults
}

const isPowerOfTwo = (value: number): boolean => value >= 1 && (value & (value - 1)) === 0

const ruleFaults = (raw: RawPair, spec: TradingPairSpec): Fault[] => {
  const faults: Fault[] = []
  const check = (holds: boolean, rule: ResourceRule, field?: string): void => {
    if (!holds) faults.push(ruleFault(rule, field))
  }
  check(raw.spec.type !== 'SPOT', rules.spotLater)
  check(raw.spec.riskRules === undefined, rules.riskRulesReserved)
  check(spec.baseAsset !== spec.quoteAsset, rules.assetsDiffer)
  check(spec.tickSize > 0n, rules.tickPositive)
  check(spec.tickSize <= TICK_SIZE_MAX, rules.tickMax)
  check(spec.lotSize > 0n, rules.lotPositive)
  faults.push(...tierFaults(spec.margin.tiers))
  for (const [name, bps] of Object.entries(spec.fees)) check(bps <= BPS_MAX, rules.feeMax, `spec.fees.${name}`)
  check(spec.spreadBps <= BPS_MAX, rules.spreadMax)
  const { rateBps, capBps } = spec.funding
  check(rateBps <= BPS_MAX && -rateBps <= BPS_MAX, rules.fundingMax, 'spec.funding.rateBps')
  check(capBps <= BPS_MAX, rules.fundingMax, 'spec.funding.capBps')
  check(spec.prices.maxJumpBps > 0n, rules.jumpPositive)
  faults.push(...priceSourceFaults(raw.spec.prices ?? {}, spec.prices.source))
  const { minMargin, maxNotional } = spec.limits
  check(maxNotional === null || minMargin <= maxNotional, rules.minMarginMax)
  check(isPowerOfTwo(spec.engine.partitions) && spec.engine.partitions <= PARTITIONS_MAX, rules.partitionsPower)
  check(spec.engine.shards <= spec.engine.partitions, rules.shardsMax)
  return faults
}

/** Reads a `TradingPair` document (already YAML-parsed): the spec with its defaults, or every fault of it. */
export const parseTradingPair = (
  document: unknown,
  defaults: ManifestDefaults = manifestDefaults,
): Parsed<TradingPair> => {
  const faults = schemaFaults(document)
  if (faults.length > 0) return { ok: false, faults }
  const raw = document as RawPair
  const spec = specOf(raw, defaults)
  const broken = ruleFaults(raw, spec)
  return broken.length > 0
    ? { ok: false, faults: broken }
    : { ok: true, value: { kind: 'TradingPair', name: raw.metadata.name, spec } }
}

/**
 * What forbids turning one spec of a pair into another: symbol, type, assets, tick, lot and partitions are
 * immutable.
 */
export const validateChange = (before: TradingPair, after: TradingPair): Fault[] => {
  const kept = (spec: TradingPairSpec): Record<keyof typeof immutableRules, unknown> => ({
    symbol: spec.symbol,
    type: spec.type,
    baseAsset: spec.baseAsset,
    quoteAsset: spec.quoteAsset,
    tickSize: spec.tickSize,
    lotSize: spec.lotSize,
    partitions: spec.engine.partitions,
  })
  const was = kept(before.spec)
  const is = kept(after.spec)
  return (Object.keys(immutableRules) as (keyof typeof immutableRules)[])
    .filter((key) => was[key] !== is[key])
    .map((key) => ruleFault(immutableRules[key]))
}
