import type { Result } from '@bourse/common/errors/codes.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import type { CommandName } from '../engine/specs.ts'
import { ApiError } from '../http/api-error.ts'
import { doingOf } from './doing.ts'

/** Commands that are orders, and what the series call them. */
const operations: Partial<Record<CommandName, 'open' | 'update' | 'close'>> = {
  CREATE_TRADE: 'open',
  UPDATE_TRADE: 'update',
  CLOSE_TRADE: 'close',
}
const outcomes = ['accepted', 'refused', 'failed'] as const

/** Counts what became of orders. */
export interface OrderTelemetry {
  /** Runs a command that came at this monotonic moment; what is no order is not counted. */
  measure<Answer extends { readonly result: Result<unknown> }>(
    command: CommandName,
    receivedAtMs: number,
    run: () => Promise<Answer>,
  ): Promise<Answer>
}

/** Registers the series. */
export const createOrderTelemetry = (metrics: Metrics, clock: Pick<Clock, 'monotonicMs'>): OrderTelemetry => {
  const orders = metrics.counter('bourse_orders_total')
  const durations = metrics.histogram('bourse_order_duration_seconds')
  // An outcome that never came is a 0 and no gap: of what appears with its first failure nobody sees the increase.
  for (const operation of Object.values(operations))
    for (const outcome of outcomes) orders.inc({ operation, outcome }, 0)
  return {
    measure: async (command, receivedAtMs, run) => {
      const operation = operations[command]
      if (operation === undefined) return run()
      const ended = (outcome: (typeof outcomes)[number]): void => {
        orders.inc({ operation, outcome })
        durations.observe({ operation }, (clock.monotonicMs() - receivedAtMs) / 1_000)
      }
      try {
        const answer = await run()
        ended(answer.result.ok ? 'accepted' : doingOf[answer.result.refusal.code])
        return answer
      } catch (error) {
        ended(error instanceof ApiError ? doingOf[error.code] : 'failed')
        throw error
      }
    },
  }
}
