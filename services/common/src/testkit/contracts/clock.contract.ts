import { expect } from '@jest/globals'
import type { Clock } from '../../ports/clock.ts'
import { describeContract, until, type Opened, type Subject } from './scenario.ts'

/** A clock for the suite. */
export interface ClockHarness extends Opened<Clock> {
  /** Lets so much time pass on this clock. */
  elapse(deltaMs: number): Promise<void>
}

/** How often a test looks whether something has happened. */
const LOOKS_MAX = 1_000

const settled = async (task: Promise<unknown>): Promise<boolean> => {
  const marker = Symbol('pending')
  const first = await Promise.race([
    task.then(
      () => true,
      () => true,
    ),
    Promise.resolve(marker),
  ])
  return first !== marker
}

/** The Clock contract. */
export const clockContract = (subject: Subject<ClockHarness>): void =>
  describeContract(
    subject,
    (port: Clock) => port,
    (define) => {
      define('C1 nowMs is whole milliseconds since the epoch and goes with time', async ({ port, harness }) => {
        const before = port.nowMs()
        expect(Number.isSafeInteger(before)).toBe(true)
        expect(before).toBeGreaterThan(1_600_000_000_000)
        await harness.elapse(30)
        expect(port.nowMs() - before).toBeGreaterThanOrEqual(25)
      })

      define('C2 sleep resolves no sooner than its delay', async ({ port, harness }) => {
        const delays = [0, 1, 7, 20, 50]
        const startMs = port.monotonicMs()
        const wakings = delays.map(async (delayMs) => {
          await port.sleep(delayMs)
          return port.monotonicMs() - startMs
        })
        await harness.elapse(80)
        const slept = await Promise.all(wakings)
        expect(delays.filter((delayMs, index) => slept[index]! < delayMs)).toEqual([])
      })

      define('C2 an aborted sleep rejects at once with the reason', async ({ port }) => {
        const stopping = new AbortController()
        const reason = new Error('enough')
        const sleeping = port.sleep(60_000, stopping.signal)
        const caught = expect(sleeping).rejects.toBe(reason)
        stopping.abort(reason)
        await caught
        await expect(port.sleep(60_000, stopping.signal)).rejects.toBe(reason)
      })

      define(
        'C3 every repeats, never two at once, each an interval after the last one ended',
        async ({ port, harness }) => {
          let inside = 0
          let most = 0
          const gaps: number[] = []
          let endedMs = port.monotonicMs()
          const repeating = port.every(
            10,
            async () => {
              gaps.push(port.monotonicMs() - endedMs)
              inside += 1
              most = Math.max(most, inside)
              await port.sleep(15)
              inside -= 1
              endedMs = port.monotonicMs()
            },
            (error) => {
              throw error
            },
          )
          // As long as it takes: a busy machine may let a run be late.
          for (let looks = 0; gaps.length < 3 && looks < LOOKS_MAX; looks++) await harness.elapse(50)
          await repeating.stop()
          expect(gaps.length).toBeGreaterThanOrEqual(3)
          expect(most).toBe(1)
          expect(Math.min(...gaps)).toBeGreaterThanOrEqual(9)
        },
      )

      define('C3 a failing task is handed to onError, and the next one still comes', async ({ port, harness }) => {
        const errors: unknown[] = []
        let runs = 0
        const failure = new Error('this time')
        const repeating = port.every(
          5,
          () => {
            runs += 1
            throw failure
          },
          (error) => errors.push(error),
        )
        for (let looks = 0; runs < 2 && looks < LOOKS_MAX; looks++) await harness.elapse(50)
        await repeating.stop()
        expect(runs).toBeGreaterThanOrEqual(2)
        expect(errors).toEqual(Array.from({ length: runs }, () => failure))
      })

      define('C3 stop waits for the task that runs, and none comes after it', async ({ port, harness }) => {
        let release = (): void => undefined
        let runs = 0
        const repeating = port.every(
          5,
          () => {
            runs += 1
            return new Promise<void>((resolve) => (release = resolve))
          },
          (error) => {
            throw error
          },
        )
        await harness.elapse(50)
        await until(() => runs === 1)
        const stopping = repeating.stop()
        expect(await settled(stopping)).toBe(false)
        release()
        await stopping
        await harness.elapse(50)
        expect(runs).toBe(1)
      })

      define('C4 monotonicMs never goes back', async ({ port, harness }) => {
        const readings: number[] = []
        for (let round = 0; round < 5; round++) {
          for (let index = 0; index < 100; index++) readings.push(port.monotonicMs())
          await harness.elapse(2)
        }
        expect(readings).toEqual([...readings].sort((a, b) => a - b))
        expect(readings.at(-1)! - readings[0]!).toBeGreaterThanOrEqual(5)
      })
    },
  )
