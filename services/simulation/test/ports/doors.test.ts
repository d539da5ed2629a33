import { hash } from 'node:crypto'
import v8 from 'node:v8'
import vm from 'node:vm'
import { describe, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { otherModel, sampleModel } from '@bourse/common/testkit/contracts/views.contract.ts'
import type { Door } from '../../src/ports/ground.ts'
import { openTestGround } from './test-ground.ts'

const HERE = partitionNumber('ledger', 0)
const models = [sampleModel, otherModel]
const body = Uint8Array.of(1, 2, 3)
const record = (sequence: bigint) => ({ sequence, hash: hash('sha256', body, 'buffer'), body })

/** Calls everything a door offers; `hear` gets a word from whatever comes back. */
const callEverything = (door: Door, hear: (what: string) => void): void => {
  const listen = (what: string, task: Promise<unknown>): void => {
    const answer = (): void => hear(what)
    task.then(answer, answer)
  }
  listen('sleep', door.clock.sleep(10))
  door.clock.every(10, () => hear('every'), hear as (error: unknown) => void)
  listen('send', door.bus.send(HERE, { type: 'command', body }))
  listen('request', door.bus.request(HERE, { type: 'command', body, deadlineMs: 50 }))
  listen(
    'consume',
    door.bus.consume(HERE, () => hear('delivery'), { inFlightMax: 10 }),
  )
  listen('append', door.journal.append(HERE, record(1n)))
  listen('head', door.journal.head(HERE))
  listen('stream', door.journal.readFrom(HERE, 1n)[Symbol.asyncIterator]().next())
  listen('snapshot', door.snapshots.write(HERE, 1n, body))
  listen('list', door.snapshots.list(HERE))
  door.events.subscribe(HERE, 1n, async () => hear('event'))
  listen('project', door.views.project('p', HERE, 1n, []))
  listen('get', door.views.get(otherModel, 'x'))
  listen('fetch', door.fetch('http://outside/'))
}

describe('a door', () => {
  test('killed, nothing comes back through it, whether it was asked before or after', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      for (const killedAfterMs of [0, 1, 2, 3, 5, 9]) {
        const { world, ground, pass } = openTestGround({ seed, models })
        ground.listen('outside', () => ({ answer: { status: 200, text: '{}' }, delayMs: 1 }))
        const door = ground.open('door')
        const other = ground.open('other')
        const heard: string[] = []
        let isDead = false
        callEverything(door, (what) => {
          if (isDead) heard.push(what)
        })
        await pass(killedAfterMs)
        isDead = true
        door.kill()
        callEverything(door, (what) => heard.push(what))
        void other.bus.send(HERE, { type: 'command', body })
        other.events.publish({ partition: HERE, sequence: 1n, body })
        await pass(60_000)
        expect(heard).toEqual([])
        expect(world.trace.lines).toBeGreaterThan(5)
      }
    }
  })

  test('paused, everything waits; resumed, it comes in order, and nothing is left out', async () => {
    const { ground, pass } = openTestGround({ models })
    ground.listen('outside', () => ({ answer: { status: 200, text: '{}' }, delayMs: 1 }))
    const door = ground.open('door')
    const heard = new Set<string>()
    const order: number[] = []
    callEverything(door, (what) => heard.add(what))
    for (const delayMs of [30, 10, 20, 10]) void door.clock.sleep(delayMs).then(() => order.push(delayMs))
    door.pause()
    await pass(10_000)
    expect([...heard]).toEqual([])
    door.resume()
    await pass(200)
    expect(order).toEqual([10, 10, 20, 30])
    const wanted = 'sleep every send request consume append head stream snapshot list event project get fetch'
    for (const what of wanted.split(' ')) expect([what, heard.has(what)]).toEqual([what, true])
  })

  test('resumed, nothing new overtakes what waited', async () => {
    const opened = openTestGround()
    const { world, ground, pass } = opened
    const door = ground.open('door')
    const order: string[] = []
    void door.bus.consume(HERE, ({ message }) => void order.push(String(message.body[0])), { inFlightMax: 10 })
    await pass(50)
    door.pause()
    const sender = ground.open('sender')
    for (const text of [1, 2, 3]) void sender.bus.send(HERE, { type: 'command', body: Uint8Array.of(text) })
    await pass(100)
    void door.clock.sleep(0).then(() => order.push('asked before'))
    world.schedule(20, 'resume', () => door.resume())
    world.schedule(20, 'wake', () => void door.clock.sleep(0).then(() => order.push('asked after')))
    await pass(100)
    expect(order).toEqual(['1', '2', '3', 'asked before', 'asked after'])
  })

  test('its wall clock jumps either way, its monotonic time and its timers do not', async () => {
    const { ground, pass } = openTestGround()
    const [door, other] = [ground.open('door'), ground.open('other')]
    await pass(100)
    door.jumpClock(-60_000)
    expect(door.clock.nowMs() - other.clock.nowMs()).toBe(-60_000)
    expect(door.clock.monotonicMs()).toBe(100)
    let woken = false
    void door.clock.sleep(10).then(() => (woken = true))
    door.jumpClock(120_000)
    await pass(9)
    expect(woken).toBe(false)
    await pass(1)
    expect(woken).toBe(true)
  })

  test('repeating tasks come rarely while nothing happens, and at their pace again when something does', async () => {
    const { ground, pass } = openTestGround({ idleIntervalMsMax: 2_000 })
    const door = ground.open('door')
    let runs = 0
    const repeating = door.clock.every(
      100,
      () => void (runs += 1),
      (error) => {
        throw error
      },
    )
    await pass(100_000)
    expect(runs).toBeGreaterThan(45)
    expect(runs).toBeLessThan(70)
    const afterSend = async (name: string, durationMs: number): Promise<number> => {
      const before = runs
      void (name === 'door' ? door : ground.open(name)).bus.send(HERE, { type: 'command', body })
      await pass(durationMs)
      return runs - before
    }
    expect(await afterSend('door', 150)).toBe(1)
    await pass(20_000)
    // What happens to others is nothing to it.
    expect(await afterSend('other', 1_900)).toBeLessThan(2)
    void repeating.stop()
    expect(await afterSend('door', 10_000)).toBe(0)
  })

  test('a world that nobody holds any more is collected, with all that its processes held', async () => {
    v8.setFlagsFromString('--expose-gc')
    const collect = vm.runInNewContext('gc') as () => void
    const liveWorld = async (): Promise<WeakRef<Uint8Array>> => {
      const { ground, pass } = openTestGround({ models })
      const door = ground.open('door')
      const memory = new Uint8Array(1_000_000)
      callEverything(door, () => void memory.fill(1))
      await pass(20)
      door.kill()
      return new WeakRef(memory)
    }
    const memory = await liveWorld()
    // A few turns: what the last one held on its stack is let go in the next.
    for (let turn = 0; turn < 200 && memory.deref() !== undefined; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      collect()
    }
    expect(memory.deref()).toBeUndefined()
  })
})

describe('streams between doors', () => {
  test('what is published reaches a subscriber in another process long before it looks into the journal', async () => {
    const { ground, pass, settle } = openTestGround()
    const [writer, reader] = [ground.open('writer'), ground.open('reader')]
    const seen: bigint[] = []
    reader.events.subscribe(HERE, 1n, async ({ sequence }) => void seen.push(sequence))
    await pass(50)
    await settle(writer.journal.append(HERE, record(1n)))
    writer.events.publish({ partition: HERE, sequence: 1n, body })
    await pass(30)
    expect(seen).toEqual([1n])
  })

  test('a subscriber in another process gets every record in order, although events are lost and come twice', async () => {
    for (const seed of [1, 2, 3]) {
      const percents = { 'event-lost': 30, 'event-twice': 30, 'messages-reordered': 50 }
      const { ground, pass, settle, faults } = openTestGround({ seed, percents })
      const [writer, reader] = [ground.open('writer'), ground.open('reader')]
      const seen: bigint[] = []
      reader.events.subscribe(HERE, 1n, async ({ sequence }) => void seen.push(sequence))
      for (let sequence = 1n; sequence <= 50n; sequence++) {
        await settle(writer.journal.append(HERE, record(sequence)))
        writer.events.publish({ partition: HERE, sequence, body })
      }
      await pass(2_000)
      expect([...new Set(seen)]).toEqual(Array.from({ length: 50 }, (_, index) => BigInt(index + 1)))
      expect(faults.counts()['event-lost']).toBeGreaterThan(5)
    }
  })
})

describe('simulated views', () => {
  test('a projection that goes unheard is done, in part or not at all, and its cursor is never ahead', async () => {
    const ends = new Set<string>()
    for (let seed = 1; seed <= 30; seed++) {
      const { ground, settle } = openTestGround({ seed, models, percents: { 'view-unheard': 100 } })
      const writes = ['a', 'b', 'c'].map(
        (id) => ({ kind: 'merge', model: otherModel, id, fields: { label: id } }) as const,
      )
      const projected = ground.open('views').views.project('p', HERE, 1n, writes)
      expect(await settle(projected.catch((error: Error) => error))).toMatchObject({ kind: 'unknown' })
      const { views } = ground.disks
      const query = { filter: {}, sortBy: '_id', direction: 'ascending', limit: 10 } as const
      const there = (await views.find(otherModel, query)).length
      const cursor = await views.cursor('p', HERE)
      expect(cursor).toBe(there === 3 ? 1n : 0n)
      ends.add(`${there}`)
    }
    expect([...ends].sort()).toEqual(['0', '1', '2', '3'])
  })
})

describe('the network', () => {
  const open = (answer: { status: number; text: string } | null | 'cut', seed = 1) => {
    const opened = openTestGround({ seed })
    const calls: unknown[] = []
    opened.ground.listen('outside:80', () => ({ answer, delayMs: 0 }))
    opened.ground.listen('outside', (call) => {
      calls.push({ ...call, query: Object.fromEntries(call.query) })
      return { answer, delayMs: 5 }
    })
    return { ...opened, calls }
  }

  test('a call arrives as it was sent, and its answer comes back', async () => {
    const { ground, settle, calls } = open({ status: 201, text: '{"a":1}' })
    const door = ground.open('door')
    const asking = async (): Promise<unknown> => {
      const response = await door.fetch('http://outside/orders?id=7', {
        method: 'POST',
        headers: { 'X-Key': 'k' },
        body: '{"b":2}',
      })
      const chunks: Uint8Array[] = []
      for await (const chunk of response.body!) chunks.push(chunk)
      return [response.status, Buffer.concat(chunks).toString()]
    }
    expect(await settle(asking())).toEqual([201, '{"a":1}'])
    expect(calls).toEqual([
      { method: 'POST', path: '/orders', query: { id: '7' }, headers: { 'x-key': 'k' }, body: '{"b":2}' },
    ])
  })

  test('a connection that is cut, or to nobody, fails; one that hangs ends with its caller’s patience', async () => {
    const cut = open('cut')
    const failed = cut.ground
      .open('door')
      .fetch('http://outside/')
      .catch((error: Error) => error.message)
    expect(await cut.settle(failed)).toBe('fetch failed')
    expect(cut.calls).toHaveLength(1)
    const nobody = cut.ground
      .open('door')
      .fetch('http://nowhere/')
      .catch((error: Error) => error.message)
    expect(await cut.settle(nobody)).toBe('fetch failed')
    const hanging = open(null)
    const door = hanging.ground.open('door')
    const patience = new AbortController()
    const given = new Error('enough')
    void door.clock.sleep(500).then(() => patience.abort(given))
    const asked = door.fetch('http://outside/', { signal: patience.signal }).catch((error: Error) => error)
    expect(await hanging.settle(asked)).toBe(given)
    expect(hanging.calls).toHaveLength(1)
  })

  test('a call of a process that was killed is executed all the same', async () => {
    const { ground, pass, calls } = open({ status: 200, text: '{}' })
    const door = ground.open('door')
    void door.fetch('http://outside/')
    door.kill()
    await pass(1_000)
    expect(calls).toHaveLength(1)
  })
})
