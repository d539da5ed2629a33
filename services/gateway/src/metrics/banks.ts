import type { BankOutcome, Side } from '@bourse/bridge/client/types.ts'
import type { RefusalCode, Result } from '@bourse/common/errors/codes.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { ApiError } from '../http/api-error.ts'
import type { Answer, Route } from '../http/route.ts'
import { doingOf, type Doing } from './doing.ts'

const tradeOutcomes = ['completed', 'refused', 'pending', 'failed'] as const
type TradeOutcome = (typeof tradeOutcomes)[number]
const quoteOutcomes = ['given', 'refused', 'failed'] as const

/** By the codes of old transactions too, which are texts in the views. */
const doings: Readonly<Record<string, Doing | undefined>> = doingOf

const tradeOutcomeOf = (result: Result<BankOutcome>): TradeOutcome => {
  if (!result.ok) return doingOf[result.refusal.code]
  if (result.value.kind !== 'final') return 'pending'
  const { status, errorCode } = result.value.transaction
  if (status === 'COMPLETED') return 'completed'
  return errorCode === null ? 'pending' : (doings[errorCode] ?? 'failed')
}

/** Counts what became of the calls of banks. */
export interface BankTelemetry {
  /** Asks for a trade whose request came at this monotonic moment. */
  trade(
    bank: string,
    side: Side,
    receivedAtMs: number,
    ask: () => Promise<Result<BankOutcome>>,
  ): Promise<Result<BankOutcome>>
  quote<Value>(bank: string, ask: () => Promise<Result<Value>>): Promise<Result<Value>>
  /** The same routes, their refusals counted by bank and code. All must be routes of banks. */
  counted(routes: readonly Route[]): readonly Route[]
}

/** The code that a recorded answer refuses with, or null. */
const codeIn = ({ status, body }: Answer): RefusalCode | null => {
  if (status < 400) return null
  return (body as { readonly errorCode?: RefusalCode }).errorCode ?? null
}

/** Registers the series. */
export const createBankTelemetry = (metrics: Metrics, clock: Pick<Clock, 'monotonicMs'>): BankTelemetry => {
  const trades = metrics.counter('bourse_bank_trades_total')
  const durations = metrics.histogram('bourse_bank_trade_duration_seconds')
  const quotes = metrics.counter('bourse_bank_quotes_total')
  const refusals = metrics.counter('bourse_bank_refusals_total')
  /** Shown from a bank's first call on, at 0: of what appears with its first failure nobody sees the increase. */
  const known = new Set<string>()
  const know = (bank: string): void => {
    if (known.has(bank)) return
    known.add(bank)
    for (const outcome of quoteOutcomes) quotes.inc({ bank, outcome }, 0)
    for (const side of ['buy', 'sell']) for (const outcome of tradeOutcomes) trades.inc({ bank, side, outcome }, 0)
  }
  const counted = (route: Route): Route => ({
    spec: route.spec,
    handle: async (request, principal) => {
      const { name: bank } = principal as Bank
      know(bank)
      try {
        const answer = await route.handle(request, principal)
        const code = codeIn(answer)
        if (code !== null) refusals.inc({ bank, code })
        return answer
      } catch (error) {
        refusals.inc({ bank, code: error instanceof ApiError ? error.code : 'INTERNAL_ERROR' })
        throw error
      }
    },
  })
  return {
    trade: async (bank, side, receivedAtMs, ask) => {
      const labels = { bank, side: side.toLowerCase() }
      let outcome: TradeOutcome = 'failed'
      try {
        const result = await ask()
        outcome = tradeOutcomeOf(result)
        return result
      } finally {
        trades.inc({ ...labels, outcome })
        durations.observe({ side: labels.side }, (clock.monotonicMs() - receivedAtMs) / 1_000)
      }
    },
    quote: async (bank, ask) => {
      let outcome: (typeof quoteOutcomes)[number] = 'failed'
      try {
        const result = await ask()
        outcome = result.ok ? 'given' : doingOf[result.refusal.code]
        return result
      } finally {
        quotes.inc({ bank, outcome })
      }
    },
    counted: (routes) => routes.map(counted),
  }
}
