import type { Metrics } from '@bourse/common/telemetry/metrics.ts'

/** What the WebSocket edge counts. */
export interface StreamTelemetry {
  connected(count: number): void
  /** A price that was superseded before so many readers could have it. */
  conflated(readers: number): void
  tooSlow(): void
  refused(reason: 'origin' | 'capacity' | 'path' | 'draining'): void
}

/** Registers the series. */
export const createStreamTelemetry = (metrics: Metrics): StreamTelemetry => {
  const sockets = metrics.gauge('bourse_ws_sockets', 'Open WebSockets', [])
  const conflations = metrics.counter(
    'bourse_ws_prices_conflated_total',
    'Prices replaced by newer ones before a reader had them',
    [],
  )
  const slow = metrics.counter('bourse_ws_slow_readers_closed_total', 'Readers closed because they were too slow', [])
  const refusals = metrics.counter('bourse_ws_refused_total', 'Upgrades refused', ['reason'])
  return {
    connected: (count) => {
      sockets.set(count)
    },
    conflated: (readers) => {
      conflations.inc(readers)
    },
    tooSlow: () => {
      slow.inc()
    },
    refused: (reason) => {
      refusals.inc({ reason })
    },
  }
}
