import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { KubeApiError, TerminalError } from './types.ts'
import type { ControllerSpec, ReconcileContext } from './types.ts'
import type { WorkQueue } from './work-queue.ts'

/** Series of all controllers of a process, under the names that stock dashboards know. */
export interface ControllerMetrics {
  started(controller: string, workers: number): void
  active(controller: string, change: 1 | -1): void
  ended(controller: string, result: 'success' | 'requeue_after' | 'error' | 'terminal_error', durationMs: number): void
}

/** Makes the series; once per registry. */
export const createControllerMetrics = (metrics: Metrics): ControllerMetrics => {
  const total = metrics.counter('controller_runtime_reconcile_total')
  const errors = metrics.counter('controller_runtime_reconcile_errors_total')
  const terminal = metrics.counter('controller_runtime_terminal_reconcile_errors_total')
  const duration = metrics.histogram('controller_runtime_reconcile_time_seconds')
  const active = metrics.gauge('controller_runtime_active_workers')
  const most = metrics.gauge('controller_runtime_max_concurrent_reconciles')
  return {
    started: (controller, workers) => {
      most.set({ controller }, workers)
      // From 0 on: the first failure is seen as a rise.
      for (const result of ['success', 'requeue_after', 'error']) total.inc({ controller, result }, 0)
      errors.inc({ controller }, 0)
      terminal.inc({ controller }, 0)
    },
    active: (controller, change) => active.inc({ controller }, change),
    ended: (controller, result, durationMs) => {
      total.inc({ controller, result: result === 'terminal_error' ? 'error' : result })
      if (result === 'error' || result === 'terminal_error') errors.inc({ controller })
      if (result === 'terminal_error') terminal.inc({ controller })
      duration.observe({ controller }, durationMs / 1000)
    },
  }
}

/** What a controller needs. */
export interface ControllerDeps {
  readonly queue: WorkQueue
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ControllerMetrics
}

/**
 * Reconciles the queue's keys with the spec's workers until the queue is closed. What a reconciliation gives or throws
 * decides when the key comes again: thrown → after its growing pause (no sooner than the API server's `Retry-After`);
 * `TerminalError` → when something changes; `requeueAfterMs` → then; nothing → when something changes.
 */
export const runController = async (
  spec: ControllerSpec,
  context: ReconcileContext,
  { queue, clock, logger, metrics }: ControllerDeps,
): Promise<void> => {
  const controller = spec.name

  const reconcile = async (key: string): Promise<void> => {
    const startMs = clock.monotonicMs()
    const ended = (result: Parameters<ControllerMetrics['ended']>[1]): void =>
      metrics.ended(controller, result, clock.monotonicMs() - startMs)
    try {
      const { requeueAfterMs } = await spec.reconcile(key, context)
      queue.forget(key)
      if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs)
      ended(requeueAfterMs === undefined ? 'success' : 'requeue_after')
    } catch (error) {
      if (error instanceof TerminalError) {
        queue.forget(key)
        logger.error({ error, controller, key }, 'a reconciliation failed for good: it waits for a change')
        return ended('terminal_error')
      }
      // Work that was told to stop throws for that reason; the next leader does it.
      if (!context.signal.aborted) logger.warn({ error, controller, key }, 'a reconciliation failed')
      queue.addRateLimited(key, error instanceof KubeApiError ? (error.retryAfterMs ?? 0) : 0)
      ended('error')
    }
  }

  const work = async (): Promise<void> => {
    for (;;) {
      const key = await queue.take()
      if (key === null) return
      metrics.active(controller, 1)
      try {
        await reconcile(key)
      } finally {
        metrics.active(controller, -1)
        queue.done(key)
      }
    }
  }
  metrics.started(controller, spec.workers)
  await Promise.all(Array.from({ length: spec.workers }, work))
}
