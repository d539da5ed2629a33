import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { commandWrites } from '../../src/views/commands.ts'
import { commandModel } from '../../src/views/models.ts'
import type { Projector } from '../../src/views/projector.ts'
import type { Views } from '../../src/ports/views.ts'
import { client, HERE, openViewWorld, THERE, type ViewWorld } from './support.ts'

/** How long the views may take, ms: no stall of the machine is as long. */
const IN_TIME_MS = 60_000

describe('the projector', () => {
  let world: ViewWorld
  let projectors: Projector[] = []
  const start = async (options: Parameters<ViewWorld['project']>[0] = {}): Promise<Projector> => {
    const projector = await world.project(options)
    projectors.push(projector)
    return projector
  }
  const commands = async () =>
    world.views.find(commandModel, { filter: {}, sortBy: '_id', direction: 'ascending', limit: 100 })
  beforeEach(async () => {
    world = await openViewWorld()
  })
  afterEach(async () => {
    for (const projector of projectors) await projector.stop()
    projectors = []
    await world.close()
  })

  test('folds each record once and in order, and says how far it is', async () => {
    const projector = await start()
    const heard: bigint[] = []
    projector.onProjected((record, writes) => {
      expect(writes).toHaveLength(1)
      heard.push(record.sequence)
    })
    for (let byte = 1; byte <= 5; byte++) await world.write([client(byte)])
    expect(await projector.waitFor(HERE, 5n, IN_TIME_MS)).toBe(true)
    expect(heard).toEqual([1n, 2n, 3n, 4n, 5n])
    expect([projector.projectedThrough(HERE), projector.projectedThrough(THERE)]).toEqual([5n, 0n])
    expect([projector.projectedAtMs(HERE), projector.projectedAtMs(THERE)]).toEqual([1_005, 0])
    expect(await commands()).toHaveLength(5)
  })

  test('a later start goes on behind its cursor and folds nothing twice', async () => {
    const first = await start()
    await world.write([client(1)])
    await world.write([client(2)])
    await first.waitFor(HERE, 2n, IN_TIME_MS)
    await first.stop()
    await world.write([client(3)])
    const folded: bigint[] = []
    const second = await start({
      fold: (record) => {
        folded.push(record.sequence)
        return commandWrites(record, () => true)
      },
    })
    expect(second.projectedThrough(HERE)).toBe(2n)
    expect(await second.waitFor(HERE, 3n, IN_TIME_MS)).toBe(true)
    expect(folded).toEqual([3n])
    expect(await commands()).toHaveLength(3)
  })

  test('a projection that failed is done again, and one that was done unheard leaves the same documents', async () => {
    let failures = 0
    const flaky: Views = {
      ...world.views,
      project: async (...call) => {
        failures += 1
        if (failures === 2 || failures === 5) await world.views.project(...call)
        if (failures % 3 !== 0) throw new Error('the views are away')
        await world.views.project(...call)
      },
    }
    const projector = await start({ views: flaky })
    const heard: bigint[] = []
    projector.onProjected((record) => void heard.push(record.sequence))
    await world.write([client(1)])
    await world.write([client(2)])
    expect(await projector.waitFor(HERE, 2n, IN_TIME_MS)).toBe(true)
    expect(failures).toBe(6)
    expect(heard).toEqual([1n, 2n])
    expect((await commands()).map((view) => view.sequence)).toEqual([1n, 2n])
  })

  test('partitions go their own ways: one that cannot be folded holds up no other', async () => {
    const projector = await start({
      fold: (record) => {
        if (record.partition === THERE) throw new Error('not this one')
        return commandWrites(record, () => true)
      },
    })
    await world.write([client(1)], THERE)
    await world.write([client(2)])
    expect(await projector.waitFor(HERE, 1n, IN_TIME_MS)).toBe(true)
    expect(await projector.waitFor(THERE, 1n, 20)).toBe(false)
    expect(projector.projectedThrough(THERE)).toBe(0n)
  })

  test('waiting ends true with the record asked for, no sooner, and false when it takes too long', async () => {
    const projector = await start()
    expect(await projector.waitFor(HERE, 0n, 0)).toBe(true)
    expect(await projector.waitFor(HERE, 1n, 10)).toBe(false)
    let answer: boolean | null = null
    const waiting = projector.waitFor(HERE, 2n, IN_TIME_MS).then((result) => (answer = result))
    await world.write([client(1)])
    await projector.waitFor(HERE, 1n, IN_TIME_MS)
    await world.clock.sleep(5)
    expect(answer).toBeNull()
    await world.write([client(2)])
    await waiting
    expect(answer).toBe(true)
    expect(await commands()).toHaveLength(2)
  })

  test('views that start from nothing come out equal', async () => {
    const first = await start()
    for (let byte = 1; byte <= 8; byte++) {
      // Every other record repeats an id: its first outcome must win in a rebuild too.
      await world.write([client(byte), client(Math.max(1, byte - 1), 33)], byte % 2 === 0 ? HERE : THERE)
    }
    await first.waitFor(HERE, 4n, IN_TIME_MS)
    await first.waitFor(THERE, 4n, IN_TIME_MS)
    await first.stop()
    await world.views.clear('test', [commandModel])
    expect(await commands()).toEqual([])
    const once = await start()
    await once.waitFor(HERE, 4n, IN_TIME_MS)
    await once.waitFor(THERE, 4n, IN_TIME_MS)
    await once.stop()
    const rebuilt = await commands()
    expect(rebuilt).toHaveLength(8)
    await world.views.clear('test', [commandModel])
    const again = await start()
    await again.waitFor(HERE, 4n, IN_TIME_MS)
    await again.waitFor(THERE, 4n, IN_TIME_MS)
    expect(await commands()).toEqual(rebuilt)
  })

  test('after a stop nothing more is projected', async () => {
    const projector = await start()
    await world.write([client(1)])
    await projector.waitFor(HERE, 1n, IN_TIME_MS)
    await projector.stop()
    await world.write([client(2)])
    expect(await projector.waitFor(HERE, 2n, 30)).toBe(false)
    expect(await commands()).toHaveLength(1)
  })
})
