import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { list, object } from '../http/schemas.ts'
import { answer, route, routeSpec, type Route } from '../http/route.ts'
import type { PlatformInspector } from '../platform-inspector.ts'

const readiness = object({ ready: { type: 'boolean' }, reasons: list({ type: 'string' }) }, [], 'Readiness')

/** Probes and metrics. */
export const healthSpecs = {
  live: routeSpec<'none'>({
    operationId: 'live',
    method: 'GET',
    path: '/livez',
    tag: 'Health',
    security: 'none',
    summary: 'Whether the process runs',
    answers: { 200: { description: 'It runs', schema: object({ status: { const: 'ok' } }) } },
    refusals: [],
  }),
  ready: routeSpec<'none'>({
    operationId: 'ready',
    method: 'GET',
    path: '/readyz',
    tag: 'Health',
    security: 'none',
    summary: 'Whether it takes commands, and if not, why',
    answers: {
      200: { description: 'It does', schema: readiness },
      503: { description: 'It does not', schema: readiness },
    },
    refusals: [],
  }),
  metrics: routeSpec<'none'>({
    operationId: 'metrics',
    method: 'GET',
    path: '/metrics',
    tag: 'Health',
    security: 'none',
    summary:
      'Metrics in the text format of Prometheus; only where they have no port of their own (BOURSE_TELEMETRY_PORT)',
    answers: { 200: { description: 'All series', contentTypes: ['text/plain'] } },
    refusals: [],
  }),
} as const

/** `/livez`, `/readyz`, and `/metrics` where there are any to show. A gateway that is stopping is not ready. */
export const healthRoutes = ({
  platform,
  metrics,
  draining,
}: {
  readonly platform: PlatformInspector
  readonly metrics: Pick<Metrics, 'expose'> | null
  readonly draining: () => boolean
}): readonly Route[] => [
  route({ spec: healthSpecs.live, handle: () => answer({ status: 'ok' }) }),
  route({
    spec: healthSpecs.ready,
    handle: () => {
      const { ready, reasons } = draining() ? { ready: false, reasons: ['the gateway is stopping'] } : platform.ready()
      return { status: ready ? 200 : 503, body: { ready, reasons } }
    },
  }),
  ...(metrics === null
    ? []
    : [
        route({
          spec: healthSpecs.metrics,
          handle: async () => {
            const { contentType, text } = await metrics.expose()
            return answer(text, { 'content-type': contentType })
          },
        }),
      ]),
]
