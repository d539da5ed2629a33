import type { Logger } from 'pino'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { startChild, type Child, type ChildProgram } from './child.ts'

/** Pause before a child that died is started again, ms; doubles with every start that does not last … */
export const RESTART_PAUSE_MS_MIN = 100
/** … up to this. */
export const RESTART_PAUSE_MS_MAX = 5_000
/** A child that lived this long was sound: the next pause is short again, ms. */
export const SOUND_AFTER_MS = 10_000
/** How long a child may take to stop in order, ms; less than we may. */
export const CHILD_STOP_MS = 20_000

/** A program that is kept running. */
export interface Supervised {
  readonly name: string
  readonly program: ChildProgram
  /** Of the process that runs or ran last. */
  url(): string
  /** Where its health, metrics and control are. */
  telemetryUrl(): string
  pid(): number
  /** How often it was started again. */
  restarts(): number
  /** Starts it no more and stops it. */
  stop(): Promise<void>
}

/** What is kept running, and who hears of it. */
export interface SupervisedOptions {
  readonly name: string
  readonly program: ChildProgram
  readonly env: Readonly<Record<string, string>>
  /**
   * Called when it is ready again after it had died; a failure is logged. The signal says that there is no use any more: it
   * died once more, or is to stop.
   */
  readonly onRestart?: (child: Child, signal: AbortSignal) => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Starts a program and starts it again whenever it ends without having been told to.
 * @throws when it does not get ready the first time
 */
export const supervise = async (options: SupervisedOptions): Promise<Supervised> => {
  const { name, program, env, clock, logger } = options
  const quit = new AbortController()
  const start = (): Promise<Child> =>
    startChild({ name, program, env, sleep: (delayMs, signal) => clock.sleep(delayMs, signal), signal: quit.signal })
  let child = await start()
  let readyAtMs = clock.monotonicMs()
  let pauseMs = RESTART_PAUSE_MS_MIN
  let restarts = 0
  let working: Promise<void> = Promise.resolve()

  const startAgain = async (): Promise<void> => {
    if (clock.monotonicMs() - readyAtMs >= SOUND_AFTER_MS) pauseMs = RESTART_PAUSE_MS_MIN
    while (!quit.signal.aborted) {
      const waitMs = pauseMs
      pauseMs = Math.min(pauseMs * 2, RESTART_PAUSE_MS_MAX)
      try {
        await clock.sleep(waitMs, quit.signal)
        child = await start()
        readyAtMs = clock.monotonicMs()
        restarts += 1
        return
      } catch (error) {
        if (!quit.signal.aborted) logger.error({ err: error, child: name }, 'a process could not be started again')
      }
    }
  }
  const putToWork = async (now: Child): Promise<void> => {
    const died = new AbortController()
    void now.ended.then(() => died.abort())
    try {
      await options.onRestart?.(now, AbortSignal.any([died.signal, quit.signal]))
    } catch (error) {
      logger.error({ err: error, child: name }, 'a process that was started again could not be put to work')
    }
  }
  const keepWatch = async (): Promise<void> => {
    while (!quit.signal.aborted) {
      const end = await child.ended
      if (quit.signal.aborted) return
      logger.error({ child: name, ...end }, 'a process ended by itself; it is started again')
      await startAgain()
      if (quit.signal.aborted) return
      // Not waited for: one that dies before it works is started again all the same.
      working = putToWork(child)
    }
  }
  const watching = keepWatch()
  return {
    name,
    program,
    url: () => child.url,
    telemetryUrl: () => child.telemetryUrl,
    pid: () => child.pid,
    restarts: () => restarts,
    stop: async () => {
      quit.abort()
      await child.stop(CHILD_STOP_MS)
      await watching
      // One that was being started while we were told to stop.
      await child.stop(CHILD_STOP_MS)
      await working
    },
  }
}
