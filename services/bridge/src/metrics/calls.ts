import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import type { AuthorizationResult, BankCallbacks } from '../adapters/bank-callbacks.ts'
import type { LiquidityProvider, OrderResult, TickerResult } from '../adapters/liquidity-provider.ts'

/** How a call ended: answered, declined by a clear no, or failed without a clear answer. */
type CallOutcome = (typeof callOutcomes)[number]
const callOutcomes = ['answered', 'declined', 'failed'] as const

/** Each operation and whom it calls. */
const operations = {
  ticker: 'exchange',
  order: 'exchange',
  order_status: 'exchange',
  authorization: 'bank',
  reversal: 'bank',
  webhook: 'bank',
} as const
type Operation = keyof typeof operations

const tickerOutcomes = { price: 'answered', unavailable: 'failed' } as const satisfies Record<
  TickerResult['kind'],
  CallOutcome
>
/** What is said to an order. */
const orderOutcomes = {
  filled: 'answered',
  rejected: 'declined',
  absent: 'answered',
  unknown: 'failed',
} as const satisfies Record<OrderResult['kind'], CallOutcome>
/** What is said to the question how an order ended: a rejection is a clear answer too. */
const askOutcomes = { ...orderOutcomes, rejected: 'answered' } as const satisfies Record<
  OrderResult['kind'],
  CallOutcome
>
const authorizationOutcomes = {
  acknowledged: 'answered',
  declined: 'declined',
  unreachable: 'failed',
} as const satisfies Record<AuthorizationResult, CallOutcome>

const acknowledgedOutcome = (acknowledged: boolean): CallOutcome => (acknowledged ? 'answered' : 'failed')

/** The adapters to exchanges and banks, each call counted with its time. What their caller gave up is not counted. */
export const measuredCalls = (
  { liquidity, callbacks }: { readonly liquidity: LiquidityProvider; readonly callbacks: BankCallbacks },
  metrics: Metrics,
  clock: Pick<Clock, 'monotonicMs'>,
): { readonly liquidity: LiquidityProvider; readonly callbacks: BankCallbacks } => {
  const calls = metrics.counter('bourse_bridge_calls_total')
  const durations = metrics.histogram('bourse_bridge_call_duration_seconds')
  // Shown from the start: of a series that appears with its first failure nobody sees the increase.
  for (const [operation, target] of Object.entries(operations))
    for (const outcome of callOutcomes) calls.inc({ target, operation, outcome }, 0)
  const measure = async <Answer>(
    operation: Operation,
    call: Promise<Answer>,
    outcomeOf: (answer: Answer) => CallOutcome,
  ): Promise<Answer> => {
    const startedMs = clock.monotonicMs()
    const answer = await call
    const target = operations[operation]
    durations.observe({ target, operation }, (clock.monotonicMs() - startedMs) / 1_000)
    calls.inc({ target, operation, outcome: outcomeOf(answer) })
    return answer
  }
  return {
    liquidity: {
      ticker: (symbol, signal) =>
        measure('ticker', liquidity.ticker(symbol, signal), ({ kind }) => tickerOutcomes[kind]),
      place: (order, signal) => measure('order', liquidity.place(order, signal), ({ kind }) => orderOutcomes[kind]),
      ask: (id, signal) => measure('order_status', liquidity.ask(id, signal), ({ kind }) => askOutcomes[kind]),
    },
    callbacks: {
      authorize: (target, authorization, signal) =>
        measure(
          'authorization',
          callbacks.authorize(target, authorization, signal),
          (result) => authorizationOutcomes[result],
        ),
      reverse: (target, transactionId, signal) =>
        measure('reversal', callbacks.reverse(target, transactionId, signal), acknowledgedOutcome),
      deliver: (target, bank, body, signal) =>
        measure('webhook', callbacks.deliver(target, bank, body, signal), acknowledgedOutcome),
    },
  }
}
