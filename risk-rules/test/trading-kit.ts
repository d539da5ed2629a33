/** What the tests of trading share: a market to trade in, commands in trade words, a seeded random source. */
import { createHash } from 'node:crypto'
import { SAMPLE_START_MS, sampleSpec } from '@bourse/risk-rules/reference/sample-market.ts'
import { createReferenceTradingMachine } from '@bourse/risk-rules/reference/trading/machine.ts'
import { codeOfNumber } from '@bourse/common/errors/codes.ts'
import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import {
  directions,
  encodeClose,
  encodeOpen,
  encodeTick,
  encodeUpdate,
  KEEP_AS_IT_IS,
} from '@bourse/risk-rules/trading/codec.ts'
import type { DirectionName, SpecCommand } from '@bourse/risk-rules/trading/codec.ts'
import { createTradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import type { TradingCapacities, TradingMachine } from '@bourse/risk-rules/trading/machine.ts'

export const LEDGER = partitionNumber('ledger', 3)
export const INSURANCE = partitionNumber('ledger', 5)
/** A Tuesday at 08:00 UTC: a funding instant of eight hours. */
export const START = SAMPLE_START_MS

export const units = parseAmount

/** Sixteen bytes that follow from a name. */
export const idOf = (name: string | number): Uint8Array =>
  new Uint8Array(createHash('sha256').update(String(name)).digest().subarray(0, 16))

/** The sample pair of the contract. */
export const spec: SpecCommand = { ...sampleSpec, insurancePartition: INSURANCE }

export interface OpenWords {
  readonly id: string
  readonly account?: string
  readonly direction?: DirectionName
  readonly margin: string
  readonly leverage: number
  readonly stopLoss?: string
  readonly takeProfit?: string
  readonly worstPrice?: string
  readonly price: string
  readonly at?: bigint
  readonly hash?: string
  readonly openBps?: bigint
}

const orNone = (text: string | undefined): bigint => (text === undefined ? 0n : units(text))

/** An OPEN in trade words, at a feed of one price. */
export const open = (words: OpenWords): Uint8Array =>
  encodeOpen(
    {
      account: idOf(words.account ?? 'ann'),
      ledgerPartition: LEDGER,
      direction: directions[words.direction ?? 'LONG'],
      leverage: words.leverage,
      margin: units(words.margin),
      stopLoss: orNone(words.stopLoss),
      takeProfit: orNone(words.takeProfit),
      worstPrice: orNone(words.worstPrice),
      feedBid: units(words.price),
      feedAsk: units(words.price),
      quoteTime: words.at ?? START,
      openBps: words.openBps ?? units('5'),
    },
    { id: idOf(words.id), requestHash: idOf(words.hash ?? `hash of ${words.id}`) },
  )

export interface CloseWords {
  readonly account?: string
  readonly id?: string
  readonly worstPrice?: string
  readonly at?: bigint
}

/** A CLOSE in trade words. */
export const close = (
  tradeNumber: bigint,
  price: string,
  { account = 'ann', id = '', worstPrice = '0', at = START }: CloseWords = {},
): Uint8Array =>
  encodeClose(
    {
      account: idOf(account),
      tradeNumber,
      worstPrice: units(worstPrice),
      feedBid: units(price),
      feedAsk: units(price),
      quoteTime: at,
    },
    id === '' ? {} : { id: idOf(id), requestHash: idOf(`hash of ${id}`) },
  )

export interface UpdateWords {
  readonly account?: string
  readonly id?: string
  readonly hash?: string
  /** Left out: stays as it is. `none`: is taken away. */
  readonly stopLoss?: string
  readonly takeProfit?: string
  readonly at?: bigint
}

const asTold = (text: string | undefined): bigint =>
  text === undefined ? KEEP_AS_IT_IS : text === 'none' ? 0n : units(text)

/** An UPDATE in trade words, at a feed of one price. */
export const update = (
  tradeNumber: bigint,
  price: string,
  { account = 'ann', id = '', hash = `hash of ${id}`, stopLoss, takeProfit, at = START }: UpdateWords,
): Uint8Array =>
  encodeUpdate(
    {
      account: idOf(account),
      tradeNumber,
      stopLoss: asTold(stopLoss),
      takeProfit: asTold(takeProfit),
      feedBid: units(price),
      feedAsk: units(price),
      quoteTime: at,
    },
    id === '' ? {} : { id: idOf(id), requestHash: idOf(hash) },
  )

/** A TICK of one price after another. */
export const tick = (price: string, at = START, previous = price): Uint8Array =>
  encodeTick({
    feedBid: units(price),
    feedAsk: units(price),
    quoteTime: at,
    previousBid: units(previous),
    previousAsk: units(previous),
  })

export const codeOf = (outcome: Uint8Array): OutcomeCode => codeOfNumber(decodeOutcomeHeader(outcome).code)

/** Both machines by name. */
export const machines: readonly (readonly [string, (capacities?: TradingCapacities) => TradingMachine])[] = [
  ['reference', (capacities = { tradesMax: 64, idsMax: 256 }) => createReferenceTradingMachine(capacities)],
  [
    'wasm',
    (capacities = { tradesMax: 64, idsMax: 256 }) => createTradingMachine({ wasm: loadTradingModule(), ...capacities }),
  ],
]

/** xorshift128+ on 32-bit halves: the same numbers from the same seed on every machine. */
export interface Random {
  /** From 0 up to below `bound`. */
  readonly below: (bound: number) => number
  readonly chance: (percent: number) => boolean
  readonly pick: <T>(values: readonly T[]) => T
  /** From 0 up to below `bound`. */
  readonly bigBelow: (bound: bigint) => bigint
}

export const createRandom = (seed: number): Random => {
  let a = (seed * 0x9e3779b1 + 1) >>> 0 || 1
  let b = (seed ^ 0x85ebca6b) >>> 0 || 2
  const next = (): number => {
    let t = a
    a = b
    t ^= t << 11
    t ^= t >>> 8
    b = (b ^ (b >>> 19) ^ t) >>> 0
    return b
  }
  for (let i = 0; i < 8; i++) next()
  const below = (bound: number): number => next() % bound
  return {
    below,
    chance: (percent) => below(100) < percent,
    pick: (values) => values[below(values.length)]!,
    bigBelow: (bound) =>
      ((BigInt(next()) << 96n) | (BigInt(next()) << 64n) | (BigInt(next()) << 32n) | BigInt(next())) % bound,
  }
}
