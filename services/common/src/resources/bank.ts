import ipaddr from 'ipaddr.js'
import { parseAmount } from '../money/amount.ts'
import type { Units } from '../money/amount.ts'
import {
  assetSchema,
  compileSchema,
  decimalSchema,
  isUrlOf,
  manifestSchema,
  ruleFault,
  strictObject,
  wholeSchema,
} from './faults.ts'
import type { Fault, Parsed } from './faults.ts'
import { bankRules as rules } from './rules.ts'
import type { ResourceRule } from './rules.ts'

/** A pair that a bank's customers trade: `baseAsset` is the crypto, `quoteAsset` the fiat. */
export interface BankPair {
  readonly symbol: string
  readonly baseAsset: string
  readonly quoteAsset: string
  /** Units of 1e-8 bp; default 150 (1.5 %). */
  readonly spreadBps: Units
  /** Fiat, units. */
  readonly minAmount: Units
  /** Fiat, units. */
  readonly maxAmount: Units
  readonly tickSize: Units
  readonly lotSize: Units
}

/** The spec of a `Bank`. Amounts are units of 1e-8, bps units of 1e-8 bp. */
export interface BankSpec {
  readonly displayName: string
  /** Default Active. */
  readonly state: 'Active' | 'Suspended'
  /** Defaults: 2,000 ms, 3 retries (four attempts). The URL is without a trailing slash. */
  readonly callback: { readonly url: string; readonly timeoutMs: number; readonly retries: number }
  readonly pairs: readonly BankPair[]
  /** Defaults: 10 s, 50 bps. */
  readonly quotes: { readonly ttlSeconds: number; readonly slippageBps: Units }
  /** Defaults: 200 requests per second, no daily amounts (null), currency: the first pair's quoteAsset. */
  readonly limits: {
    readonly requestsPerSecond: number
    readonly dailyAmount: Units | null
    readonly dailyAmountPerCustomer: Units | null
    readonly currency: string
  }
  /** Defaults: 90 days, 24 hours. */
  readonly apiKeys: { readonly rotateAfterDays: number; readonly overlapHours: number }
  /** Default empty: any address. */
  readonly allowedCidrs: readonly string[]
  /** Default Retain. */
  readonly deletionPolicy: 'Retain' | 'Delete'
}

/** A `Bank` manifest. */
export interface Bank {
  readonly kind: 'Bank'
  readonly name: string
  readonly spec: BankSpec
}

interface RawBank {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly displayName?: string
    readonly state?: BankSpec['state']
    readonly callback: { readonly url: string; readonly timeoutMs?: number; readonly retries?: number }
    readonly pairs: readonly {
      readonly symbol: string
      readonly baseAsset: string
      readonly quoteAsset: string
      readonly spreadBps?: string
      readonly minAmount: string
      readonly maxAmount: string
      readonly tickSize: string
      readonly lotSize: string
    }[]
    readonly quotes?: { readonly ttlSeconds?: number; readonly slippageBps?: string }
    readonly limits?: {
      readonly requestsPerSecond?: number
      readonly dailyAmount?: string
      readonly dailyAmountPerCustomer?: string
      readonly currency?: string
    }
    readonly apiKeys?: { readonly rotateAfterDays?: number; readonly overlapHours?: number }
    readonly allowedCidrs?: readonly string[]
    readonly deletionPolicy?: BankSpec['deletionPolicy']
  }
}

/** Most pairs of one bank. */
export const BANK_PAIRS_MAX = 64
/** Most address ranges of one bank. */
export const CIDRS_MAX = 256
const BPS_MAX = 10_000n * 100_000_000n

/** The JSON schema of a `Bank` manifest. */
export const bankSchema = manifestSchema(
  'Bank',
  strictObject(['callback', 'pairs'], {
    displayName: { type: 'string', minLength: 1, maxLength: 100 },
    state: { type: 'string', enum: ['Active', 'Suspended'] },
    callback: strictObject(['url'], {
      url: { type: 'string', minLength: 1, maxLength: 2_048 },
      timeoutMs: wholeSchema(1, 60_000),
      retries: wholeSchema(0, 10),
    }),
    pairs: {
      type: 'array',
      minItems: 1,
      maxItems: BANK_PAIRS_MAX,
      items: strictObject(['symbol', 'baseAsset', 'quoteAsset', 'minAmount', 'maxAmount', 'tickSize', 'lotSize'], {
        symbol: { type: 'string', pattern: '^[A-Z0-9]{1,16}(_[A-Z0-9]{1,16})?$' },
        baseAsset: assetSchema,
        quoteAsset: assetSchema,
        spreadBps: decimalSchema,
        minAmount: decimalSchema,
        maxAmount: decimalSchema,
        tickSize: decimalSchema,
        lotSize: decimalSchema,
      }),
    },
    quotes: strictObject([], { ttlSeconds: wholeSchema(1, 3_600), slippageBps: decimalSchema }),
    limits: strictObject([], {
      requestsPerSecond: wholeSchema(1, 100_000),
      dailyAmount: decimalSchema,
      dailyAmountPerCustomer: decimalSchema,
      currency: assetSchema,
    }),
    apiKeys: strictObject([], { rotateAfterDays: wholeSchema(1, 3_650), overlapHours: wholeSchema(0, 720) }),
    allowedCidrs: { type: 'array', maxItems: CIDRS_MAX, items: { type: 'string', maxLength: 64 } },
    deletionPolicy: { type: 'string', enum: ['Retain', 'Delete'] },
  }),
)

const schemaFaults = compileSchema(bankSchema)

const optionalAmount = (text: string | undefined): Units | null => (text === undefined ? null : parseAmount(text))

const specOf = ({ metadata, spec: raw }: RawBank): BankSpec => {
  const { quotes = {}, limits = {}, apiKeys = {} } = raw
  return {
    displayName: raw.displayName ?? metadata.name,
    state: raw.state ?? 'Active',
    callback: {
      url: raw.callback.url.replace(/\/+$/, ''),
      timeoutMs: raw.callback.timeoutMs ?? 2_000,
      retries: raw.callback.retries ?? 3,
    },
    pairs: raw.pairs.map((pair) => ({
      symbol: pair.symbol,
      baseAsset: pair.baseAsset,
      quoteAsset: pair.quoteAsset,
      spreadBps: parseAmount(pair.spreadBps ?? '150'),
      minAmount: parseAmount(pair.minAmount),
      maxAmount: parseAmount(pair.maxAmount),
      tickSize: parseAmount(pair.tickSize),
      lotSize: parseAmount(pair.lotSize),
    })),
    quotes: { ttlSeconds: quotes.ttlSeconds ?? 10, slippageBps: parseAmount(quotes.slippageBps ?? '50') },
    limits: {
      requestsPerSecond: limits.requestsPerSecond ?? 200,
      dailyAmount: optionalAmount(limits.dailyAmount),
      dailyAmountPerCustomer: optionalAmount(limits.dailyAmountPerCustomer),
      currency: limits.currency ?? raw.pairs[0]?.quoteAsset ?? '',
    },
    apiKeys: { rotateAfterDays: apiKeys.rotateAfterDays ?? 90, overlapHours: apiKeys.overlapHours ?? 24 },
    allowedCidrs: raw.allowedCidrs ?? [],
    deletionPolicy: raw.deletionPolicy ?? 'Retain',
  }
}

const isCidr = (text: string): boolean => text.includes('/') && ipaddr.isValidCIDR(text)

const isCallback = (url: string): boolean => isUrlOf(url, ['http', 'https']) && new URL(url).search === ''

const pairFaults = (pairs: readonly BankPair[]): Fault[] => {
  const faults: Fault[] = []
  pairs.forEach((pair, index) => {
    const check = (holds: boolean, rule: ResourceRule, field: string): void => {
      if (!holds) faults.push(ruleFault(rule, `spec.pairs[${index}].${field}`))
    }
    check(pair.baseAsset !== pair.quoteAsset, rules.assetsDiffer, 'quoteAsset')
    check(pairs.findIndex(({ symbol }) => symbol === pair.symbol) === index, rules.symbolUnique, 'symbol')
    check(pair.tickSize > 0n, rules.tickPositive, 'tickSize')
    check(pair.lotSize > 0n, rules.lotPositive, 'lotSize')
    check(pair.minAmount <= pair.maxAmount, rules.amountsOrder, 'minAmount')
    check(pair.spreadBps < BPS_MAX, rules.spreadMax, 'spreadBps')
  })
  return faults
}

const ruleFaults = (spec: BankSpec): Fault[] => {
  const faults = pairFaults(spec.pairs)
  const { dailyAmount, dailyAmountPerCustomer, currency } = spec.limits
  const counted = dailyAmount !== null || dailyAmountPerCustomer !== null
  if (!isCallback(spec.callback.url)) faults.push(ruleFault(rules.callbackUrl))
  if (spec.quotes.slippageBps > BPS_MAX) faults.push(ruleFault(rules.slippageMax))
  const isForeign = spec.pairs.some(({ quoteAsset }) => quoteAsset !== currency)
  if (counted && isForeign) faults.push(ruleFault(rules.limitCurrency))
  spec.allowedCidrs.forEach((cidr, index) => {
    if (!isCidr(cidr)) faults.push(ruleFault(rules.cidr, `spec.allowedCidrs[${index}]`))
  })
  return faults
}

/** Reads a `Bank` document (already YAML-parsed): the spec with its defaults, or every fault of it. */
export const parseBank = (document: unknown): Parsed<Bank> => {
  const faults = schemaFaults(document)
  if (faults.length > 0) return { ok: false, faults }
  const raw = document as RawBank
  const spec = specOf(raw)
  const broken = ruleFaults(spec)
  return broken.length > 0
    ? { ok: false, faults: broken }
    : { ok: true, value: { kind: 'Bank', name: raw.metadata.name, spec } }
}
