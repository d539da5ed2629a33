import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Topology } from '../platform/topology.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { ControlError, shownPartition } from './control-answers.ts'
import type { Shard } from './shard.ts'

/** Longest wait for a shard to be drained, s. */
export const DRAIN_WAIT_SECONDS_MAX = 60
/** Requests that wait for it at a time; one more is answered 503. */
export const DRAIN_WAITS_MAX = 4
/** How often a waiting one looks, ms. */
export const DRAIN_LOOK_MS = 100

interface HealthDeps {
  readonly shard: Pick<Shard<never>, 'status'>
  /** See ControlDeps. */
  readonly isReadyWithReasons?: boolean
  readonly topology: Topology
  readonly metrics: Pick<Metrics, 'expose'>
  readonly clock: Clock
}

/** States in which a partition is nobody's to serve here. */
const GONE: ReadonlySet<string> = new Set(['released', 'deposed', 'failed'])
/** States in which a partition is as it should be. */
const WELL: ReadonlySet<string> = new Set(['serving', 'released', 'preparing', 'prepared'])

const waitSecondsOf = (text: unknown): number => {
  if (text === undefined) return 0
  const seconds = typeof text === 'string' && /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN
  if (seconds <= DRAIN_WAIT_SECONDS_MAX) return seconds
  throw new ControlError('INVALID_REQUEST', `waitSeconds must be a whole number from 0 to ${DRAIN_WAIT_SECONDS_MAX}`)
}

/** Waits until the shard has no partition, the time is over, or nobody listens any more. Answers whether it has none. */
const createDrainWait = ({ shard, clock }: HealthDeps) => {
  let waits = 0
  const isDrained = (): boolean => shard.status().every(({ state }) => GONE.has(state))
  const wait = async ({ req }: Context, waitMs: number): Promise<void> => {
    const gone = new AbortController()
    const leave = (): void => gone.abort()
    req.socket.once('close', leave)
    const untilMs = clock.monotonicMs() + waitMs
    try {
      while (!isDrained() && clock.monotonicMs() < untilMs && !gone.signal.aborted)
        await clock.sleep(DRAIN_LOOK_MS, gone.signal).catch(() => undefined)
    } finally {
      req.socket.off('close', leave)
    }
  }
  return async (context: Context, waitMs: number): Promise<boolean> => {
    if (isDrained() || waitMs === 0) return isDrained()
    if (waits >= DRAIN_WAITS_MAX)
      throw new ControlError('OVERLOADED', `${waits} requests wait for that already; ask later, or without waitSeconds`)
    waits += 1
    await wait(context, waitMs).finally(() => (waits -= 1))
    return isDrained()
  }
}

/** Health and metrics, for anybody. */
export const routeHealth = (router: Router, deps: HealthDeps): void => {
  const { shard, metrics, topology, clock, isReadyWithReasons = false } = deps
  const drained = createDrainWait(deps)
  router.get('/health/live', (context) => void (context.body = { status: 'ok' }))
  router.get('/health/ready', (context) => {
    const reasons = shard
      .status()
      .filter(({ state }) => !WELL.has(state))
      .map((one) => shownPartition({ topology, nowMs: clock.nowMs() }, one))
      .map(({ partition, state, reason }) => `${partition} is ${state}${reason === null ? '' : `: ${reason}`}`)
    const ready = reasons.length === 0 || isReadyWithReasons
    context.status = ready ? 200 : 503
    context.body = { ready, reasons }
  })
  router.get('/health/drained', async (context) => {
    context.body = { drained: await drained(context, waitSecondsOf(context.query['waitSeconds']) * 1_000) }
  })
  router.get('/metrics', async (context) => {
    const { contentType, text } = await metrics.expose()
    context.set('content-type', contentType)
    context.body = text
  })
}
