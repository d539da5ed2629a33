import { describe, expect, test } from '@jest/globals'
import { createTrace } from '../../src/world/trace.ts'
import { createWorld } from '../../src/world/world.ts'

const UNLIMITED = { durationMsMax: Infinity, eventsMax: Infinity } as const
const never = (): boolean => false

describe('the simulated world', () => {
  test('events happen in the order of their moments, and of scheduling within one', async () => {
    const world = createWorld(1)
    const seen: string[] = []
    const delays = [5, 0, 3, 5, 0, 1, 3, 900, 2]
    delays.forEach((delayMs, index) => world.schedule(delayMs, 'event', () => seen.push(`${world.nowMs()} ${index}`)))
    expect(await world.run(never, UNLIMITED)).toBe('nothing-scheduled')
    expect(seen).toEqual(['0 1', '0 4', '1 5', '2 8', '3 2', '3 6', '5 0', '5 3', '900 7'])
  })

  test('thousands of events, scheduled and cancelled in any order, happen in order', async () => {
    const world = createWorld(7)
    const random = world.chance('test')
    const seen: number[] = []
    const wanted: number[] = []
    for (let index = 0; index < 5_000; index++) {
      const delayMs = random.below(1_000)
      const scheduled = world.schedule(delayMs, 'event', () => seen.push(delayMs))
      if (random.chance(70)) scheduled.cancel()
      else wanted.push(delayMs)
    }
    await world.run(never, UNLIMITED)
    expect(seen).toEqual(wanted.sort((a, b) => a - b))
  })

  test('every promise that an event settles runs to its end before the next event of the same moment', async () => {
    const world = createWorld(1)
    const seen: string[] = []
    const chain = async (name: string): Promise<void> => {
      for (let link = 0; link < 200; link++) await Promise.resolve()
      seen.push(`${name} ended`)
    }
    for (const name of ['a', 'b']) {
      world.schedule(0, name, () => {
        seen.push(name)
        void chain(name)
      })
    }
    await world.run(never, UNLIMITED)
    expect(seen).toEqual(['a', 'a ended', 'b', 'b ended'])
  })

  test('a run ends when it is done, at its limits, and says why; time goes on to the end of its duration', async () => {
    const world = createWorld(1)
    let count = 0
    const again = (): void => {
      count += 1
      world.schedule(10, 'again', again)
    }
    world.schedule(10, 'again', again)
    expect(await world.run(() => count === 3, UNLIMITED)).toBe('done')
    expect(await world.run(never, { durationMsMax: 25, eventsMax: 100 })).toBe('duration')
    expect([count, world.nowMs()]).toEqual([5, 55])
    expect(await world.run(never, { durationMsMax: 1_000, eventsMax: 4 })).toBe('events')
    expect([count, world.events]).toEqual([9, 9])
  })

  test('what an event throws ends the run', async () => {
    const world = createWorld(1)
    world.schedule(1, 'fails', () => {
      throw new Error('a bug')
    })
    await expect(world.run(never, UNLIMITED)).rejects.toThrow('a bug')
    expect(await world.run(never, UNLIMITED)).toBe('nothing-scheduled')
  })

  test('a stream of chance is its own: what others draw does not move it, and another seed gives another', () => {
    const draws = (seed: number, disturbed: boolean): number[] => {
      const world = createWorld(seed)
      if (disturbed) world.chance('other').bytes(100)
      return Array.from({ length: 20 }, () => world.chance('mine').below(1_000_000))
    }
    expect(draws(1, true)).toEqual(draws(1, false))
    expect(draws(2, false)).not.toEqual(draws(1, false))
    const world = createWorld(1)
    expect(world.chance('a').bytes(16)).not.toEqual(world.chance('b').bytes(16))
  })
})

describe('the trace', () => {
  test('its hash depends on every line and on nothing else', () => {
    const hashOf = (lines: readonly string[]): string => {
      const trace = createTrace()
      for (const line of lines) trace.note(line)
      return trace.hash()
    }
    const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index}`)
    expect(hashOf(lines)).toMatch(/^[0-9a-f]{16}$/u)
    expect(hashOf(lines)).toBe(hashOf(lines))
    expect(hashOf(lines.with(4_321, 'another'))).not.toBe(hashOf(lines))
    expect(hashOf(['ab', 'c'])).not.toBe(hashOf(['a', 'bc']))
    const asked = createTrace()
    for (const line of lines) {
      asked.note(line)
      asked.hash()
    }
    expect([asked.hash(), asked.lines]).toEqual([hashOf(lines), 5_000])
  })
})
