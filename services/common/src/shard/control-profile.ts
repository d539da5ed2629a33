import { Session } from 'node:inspector/promises'
import type { Readable } from 'node:stream'
import { getHeapSnapshot } from 'node:v8'
import type Router from '@koa/router'
import type { Context } from 'koa'
import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import { ControlError } from './control-answers.ts'

/** Longest profile, s. */
export const PROFILE_SECONDS_MAX = 60
/** How long a profile is taken where the request is silent, s. */
export const PROFILE_SECONDS = 10
/** How long reading a whole heap may take, s; then it is cut off. */
export const SNAPSHOT_SECONDS_MAX = 600
/** How often the stack is looked at, µs. */
export const CPU_INTERVAL_US = 1_000
/** Bytes allocated between two allocations that are remembered, on average. */
export const HEAP_INTERVAL_BYTES = 65_536

/** What profiles need. */
export interface ProfileDeps {
  readonly clock: Clock
  readonly logger: Logger
}

const secondsOf = (text: unknown): number => {
  if (text === undefined) return PROFILE_SECONDS
  const seconds = typeof text === 'string' && /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  if (seconds >= 1 && seconds <= PROFILE_SECONDS_MAX) return seconds
  throw new ControlError('INVALID_REQUEST', `seconds must be a whole number from 1 to ${PROFILE_SECONDS_MAX}`)
}

const isFull = (text: unknown): boolean => {
  if (text === undefined || text === 'true' || text === 'false') return text === 'true'
  throw new ControlError('INVALID_REQUEST', 'full must be true or false')
}

/** Begins a profile; what it answers ends it. */
type Profiling = (session: Session) => Promise<() => Promise<object>>

const cpuProfiling: Profiling = async (session) => {
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL_US })
  await session.post('Profiler.start')
  return async () => (await session.post('Profiler.stop')).profile
}

const heapProfiling: Profiling = async (session) => {
  await session.post('HeapProfiler.enable')
  await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL_BYTES })
  return async () => (await session.post('HeapProfiler.stopSampling')).profile
}

/**
 * `POST /control/profile/cpu?seconds=` answers a .cpuprofile, `POST /control/profile/heap?seconds=` the allocations of that time
 * that are still alive as a .heapprofile, and `?full=true` the whole heap as a .heapsnapshot, for which the process stands still.
 * One at a time (409 `PROFILE_RUNNING`); a caller that leaves ends its profile.
 */
export const routeProfiles = (router: Router, { clock, logger }: ProfileDeps): void => {
  let running: string | null = null
  const begin = (kind: string): void => {
    if (running !== null)
      throw new ControlError('PROFILE_RUNNING', `a ${running} profile is being taken; ask again when it is over`)
    running = kind
    logger.warn({ kind }, 'a profile is being taken')
  }
  const end = (): void => {
    logger.warn({ kind: running }, 'the profile is over')
    running = null
  }
  const asFile = (context: Context, extension: string): void => {
    context.type = 'application/json'
    const moment = new Date(clock.nowMs()).toISOString().replaceAll(/[:.]/g, '-')
    context.set('content-disposition', `attachment; filename="bourse-${process.pid}-${moment}.${extension}"`)
  }
  const waited = async ({ req }: Context, seconds: number): Promise<void> => {
    const gone = new AbortController()
    const leave = (): void => gone.abort()
    req.socket.once('close', leave)
    // A caller who left needs no profile: it ends at once.
    await clock.sleep(seconds * 1_000, gone.signal).catch(() => undefined)
    req.socket.off('close', leave)
  }
  const take = async (context: Context, kind: string, seconds: number, profiling: Profiling): Promise<object> => {
    begin(kind)
    const session = new Session()
    try {
      session.connect()
      const finish = await profiling(session)
      await waited(context, seconds)
      return await finish()
    } finally {
      session.disconnect()
      end()
    }
  }

  const snapshotFor = ({ req }: Context): Readable => {
    try {
      const snapshot = getHeapSnapshot()
      const read = new AbortController()
      snapshot.once('close', () => {
        read.abort()
        end()
      })
      // Who stops reading keeps a copy of the heap in memory, and everybody else from taking a profile.
      clock.sleep(SNAPSHOT_SECONDS_MAX * 1_000, read.signal).then(
        () => void req.socket.destroy(),
        () => undefined,
      )
      return snapshot
    } catch (error) {
      end()
      throw error
    }
  }

  router.post('/control/profile/cpu', async (context) => {
    const seconds = secondsOf(context.query['seconds'])
    const profile = await take(context, 'CPU', seconds, cpuProfiling)
    asFile(context, 'cpuprofile')
    context.body = profile
  })
  router.post('/control/profile/heap', async (context) => {
    const seconds = secondsOf(context.query['seconds'])
    if (!isFull(context.query['full'])) {
      const profile = await take(context, 'heap', seconds, heapProfiling)
      asFile(context, 'heapprofile')
      context.body = profile
      return
    }
    begin('full heap')
    asFile(context, 'heapsnapshot')
    context.body = snapshotFor(context)
  })
}
