import type { BinaryReader, BinaryWriter } from '@bourse/common/codec/binary.ts'
import { decimalsOfStep, type Units } from '@bourse/common/money/amount.ts'

/** One pair a bank trades, in units. `spreadBps` is in units of 1e-8 basis points. */
export interface PairRules {
  readonly symbol: string
  readonly baseAsset: string
  readonly quoteAsset: string
  readonly spreadBps: Units
  /** Fiat; 0 = no limit. */
  readonly minAmount: Units
  readonly maxAmount: Units
  readonly tickSize: Units
  readonly lotSize: Units
}

/** What the bridge needs of a `Bank` resource. Limits of 0 are none. Keys and secrets are not here. */
export interface BankRules {
  readonly name: string
  readonly suspended: boolean
  readonly callbackUrl: string
  readonly callbackTimeoutMs: number
  /** Attempts after the first. */
  readonly callbackRetries: number
  readonly quoteTtlMs: number
  readonly slippageBps: Units
  readonly dailyAmount: Units
  readonly dailyAmountPerCustomer: Units
  /** Currency the daily limits count in. */
  readonly limitCurrency: string
  readonly pairs: readonly PairRules[]
}

/** Pairs of one bank at most. */
export const PAIRS_MAX = 64
/** Smallest step of a fiat amount: 0.01. */
export const FIAT_STEP: Units = 1_000_000n
/** Decimals of a fiat amount. */
export const FIAT_DECIMALS = 2

/** Decimals in which a currency's amounts are answered: fiat 2, crypto the lot's. */
export const currencyDecimals = (rules: BankRules): ReadonlyMap<string, number> =>
  new Map([
    ...rules.pairs.map((pair) => [pair.baseAsset, decimalsOfStep(pair.lotSize)] as const),
    ...rules.pairs.map((pair) => [pair.quoteAsset, FIAT_DECIMALS] as const),
  ])

/** Writes rules: the body of a CONFIG command and a part of the snapshot. */
export const writeBankRules = (writer: BinaryWriter, rules: BankRules): void => {
  writer.text(rules.name).flag(rules.suspended).text(rules.callbackUrl)
  writer.u32(rules.callbackTimeoutMs).u32(rules.callbackRetries).u32(rules.quoteTtlMs)
  writer.i128(rules.slippageBps).i128(rules.dailyAmount).i128(rules.dailyAmountPerCustomer).text(rules.limitCurrency)
  writer.list(rules.pairs, (pair) => {
    writer.text(pair.symbol).text(pair.baseAsset).text(pair.quoteAsset).i128(pair.spreadBps)
    writer.i128(pair.minAmount).i128(pair.maxAmount).i128(pair.tickSize).i128(pair.lotSize)
  })
}

/** Reads rules. Throws BinaryError on bytes that are none. */
export const readBankRules = (reader: BinaryReader): BankRules => ({
  name: reader.text(),
  suspended: reader.flag(),
  callbackUrl: reader.text(),
  callbackTimeoutMs: reader.u32(),
  callbackRetries: reader.u32(),
  quoteTtlMs: reader.u32(),
  slippageBps: reader.i128(),
  dailyAmount: reader.i128(),
  dailyAmountPerCustomer: reader.i128(),
  limitCurrency: reader.text(),
  pairs: reader.list(PAIRS_MAX, () => ({
    symbol: reader.text(),
    baseAsset: reader.text(),
    quoteAsset: reader.text(),
    spreadBps: reader.i128(),
    minAmount: reader.i128(),
    maxAmount: reader.i128(),
    tickSize: reader.i128(),
    lotSize: reader.i128(),
  })),
})

const CURRENCY = /^[A-Z0-9]{2,8}$/

/** Why rules can't be taken (they would make the arithmetic meaningless), or null. */
export const faultOfBankRules = (rules: BankRules): string | null => {
  if (!/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(rules.name)) return `'${rules.name}' is not a bank's name`
  if (rules.callbackTimeoutMs < 1 || rules.callbackTimeoutMs > 60_000)
    return 'callback.timeoutMs lies outside 1 … 60000'
  if (rules.callbackRetries > 10) return 'callback.retries is more than 10'
  if (rules.slippageBps < 0n || rules.dailyAmount < 0n || rules.dailyAmountPerCustomer < 0n)
    return 'a limit is negative'
  for (const pair of rules.pairs) {
    if (!CURRENCY.test(pair.baseAsset) || !CURRENCY.test(pair.quoteAsset))
      return `${pair.symbol}: an asset is not a currency`
    if (pair.baseAsset === pair.quoteAsset) return `${pair.symbol}: base and quote are the same`
    if (pair.tickSize <= 0n || pair.lotSize <= 0n) return `${pair.symbol}: tick and lot must be above zero`
    if (pair.spreadBps < 0n || pair.spreadBps >= 1_000_000_000_000n)
      return `${pair.symbol}: spreadBps lies outside 0 … 10000`
    if (pair.minAmount < 0n || pair.maxAmount < 0n) return `${pair.symbol}: a limit is negative`
  }
  return null
}
