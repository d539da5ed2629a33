import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { createWorkQueue, createWorkQueueMetrics } from '../../src/runtime/work-queue.ts'
import { valueOf } from './support.ts'

const setUp = () => {
  const clock = createManualClock(0)
  const metrics = createMetrics()
  return { clock, metrics, queue: createWorkQueue('q', clock, createWorkQueueMetrics(metrics)) }
}

const KEYS = ['a', 'b', 'c'] as const
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key: fc.constantFrom(...KEYS) }),
  fc.record({ do: fc.constant('after' as const), key: fc.constantFrom(...KEYS), ms: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ do: fc.constant('retry' as const), key: fc.constantFrom(...KEYS) }),
  fc.record({ do: fc.constant('finish' as const), at: fc.nat(5) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 60 }) }),
)

describe('The work queue', () => {
  test('loses no add, and gives no key to two workers, whatever is added, taken and awaited in whatever order.', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, queue } = setUp()
        const working: string[] = []
        /** Key → adds that no take has answered yet. */
        const owed = new Set<string>()
        const worker = async (): Promise<void> => {
          for (;;) {
            const key = await queue.take()
            if (key === null) return
            expect(working).not.toContain(key)
            working.push(key)
            owed.delete(key)
            await finished(key)
          }
        }
        const finishers = new Map<string, () => void>()
        const finished = (key: string): Promise<void> =>
          new Promise((resolve) =>
            finishers.set(key, () => {
              finishers.delete(key)
              working.splice(working.indexOf(key), 1)
              queue.done(key)
              resolve()
            }),
          )
        const workers = [worker(), worker()]
        for (const each of steps) {
          if (each.do === 'finish') finishers.get(working[each.at] ?? '')?.()
          if (each.do === 'wait') await clock.advance(each.ms)
          if (each.do === 'add') {
            owed.add(each.key)
            queue.add(each.key)
          }
          if (each.do === 'after') {
            owed.add(each.key)
            queue.addAfter(each.key, each.ms)
          }
          if (each.do === 'retry') {
            owed.add(each.key)
            queue.addRateLimited(each.key)
          }
        }
        for (let round = 0; round < 10; round++) {
          await clock.advance(1_000_000)
          for (const finish of finishers.values()) finish()
        }
        expect([...owed]).toEqual([])
        expect(queue.length).toBe(0)
        await queue.close()
        await Promise.all(workers)
      }),
      { numRuns: 100 },
    )
  })

  test('adds a key that was asked for later at the earliest of its moments, once.', async () => {
    const { clock, queue } = setUp()
    queue.addAfter('a', 100)
    queue.addAfter('a', 20)
    queue.addAfter('a', 60)
    await clock.advance(19)
    expect(queue.length).toBe(0)
    await clock.advance(1)
    expect(await queue.take()).toBe('a')
    queue.done('a')
    await clock.advance(1_000)
    expect(queue.length).toBe(0)
  })

  test('doubles the pause of a key from 5 ms to 30 s with each failure, and begins anew after forget.', async () => {
    const { clock, queue } = setUp()
    const pauseMs = async (): Promise<number> => {
      const startMs = clock.monotonicMs()
      let atMs = -1
      queue.addRateLimited('a')
      void queue.take().then(() => (atMs = clock.monotonicMs()))
      await clock.advance(1_000_000)
      queue.done('a')
      return atMs - startMs
    }
    const pauses: number[] = []
    for (let count = 0; count < 20; count++) pauses.push(await pauseMs())
    expect(pauses.slice(0, 5)).toEqual([5, 10, 20, 40, 80])
    expect(pauses.slice(12, 15)).toEqual([20_480, 30_000, 30_000])
    queue.forget('a')
    expect(await pauseMs()).toBe(5)
  })

  test('lets 100 failures of different keys through at once and then 10 a second.', async () => {
    const { clock, queue } = setUp()
    for (let count = 0; count < 120; count++) queue.addRateLimited(`key ${count}`)
    await clock.advance(5)
    expect(queue.length).toBe(100)
    await clock.advance(995)
    expect(queue.length).toBe(110)
    await clock.advance(1_000)
    expect(queue.length).toBe(120)
  })

  test('gives out nothing once closed, and its close waits for what was taken.', async () => {
    const { metrics, queue } = setUp()
    queue.add('a')
    queue.add('b')
    expect(await queue.take()).toBe('a')
    let isClosed = false
    const closing = queue.close().then(() => (isClosed = true))
    expect(await queue.take()).toBeNull()
    queue.add('c')
    expect(isClosed).toBe(false)
    queue.done('a')
    await closing
    expect(await queue.take()).toBeNull()
    expect(await valueOf(metrics, 'workqueue_depth{name="q"}')).toBe(0)
    expect(await valueOf(metrics, 'workqueue_adds_total{name="q"}')).toBe(2)
  })
})
