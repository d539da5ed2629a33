import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { encodeSpec } from '@bourse/risk-rules/trading/codec.ts'
import { createTradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import { createTradingHost, type TradingQuote } from '@bourse/trading/host/trading-host.ts'
import { closeCommand, createChance, marketSpec, openCommand, PARTITION, PRICE, usualTrade } from '../../market.ts'
import { startEngine, type Engine } from './engine.ts'
import { nowMs, workFor, type Subject } from './slices.ts'

/** Trades that are open all the while. */
export const OPEN_TRADES = 100_000
const FILL_BATCH = 4_096
/** Room for what a run does. */
export const CAPACITIES = { tradesMax: 1 << 20, idsMax: 1 << 22 }
const CHANCE_SEED = 7

/** The commands of a market in their order, from its first trade on: every one succeeds when it is done in that order. */
export interface TradingMix {
  /** Opens one more trade. */
  nextOpen(): Uint8Array
  /** Opens and closes in turn, each with an id of its own; a close takes any open trade. */
  next(): Uint8Array
}

/** Makes the mix of one market. */
export const createTradingMix = (): TradingMix => {
  const open: { trade: number; account: number }[] = []
  const chance = createChance(CHANCE_SEED)
  let opened = 0
  let turn = 0
  const nextOpen = (): Uint8Array => {
    const words = usualTrade(opened)
    opened += 1
    // A market numbers its trades from 1, and every open here succeeds.
    open.push({ trade: opened, account: words.account })
    return openCommand(words)
  }
  const nextClose = (): Uint8Array => {
    const at = chance(open.length)
    const { trade, account } = open[at]!
    open[at] = open.at(-1)!
    open.pop()
    return closeCommand(trade, account)
  }
  return {
    nextOpen,
    next: () => {
      turn += 1
      return turn % 2 === 1 ? nextOpen() : nextClose()
    },
  }
}

/** A trading partition with its open trades, and what makes the next command. */
export interface TradingLoad {
  readonly engine: Engine<TradingQuote>
  /** Opens and closes in turn, each with an id of its own; a close takes any open trade. */
  next(): Uint8Array
}

const requireOk = (outcomes: readonly Uint8Array[]): void => {
  for (const outcome of outcomes) {
    const { code, kind } = decodeOutcomeHeader(outcome)
    if (code !== 0) throw new Error(`a command of kind ${kind} was refused with code ${code}`)
  }
}

/** A market on its host, with the first quote and `OPEN_TRADES` open trades, ten an account. */
export const startTrading = async (folder: string): Promise<TradingLoad> => {
  const wasm = loadTradingModule()
  const host = createTradingHost(() => createTradingMachine({ wasm, ...CAPACITIES }))
  const engine = await startEngine<TradingQuote>({ folder, partition: PARTITION, host })
  requireOk(await engine.order([encodeSpec(marketSpec, {})]))
  engine.observe({ feedBid: PRICE, feedAsk: PRICE, timeMs: createSystemClock().nowMs() })

  const { nextOpen, next } = createTradingMix()
  for (let opened = 0; opened < OPEN_TRADES; opened += FILL_BATCH) {
    const size = Math.min(FILL_BATCH, OPEN_TRADES - opened)
    requireOk(await engine.order(Array.from({ length: size }, nextOpen)))
  }
  return { engine, next }
}

/** The mix through the engine, `batch` delivered together: the next when all of them are answered. */
export const createTradingSubject = ({ engine, next }: TradingLoad, batch: number): Subject => {
  const step = async () => {
    const commands = Array.from({ length: batch }, next)
    const startMs = nowMs()
    const outcomes = await engine.order(commands)
    const tookMs = nowMs() - startMs
    requireOk(outcomes)
    return { operations: batch, tookMs }
  }
  return { name: 'trading', work: (durationMs) => workFor(durationMs, step) }
}
