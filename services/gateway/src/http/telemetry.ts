import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { doingOf } from '../metrics/doing.ts'

/** What the HTTP edge counts. Routes are templates or `unmatched`, so that the number of series is bounded. */
export interface HttpTelemetry {
  answered(route: string, method: string, status: number, seconds: number): void
  refused(code: string): void
  /** Where to read how many requests are under way; read when the series are. */
  inFlight(count: () => number): void
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Registers the edge's series. */
export const createHttpTelemetry = (metrics: Metrics): HttpTelemetry => {
  const requests = metrics.counter('bourse_http_requests_total')
  const refusals = metrics.counter('bourse_http_refusals_total')
  const durations = metrics.histogram('bourse_http_request_duration_seconds')
  // Shown from the start: of a series that appears with its first failure nobody sees the increase.
  for (const [code, doing] of Object.entries(doingOf)) if (doing === 'failed') refusals.inc({ code }, 0)
  return {
    answered: (route, method, status, seconds) => {
      const known = KNOWN_METHODS.has(method) ? method : 'OTHER'
      requests.inc({ route, method: known, status: String(status) })
      durations.observe({ route, method: known }, seconds)
    },
    refused: (code) => {
      refusals.inc({ code })
    },
    inFlight: (count) => {
      metrics.sampled('bourse_http_requests_in_flight', count)
    },
  }
}
