import type { Clock, Repeating } from '@bourse/common/ports/clock.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { createShown } from '@bourse/common/telemetry/shown.ts'
import type { Market } from './service.ts'

/** How often the feeds' state is put into the metrics, ms. */
export const FEED_METRICS_INTERVAL_MS = 1_000

/** Shows how each symbol's feed is. */
export const startFeedMetrics = (deps: {
  readonly market: Pick<Market, 'health'>
  readonly metrics: Metrics
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}): Repeating => {
  const { market, metrics, clock, onError } = deps
  const live = createShown(metrics.gauge('bourse_market_feed_live'))
  const age = createShown(metrics.gauge('bourse_market_feed_age_seconds'))
  const spread = createShown(metrics.gauge('bourse_market_spread_ratio'))
  return clock.every(
    FEED_METRICS_INTERVAL_MS,
    () => {
      const feeds = market.health()
      live.show(
        'feeds',
        feeds.map(({ symbol, state }) => [{ symbol }, state === 'live' ? 1 : 0]),
      )
      age.show(
        'feeds',
        feeds.flatMap(({ symbol, ageMs }) => (ageMs === null ? [] : [[{ symbol }, ageMs / 1_000] as const])),
      )
      spread.show(
        'feeds',
        feeds.flatMap(({ symbol, spreadRatio }) => (spreadRatio === null ? [] : [[{ symbol }, spreadRatio] as const])),
      )
    },
    onError,
  )
}
