import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import type { Fault, Simulator } from './faults.ts'

/** Something that goes wrong on purpose, at one press. */
export interface Experiment {
  /** Stable, for `data-testid`. */
  readonly name: string
  readonly title: string
  readonly simulator: Simulator
  /** Put before the faults that are there. */
  readonly faults: readonly Fault[]
  /** Percent by which the exchange's price moves; 0 for none. */
  readonly pricePercent: number
  /** What to do then. */
  readonly then: string
  /** What the developer will see. */
  readonly see: string
}

const base = { faults: [], pricePercent: 0, then: 'Buy or sell for a customer.' } as const

/** The experiments, in the order they are shown. Times follow from the bridge's own limits and the demo bank's manifest. */
export const experiments: readonly Experiment[] = [
  {
    ...base,
    name: 'order-rejected',
    title: 'The next order is rejected',
    simulator: 'exchange',
    faults: [{ on: 'order', kind: 'reject', count: 1 }],
    see:
      'The trade fails with INSUFFICIENT_LIQUIDITY (503). The hold is released, the bank is sent a reversal, and the same key ' +
      'gives the same answer for ever.',
  },
  {
    ...base,
    name: 'bank-silent',
    title: 'The bank does not answer',
    simulator: 'bank',
    faults: [{ on: 'authorization', kind: 'hang', count: 4 }],
    see:
      'Four attempts, each waiting for the callback’s time limit, then BANK_CONNECTION_ERROR (502): nothing is bought, the ' +
      'hold is released, a reversal follows, since the bank may have heard the question.',
  },
  {
    ...base,
    name: 'bank-declines',
    title: 'The bank says no',
    simulator: 'bank',
    faults: [{ on: 'authorization', kind: 'reject', count: 1 }],
    see: 'The trade fails with BANK_DECLINED (422) before any order is sent.',
  },
  {
    ...base,
    name: 'answer-lost',
    title: 'The exchange takes the order and the answer is lost',
    simulator: 'exchange',
    faults: [{ on: 'order', kind: 'drop', count: 1 }],
    see:
      'The order is filled, its answer cut off. The platform asks what became of it and completes the trade: 201 COMPLETED, ' +
      'one order in the log of the exchange, never two.',
  },
  {
    ...base,
    name: 'order-timeout',
    title: 'The order never arrives',
    simulator: 'exchange',
    faults: [{ on: 'order', kind: 'hang', count: 1 }],
    see:
      'The exchange never answers and never heard of it. Until the order’s validity is over (5 s) that is not certain, so the ' +
      'answer takes that long: INSUFFICIENT_LIQUIDITY (503), never sent again.',
  },
  {
    ...base,
    name: 'fate-unknown',
    title: 'Nobody can say what became of the order',
    simulator: 'exchange',
    faults: [
      { on: 'order', kind: 'drop', count: 1 },
      { on: 'order-status', kind: 'error', count: 12 },
    ],
    see:
      'After 15 s the answer is 202 PENDING. “Ask again with the same key” finds the end a few seconds later, ' +
      'COMPLETED: one order, one trade.',
  },
  {
    ...base,
    name: 'price-jumps',
    title: 'The price rises by 5 % after a quote',
    simulator: 'exchange',
    pricePercent: 5,
    then: 'Ask for a quote to buy first; it stays while you come here and press this. Then buy at it, before it expires.',
    see: 'SLIPPAGE (409): the price moved further than the quote allows. A new quote gives the new price.',
  },
  {
    ...base,
    name: 'webhook-refused',
    title: 'The bank refuses the next three events',
    simulator: 'bank',
    faults: [{ on: 'webhook', kind: 'error', count: 3 }],
    see: 'The event is sent again until the bank takes it: four lines in the bank’s log, one sequence, no later event before it.',
  },
]

/** Prices moved by whole percent, cut to 8 decimals (for nobody: a simulator's price is of the experimenter's choosing). */
export const movedPrices = (prices: Readonly<Record<string, string>>, percent: number): Record<string, string> =>
  Object.fromEntries(
    Object.entries(prices).map(([symbol, price]) => [
      symbol,
      formatAmount((parseAmount(price) * BigInt(100 + percent)) / 100n),
    ]),
  )
