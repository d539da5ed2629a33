import { encodeCommand } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { SAMPLE_START_MS, sampleSpec } from '@bourse/risk-rules/reference/sample-market.ts'
import {
  closeLayout,
  encodeSpec,
  encodeTick,
  openLayout,
  tradingKinds,
  type SpecCommand,
} from '@bourse/risk-rules/trading/codec.ts'
import { createTradingMachine, type TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'

/** The partition that the benches' market is in. */
export const PARTITION = partitionNumber('trading', 0, 1)
/** Ledger partitions that accounts are spread over. */
const LEDGERS = 4
/** First moment of the market, ms. */
export const START_MS = SAMPLE_START_MS
/** Price at which everything opens, units. */
export const PRICE = parseAmount('60000')
/** Milliseconds after which a machine has forgotten an id. */
export const ID_WINDOW_MS = 600_000n

/** The sample pair without exposure limits: what is measured is the machine, not its refusals. */
export const marketSpec: SpecCommand = {
  ...sampleSpec,
  maxNotional: 0n,
  maxNetNotional: 0n,
  maxOpenTrades: 0,
  spreadBps: parseAmount('2'),
  maxAgeMs: 0n,
  insurancePartition: partitionNumber('ledger', 1),
}

/** Sixteen bytes that `index` and `salt` decide: no two the same, bits spread over all of them. */
export const writeId = (view: DataView, at: number, index: number, salt: number): void => {
  const mixed = Math.imul(index ^ salt, 0x9e3779b1) >>> 0
  view.setUint32(at, mixed, true)
  view.setUint32(at + 4, Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) >>> 0, true)
  view.setUint32(at + 8, index, true)
  view.setUint32(at + 12, salt, true)
}

/** Chance that is the same in every run (mulberry32): integers from 0 up to below `bound`. */
export const createChance = (seed: number): ((bound: number) => number) => {
  let state = seed
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}

/** What the OPEN of trade `index` says beside its quote. */
export interface OpenWords {
  readonly index: number
  readonly account: number
  readonly isShort: boolean
  readonly leverage: number
  /** Units. */
  readonly margin: bigint
  /** Units; 0 = none. */
  readonly stopLoss: bigint
  readonly takeProfit: bigint
}

const ID_SALT = 0x0b
const HASH_SALT = 0x4a
const ACCOUNT_SALT = 0xac
const CLOSE_SALT = 0xc1
const HEADER_BYTES = 56

const writeQuote = (view: DataView, at: number, price: bigint, timeMs: bigint): void => {
  view.setBigInt64(at, price, true)
  view.setBigInt64(at + 8, price, true)
  view.setBigInt64(at + 16, timeMs, true)
}

/** OPEN with an id, on a quote at `PRICE`. */
export const openCommand = (words: OpenWords): Uint8Array => {
  const bytes = encodeCommand({ kind: tradingKinds.open }, new Uint8Array(openLayout.bytes))
  const view = new DataView(bytes.buffer)
  writeId(view, 8, words.index, ID_SALT)
  writeId(view, 24, words.index, HASH_SALT)
  const { offsets } = openLayout
  writeId(view, HEADER_BYTES + offsets.account, words.account, ACCOUNT_SALT)
  view.setUint32(HEADER_BYTES + offsets.ledgerPartition, partitionNumber('ledger', words.account % LEDGERS), true)
  view.setUint32(HEADER_BYTES + offsets.direction, words.isShort ? 1 : 0, true)
  view.setUint32(HEADER_BYTES + offsets.leverage, words.leverage, true)
  view.setBigInt64(HEADER_BYTES + offsets.margin, words.margin, true)
  view.setBigInt64(HEADER_BYTES + offsets.stopLoss, words.stopLoss, true)
  view.setBigInt64(HEADER_BYTES + offsets.takeProfit, words.takeProfit, true)
  writeQuote(view, HEADER_BYTES + offsets.feedBid, PRICE, START_MS)
  view.setBigInt64(HEADER_BYTES + offsets.openBps, marketSpec.openBps, true)
  return bytes
}

/** CLOSE with an id of its own, on a quote at `PRICE`. */
export const closeCommand = (tradeNumber: number, account: number): Uint8Array => {
  const bytes = encodeCommand({ kind: tradingKinds.close }, new Uint8Array(closeLayout.bytes))
  const view = new DataView(bytes.buffer)
  writeId(view, 8, tradeNumber, CLOSE_SALT)
  writeId(view, 24, tradeNumber, HASH_SALT)
  const { offsets } = closeLayout
  writeId(view, HEADER_BYTES + offsets.account, account, ACCOUNT_SALT)
  view.setBigUint64(HEADER_BYTES + offsets.tradeNumber, BigInt(tradeNumber), true)
  writeQuote(view, HEADER_BYTES + offsets.feedBid, PRICE, START_MS)
  return bytes
}

/** A TICK at one price. */
export const tickCommand = (price: bigint, timeMs = START_MS): Uint8Array =>
  encodeTick({ feedBid: price, feedAsk: price, quoteTime: timeMs, previousBid: price, previousAsk: price })

/** Applies a batch and insists that every command was done. */
export const applyAll = (machine: TradingMachine, batch: readonly Uint8Array[], nowMs: bigint) => {
  const applied = machine.apply(batch, nowMs, machine.behaviourVersion)
  for (const outcome of applied.outcomes) {
    const { code, kind } = decodeOutcomeHeader(outcome)
    if (code !== 0) throw new Error(`a command of kind ${kind} was refused with code ${code}`)
  }
  return applied
}

/** A machine with the market's spec and its first tick. */
export const createMarket = (capacities: { readonly tradesMax: number; readonly idsMax: number }): TradingMachine => {
  const machine = createTradingMachine({ wasm: loadTradingModule(), ...capacities })
  applyAll(machine, [encodeSpec(marketSpec), tickCommand(PRICE)], START_MS)
  return machine
}

/** Commands in one call of the machine: what the runner applies at a time. */
export const SEGMENT_COMMANDS = 512
/** Opens between two turns of the id window while a market is filled: the table never fills. */
const OPENS_PER_WINDOW = 65_536

/** Fills a market with `count` trades; `wordsOf(index)` says how trade number index + 1 opens. Answers the time after it. */
export const fillMarket = (
  machine: TradingMachine,
  count: number,
  wordsOf: (index: number) => OpenWords,
): { readonly nowMs: bigint } => {
  let nowMs = START_MS
  for (let from = 0; from < count; from += SEGMENT_COMMANDS) {
    const size = Math.min(SEGMENT_COMMANDS, count - from)
    if (from > 0 && from % OPENS_PER_WINDOW === 0) nowMs += ID_WINDOW_MS + 1n
    applyAll(
      machine,
      Array.from({ length: size }, (_, index) => openCommand(wordsOf(from + index))),
      nowMs,
    )
  }
  return { nowMs }
}

/**
 * Trades as a market has them: ten an account, both directions, three in ten with a stop, three in ten with a target,
 * leverage up to 20: nothing triggers within 2 % of the opening price.
 */
export const usualTrade = (index: number): OpenWords => {
  const chance = createChance(index + 1)
  const isShort = chance(2) === 1
  const away = parseAmount(String(2_000 + chance(20_000)))
  const sign = isShort ? -1n : 1n
  return {
    index,
    account: Math.floor(index / 10),
    isShort,
    leverage: 1 + chance(20),
    margin: parseAmount(String(10 + chance(990))),
    stopLoss: chance(10) < 3 ? PRICE - sign * away : 0n,
    takeProfit: chance(10) < 3 ? PRICE + sign * away : 0n,
  }
}
