import { describe, expect, test } from '@jest/globals'
import pino from 'pino'
import type { PartitionObserver, RecordedBatch } from '../../src/kernel/observer.ts'
import { add, forward, HERE, THERE, until, worldOfEachTest } from './harness.ts'
import { tallyCommand, tallyKinds } from './tally-machine.ts'

const { world, send, total } = worldOfEachTest()

const collector = (): PartitionObserver & { readonly batches: RecordedBatch[]; readonly settledSeconds: number[] } => {
  const batches: RecordedBatch[] = []
  const settledSeconds: number[] = []
  return {
    batches,
    settledSeconds,
    recorded: (batch) => void batches.push(batch),
    settled: (seconds) => void settledSeconds.push(seconds),
  }
}

describe('an observer of a partition', () => {
  test('sees each released record with the message of each input and rising times', async () => {
    const observer = collector()
    const runner = world.run(HERE, { observer })
    await runner.start()
    const beforeMs = world.clock.monotonicMs()
    await Promise.all(Array.from({ length: 50 }, (_, index) => send(add(1n, index + 1))))
    const afterMs = world.clock.monotonicMs()
    await runner.stop({ snapshot: false })
    expect(observer.batches.map(({ record }) => record.sequence)).toEqual(
      observer.batches.map((_, index) => BigInt(index + 1)),
    )
    expect(observer.batches.reduce((sum, { record }) => sum + record.inputs.length, 0)).toBe(50)
    for (const { record, messages, times } of observer.batches) {
      expect(messages.map((message) => message?.body)).toEqual(record.inputs)
      const { arrivedMs, takenMs, appliedMs, appendedMs, releasedMs } = times
      const inOrder = [beforeMs, arrivedMs!, takenMs, appliedMs, appendedMs, releasedMs, afterMs + 1]
      expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b))
      expect(appendedMs).toBeGreaterThan(appliedMs)
    }
  })

  test('sees no message and no arrival where the runner itself made the command', async () => {
    const observer = collector()
    const runner = world.run(HERE, { observer })
    await runner.start()
    await send(tallyCommand(tallyKinds.remindAt, [BigInt(world.clock.nowMs())]))
    await until(world.clock, () => observer.batches.some(({ messages }) => messages[0] === null))
    await runner.stop({ snapshot: false })
    const own = observer.batches.find(({ messages }) => messages[0] === null)!
    expect([own.messages, own.times.arrivedMs]).toEqual([[null], null])
  })

  test('hears once for each effect how long its receiver took to journal it', async () => {
    const observer = collector()
    const here = world.run(HERE, { observer })
    await here.start()
    const firstMs = world.clock.monotonicMs()
    await send(forward(3n))
    await world.clock.sleep(40)
    const there = world.run(THERE)
    await there.start()
    await until(world.clock, () => observer.settledSeconds.length === 1)
    const secondMs = world.clock.monotonicMs()
    await send(forward(4n))
    await until(world.clock, () => observer.settledSeconds.length === 2)
    const endMs = world.clock.monotonicMs()
    const [first, second] = observer.settledSeconds
    expect(first).toBeGreaterThanOrEqual(0.04)
    expect(first).toBeLessThan((secondMs - firstMs) / 1_000)
    expect(second).toBeGreaterThan(0)
    expect(second).toBeLessThan((endMs - secondMs) / 1_000)
    await here.stop({ snapshot: false })
    await there.stop({ snapshot: false })
  })

  test('hears nothing of effects that an earlier run released: nobody knows how long they took', async () => {
    const before = world.run(HERE)
    await before.start()
    await send(forward(3n))
    await before.stop({ snapshot: false })
    const observer = collector()
    const here = world.run(HERE, { observer })
    const there = world.run(THERE)
    await there.start()
    await here.start()
    await until(world.clock, () => here.status().unconfirmedEffects === 0)
    expect(observer.settledSeconds).toEqual([])
    await here.stop({ snapshot: false })
    await there.stop({ snapshot: false })
  })

  test('that throws is logged and changes nothing', async () => {
    const lines: string[] = []
    const logger = pino({ level: 'error' }, { write: (line) => void lines.push(line) })
    const broken = (): never => {
      throw new Error('the observer is broken')
    }
    const here = world.run(HERE, { observer: { recorded: broken, settled: broken }, logger })
    const there = world.run(THERE)
    await there.start()
    await here.start()
    await send(add(1n))
    await send(forward(2n))
    expect(await total()).toBe(1n)
    await until(world.clock, async () => (await total(THERE)) === 2n)
    await until(world.clock, () => lines.length >= 3)
    expect(lines.every((line) => line.includes('the observer is broken'))).toBe(true)
    await until(world.clock, () => here.status().unconfirmedEffects === 0)
    expect(here.status().state).toBe('serving')
    await here.stop({ snapshot: false })
    await there.stop({ snapshot: false })
  })
})
