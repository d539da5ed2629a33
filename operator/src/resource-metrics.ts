import type { Clock, Repeating } from '@bourse/common/ports/clock.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { createShown } from '@bourse/common/telemetry/shown.ts'
import { conditionOf } from './runtime/conditions.ts'
import type { Condition, KubeObject, Store } from './runtime/types.ts'

/** How often the resources are looked through, ms. */
export const RESOURCE_METRICS_INTERVAL_MS = 5_000

/** Resources of one kind, as this process knows them. */
export interface MeasuredResources {
  readonly kind: 'TradingPair' | 'Bank'
  readonly store: Pick<
    Store<KubeObject & { readonly status?: { readonly conditions?: readonly Condition[] } }>,
    'list' | 'hasSynced'
  >
}

/** Shows which resources are ready; one that is deleted disappears. */
export const startResourceMetrics = (deps: {
  readonly resources: readonly MeasuredResources[]
  readonly metrics: Metrics
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}): Repeating => {
  const { resources, metrics, clock, onError } = deps
  const ready = createShown(metrics.gauge('bourse_operator_resource_ready'))
  return clock.every(
    RESOURCE_METRICS_INTERVAL_MS,
    () => {
      for (const { kind, store } of resources) {
        if (!store.hasSynced) continue
        ready.show(
          kind,
          store
            .list()
            .map(({ metadata: { name }, status }) => [
              { kind, name },
              conditionOf(status?.conditions, 'Ready')?.status === 'True' ? 1 : 0,
            ]),
        )
      }
    },
    onError,
  )
}
