import type { Metrics } from '@bourse/common/telemetry/metrics.ts'

const REASONS = ['origin', 'capacity', 'path', 'draining'] as const

/** What the WebSocket edge counts. */
export interface StreamTelemetry {
  connected(count: number): void
  /** A price that was superseded before so many readers could have it. */
  conflated(readers: number): void
  tooSlow(): void
  refused(reason: (typeof REASONS)[number]): void
}

/** Registers the series. */
export const createStreamTelemetry = (metrics: Metrics): StreamTelemetry => {
  const sockets = metrics.gauge('bourse_ws_sockets')
  const conflations = metrics.counter('bourse_ws_prices_conflated_total')
  const slow = metrics.counter('bourse_ws_slow_readers_closed_total')
  const refusals = metrics.counter('bourse_ws_refused_total')
  // Shown from the start: of a series that appears with its first refusal nobody sees the increase.
  for (const reason of REASONS) refusals.inc({ reason }, 0)
  return {
    connected: (count) => {
      sockets.set({}, count)
    },
    conflated: (readers) => {
      conflations.inc({}, readers)
    },
    tooSlow: () => {
      slow.inc({})
    },
    refused: (reason) => {
      refusals.inc({ reason })
    },
  }
}
