import { expect } from '@jest/globals'
import type { RateLimits } from '../../ports/rate-limits.ts'
import { withRateLimitFaults } from '../faults/ports.ts'
import { testUnless } from '../skip.ts'
import { describeContract, type Opened, type Subject } from './scenario.ts'

/** Rate limits for the suite, with time in the suite's hands. */
export interface RateLimitsHarness extends Opened<RateLimits> {
  /** Keys it keeps; null when its store is bounded elsewhere. */
  readonly keysMax: number | null
  elapse(deltaMs: number): Promise<void>
}

/** What the suite runs on. */
export interface RateLimitsSubject extends Subject<RateLimitsHarness> {
  /** A limiter whose store is gone, and how often it let pass for that; left out when it has no store. */
  openBroken?(): Promise<Opened<RateLimits> & { letPass(): number }>
}

const LIMIT = { perSecond: 10, burst: 5 }

/** Takes `count` tokens at one moment and gives how many passed. */
const passed = async (port: RateLimits, key: string, count: number): Promise<number> => {
  let passes = 0
  for (let index = 0; index < count; index++) if ((await port.take(key, LIMIT)).allowed) passes += 1
  return passes
}

/** The RateLimits contract. Under `forgets` more may pass than the limit, never less. */
export const rateLimitsContract = (subject: RateLimitsSubject): void => {
  describeContract(subject, withRateLimitFaults, (define) => {
    define(
      'L1 at one moment a burst passes, then so many each second',
      async ({ port, harness }) => {
        expect(await passed(port, 'k', 20)).toBe(5)
        await harness.elapse(100)
        expect(await passed(port, 'k', 20)).toBe(1)
        await harness.elapse(300)
        expect(await passed(port, 'k', 20)).toBe(3)
        await harness.elapse(60_000)
        expect(await passed(port, 'k', 20)).toBe(5)
      },
      ['forgets'],
    )

    define('L1 never fewer than the limit pass', async ({ port, harness }) => {
      expect(await passed(port, 'k', 20)).toBeGreaterThanOrEqual(5)
      await harness.elapse(500)
      expect(await passed(port, 'k', 20)).toBeGreaterThanOrEqual(5)
    })

    define(
      'L1 limits below one a second hold',
      async ({ port, harness }) => {
        const slow = { perSecond: 0.5, burst: 1 }
        expect((await port.take('k', slow)).allowed).toBe(true)
        await harness.elapse(1_999)
        expect((await port.take('k', slow)).allowed).toBe(false)
        await harness.elapse(1)
        expect((await port.take('k', slow)).allowed).toBe(true)
      },
      ['forgets'],
    )

    define(
      'L2 a refused request takes no token',
      async ({ port, harness }) => {
        await passed(port, 'k', 5)
        expect(await passed(port, 'k', 1_000)).toBe(0)
        await harness.elapse(100)
        expect((await port.take('k', LIMIT)).allowed).toBe(true)
      },
      ['forgets'],
    )

    define(
      'L3 keys do not see one another',
      async ({ port }) => {
        expect(await passed(port, 'a', 10)).toBe(5)
        expect(await passed(port, 'b', 10)).toBe(5)
      },
      ['forgets'],
    )

    define(
      'L3 the number of keys is bounded; the least recently used is forgotten',
      async ({ port, harness }) => {
        if (harness.keysMax === null) return
        await passed(port, 'first', 5)
        await passed(port, 'second', 5)
        for (let index = 0; index < harness.keysMax - 2; index++) await port.take(`filler ${index}`, LIMIT)
        expect((await port.take('first', LIMIT)).allowed).toBe(false)
        await port.take('one more', LIMIT)
        expect((await port.take('first', LIMIT)).allowed).toBe(false)
        expect((await port.take('second', LIMIT)).allowed).toBe(true)
      },
      ['forgets'],
    )

    define(
      'L4 a refusal says when one token is back, and it is',
      async ({ port, harness }) => {
        await passed(port, 'k', 5)
        await harness.elapse(30)
        const { allowed, retryAfterMs } = await port.take('k', LIMIT)
        expect([allowed, retryAfterMs]).toEqual([false, 70])
        await harness.elapse(69)
        expect((await port.take('k', LIMIT)).allowed).toBe(false)
        await harness.elapse(1)
        expect(await port.take('k', LIMIT)).toEqual({ allowed: true, retryAfterMs: 0 })
      },
      ['forgets'],
    )
  })
  if (subject.faults !== undefined && subject.faults.length > 0) return
  const { openBroken } = subject
  const reason = openBroken === undefined ? `${subject.name} has no store that could break` : undefined
  testUnless(reason, 'L5 a broken limiter lets pass and counts it', async () => {
    const broken = await openBroken!()
    expect(await passed(broken.port, 'k', 10)).toBe(10)
    expect(broken.letPass()).toBe(10)
    await broken.destroy()
  })
}
