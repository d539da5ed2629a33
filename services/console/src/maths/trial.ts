import { codeOfNumber, type RefusalCode } from '@bourse/common/errors/codes.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import {
  BPS_MAX_UNITS,
  closeReasons,
  decodeOpenOutcome,
  decodeTickOutcome,
  encodeClose,
  encodeFunding,
  encodeOpen,
  encodeTick,
  type ClosedTrade,
  type OpenTrade,
  type SpecCommand,
} from '@bourse/risk-rules/trading/codec.ts'
import { createTradingMachine, TRADING_BEHAVIOUR_VERSION } from '@bourse/risk-rules/trading/machine.ts'
import { specCommand, TRIAL } from './rules.ts'

/** What a trial opens; units of 1e-8, 0 = none. */
export interface TrialOpen {
  readonly direction: number
  readonly margin: bigint
  readonly leverage: number
  readonly stopLoss: bigint
  readonly takeProfit: bigint
  readonly bid: bigint
  readonly ask: bigint
}

/** A market of its own in the engine's machine, in which what would happen is made to happen. */
export interface Trial {
  /** Opens a trade: the trade, or the machine's refusal. */
  open(open: TrialOpen): OpenTrade | RefusalCode
  /** A tick at which both sides are `price`: what it closed of the trial's trade, or null. */
  tick(price: bigint): ClosedTrade | null
  /** Lets a long pay exactly `perUnit` for each unit; in a market whose rules have funding every hour. */
  fund(perUnit: bigint): void
  /** Ends a trade that is still open, at the quote it was opened at. */
  close(trade: OpenTrade, quote: { readonly bid: bigint; readonly ask: bigint }): void
  /** Whether it has room for more trades. */
  isUsable(): boolean
}

/** Commands a trial takes before it is made anew: ids are remembered and never forgotten, because no time passes in it. */
const IDS_MAX = 1_024
/** At most so many trades are open at once. */
const TRADES_MAX = 4
/** A time like any other: nothing in a trial depends on it. A multiple of the hour, so that funding comes when it is told to. */
const NOW_MS = 1_699_999_200_000n
const HOUR_MS = 3_600_000n
/** A feed at which one funding of rate r moves F by exactly r units: (2 × 10¹²) × r ÷ (20000 × 10⁸). */
const FUNDING_FEED = 1_000_000_000_000n

/** Makes a trial of rules. @throws {RangeError} when the machine refuses the rules: then they are none it could run by */
export const createTrial = (wasm: WebAssembly.Module, spec: SpecCommand): Trial => {
  const machine = createTradingMachine({ wasm, tradesMax: TRADES_MAX, idsMax: IDS_MAX })
  let used = 0
  let timeMs = NOW_MS + 1n
  const apply = (command: Uint8Array): Uint8Array =>
    machine.apply([command], timeMs, TRADING_BEHAVIOUR_VERSION).outcomes[0]!
  const codeOf = (outcome: Uint8Array) => codeOfNumber(decodeOutcomeHeader(outcome).code)

  const told = codeOf(apply(specCommand(spec)))
  if (told !== 'OK') throw new RangeError(`the machine refuses the market's rules: ${told}`)

  const nextId = (): Uint8Array => {
    used += 1
    const id = new Uint8Array(16)
    new DataView(id.buffer).setUint32(0, used, true)
    return id
  }
  const feed = (price: bigint) => ({ feedBid: price, feedAsk: price, quoteTime: timeMs })

  return {
    open: ({ bid, ask, ...open }) => {
      const outcome = apply(
        encodeOpen(
          { ...TRIAL, ...open, worstPrice: 0n, feedBid: bid, feedAsk: ask, quoteTime: timeMs, openBps: spec.openBps },
          { id: nextId() },
        ),
      )
      const code = codeOf(outcome)
      return code === 'OK' ? decodeOpenOutcome(outcome) : code
    },
    tick: (price) => {
      const outcome = apply(encodeTick({ ...feed(price), previousBid: 0n, previousAsk: 0n }))
      return codeOf(outcome) === 'OK' ? (decodeTickOutcome(outcome).closed[0] ?? null) : null
    },
    fund: (perUnit) => {
      for (let left = perUnit; left !== 0n;) {
        const step = left > BPS_MAX_UNITS ? BPS_MAX_UNITS : left < -BPS_MAX_UNITS ? -BPS_MAX_UNITS : left
        apply(specCommand({ ...spec, fundingRateBps: step, fundingCapBps: step < 0n ? -step : step }))
        timeMs += HOUR_MS
        apply(encodeFunding({ dueTime: timeMs, feedBid: FUNDING_FEED, feedAsk: FUNDING_FEED }))
        left -= step
      }
    },
    close: ({ tradeNumber }, { bid, ask }) => {
      apply(
        encodeClose({
          account: TRIAL.account,
          tradeNumber,
          worstPrice: 0n,
          feedBid: bid,
          feedAsk: ask,
          quoteTime: timeMs,
        }),
      )
    },
    isUsable: () => used < IDS_MAX - TRADES_MAX,
  }
}

/** Name of a close's reason. */
export const reasonOf = ({ reason }: ClosedTrade): keyof typeof closeReasons => {
  const names = Object.keys(closeReasons) as (keyof typeof closeReasons)[]
  const found = names.find((name) => closeReasons[name] === reason)
  if (found === undefined) throw new RangeError(`${reason} is no reason of a close`)
  return found
}
