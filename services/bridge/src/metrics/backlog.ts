import type { Clock } from '@bourse/common/ports/clock.ts'
import type { StateShow } from '@bourse/common/shard/state-metrics.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { createShown } from '@bourse/common/telemetry/shown.ts'
import { decodeBacklog } from '../codec/backlog.ts'
import { encodeQuestion } from '../codec/questions.ts'

const QUESTION = encodeQuestion({ kind: 'backlog' })

/** Shows what waits in the bridge partitions served here. */
export const createBacklogShow = (metrics: Metrics, clock: Pick<Clock, 'nowMs'>): StateShow => {
  const pending = createShown(metrics.gauge('bourse_bridge_pending_trades'))
  const oldest = createShown(metrics.gauge('bourse_bridge_oldest_pending_seconds'))
  const webhooks = createShown(metrics.gauge('bourse_bridge_webhooks_waiting'))
  return {
    show: async ({ title: partition, query }) => {
      const banks = decodeBacklog(await query(QUESTION))
      const since = banks.filter(({ inFlight }) => inFlight > 0).map(({ oldestAt }) => Number(oldestAt))
      const oldestMs = since.length === 0 ? 0 : Math.max(0, clock.nowMs() - Math.min(...since))
      const inFlight = banks.reduce((sum, bank) => sum + bank.inFlight, 0)
      pending.show(partition, [[{ partition }, inFlight]])
      oldest.show(partition, [[{ partition }, oldestMs / 1_000]])
      webhooks.show(
        partition,
        banks.map(({ bank, eventsWaiting, reversalsWaiting }) => [{ bank }, eventsWaiting + reversalsWaiting]),
      )
    },
    forget: (partition) => {
      for (const one of [pending, oldest, webhooks]) one.forget(partition)
    },
  }
}
