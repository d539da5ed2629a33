import { AsyncLocalStorage } from 'node:async_hooks'
import { TRACEPARENT, type TraceContext } from '../../ports/tracing.ts'

/** The trace context within which code runs, across awaits. One for a process: log lines and spans look at the same. */
export interface ActiveContext {
  current(): TraceContext | undefined
  within<Result>(context: TraceContext, work: () => Result): Result
  /** `traceId` and `spanId` for a log line; nothing outside of all traces. */
  logFields(): Readonly<Record<string, string>>
}

const NONE = {}

/** Makes one. */
export const createActiveContext = (): ActiveContext => {
  const storage = new AsyncLocalStorage<TraceContext>()
  return {
    current: () => storage.getStore(),
    within: (context, work) => storage.run(context, work),
    logFields: () => {
      const [, traceId, spanId] = storage.getStore()?.[TRACEPARENT]?.split('-') ?? []
      return traceId === undefined || spanId === undefined ? NONE : { traceId, spanId }
    },
  }
}
