import { createBytePool } from '@bourse/common/codec/byte-pool.ts'
import { COMMAND_HEADER_BYTES, kindOf } from '@bourse/common/kernel/command.ts'
import type { MachineHost } from '@bourse/common/kernel/host.ts'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import {
  closeLayout,
  encodeFunding,
  encodeTick,
  openLayout,
  tradingKinds,
  updateLayout,
} from '@bourse/risk-rules/trading/codec.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'

/** A quote as the feed gives it, in units; `timeMs` is when it was received. */
export interface TradingQuote {
  readonly feedBid: bigint
  readonly feedAsk: bigint
  readonly timeMs: number
}

const NO_QUOTE: TradingQuote = { feedBid: 0n, feedAsk: 0n, timeMs: 0 }

/** Where OPEN, CLOSE and UPDATE have their three quote fields. */
const quoteOffsets: ReadonlyMap<number, number> = new Map([
  [tradingKinds.open, openLayout.offsets.feedBid],
  [tradingKinds.close, closeLayout.offsets.feedBid],
  [tradingKinds.update, updateLayout.offsets.feedBid],
])

const copyOf = (bytes: Uint8Array): Uint8Array => bytes.slice()

/** The three quote fields as commands have them side by side. */
const quoteBytesOf = (quote: TradingQuote): Uint8Array => {
  const bytes = new Uint8Array(24)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, quote.feedBid, true)
  view.setBigInt64(8, quote.feedAsk, true)
  view.setBigInt64(16, BigInt(quote.timeMs), true)
  return bytes
}

const withQuoteBytes = (
  command: Uint8Array,
  quote: Uint8Array,
  copy: (bytes: Uint8Array) => Uint8Array,
): Uint8Array => {
  const offset = quoteOffsets.get(kindOf(command))
  if (offset === undefined) return command
  const at = COMMAND_HEADER_BYTES + offset
  if (command.length < at + 24) return command
  const bytes = copy(command)
  bytes.set(quote, at)
  return bytes
}

/** A copy of an OPEN, CLOSE or UPDATE that is judged on this quote; other commands are left as they are. */
export const withQuote = (command: Uint8Array, quote: TradingQuote): Uint8Array =>
  withQuoteBytes(command, quoteBytesOf(quote), copyOf)

/**
 * What surrounds a trading machine: the latest quote, which is no part of its state. A command is judged on the quote
 * that was
 * here when its turn came; a quote that triggers nothing leaves no trace. `latest` is asked as long as no observation came: a
 * partition that was just acquired need not refuse what waited for it until the next quote.
 */
export const createTradingHost = (
  factory: () => TradingMachine,
  latest: () => TradingQuote | null = () => null,
): MachineHost<TradingQuote> => {
  let current = NO_QUOTE
  /** Written once a quote, not once a command. */
  let currentBytes = quoteBytesOf(NO_QUOTE)
  const copied = createBytePool()
  const machineOf = (machine: Machine): TradingMachine => machine as TradingMachine
  /** Takes the latest quote as if it had been observed; one that triggers something has to come in its place. */
  const adoptLatest = (machine: TradingMachine): void => {
    const quote = latest()
    if (quote === null || machine.wouldTrigger(quote.feedBid, quote.feedAsk, BigInt(quote.timeMs))) return
    current = quote
    currentBytes = quoteBytesOf(quote)
  }
  return {
    factory,
    resolve: (command, machine) => {
      if (current.timeMs === 0) adoptLatest(machineOf(machine))
      return withQuoteBytes(command, currentBytes, copied)
    },
    observe: (quote, machine) => {
      const previous = current
      current = quote
      currentBytes = quoteBytesOf(quote)
      if (!machineOf(machine).wouldTrigger(quote.feedBid, quote.feedAsk, BigInt(quote.timeMs))) return null
      return encodeTick({
        feedBid: quote.feedBid,
        feedAsk: quote.feedAsk,
        quoteTime: BigInt(quote.timeMs),
        previousBid: previous.feedBid,
        previousAsk: previous.feedAsk,
      })
    },
    // Right after a start no quote is known; funding then waits for the first one, whose tick applies what is due.
    due: (machine) => {
      const dueTime = machine.nextDeadline()
      if (dueTime === null || current.timeMs === 0) return null
      return encodeFunding({ dueTime, feedBid: current.feedBid, feedAsk: current.feedAsk })
    },
  }
}
