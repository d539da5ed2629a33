import { describe, expect, test } from '@jest/globals'
import {
  createLane,
  MISSING_PAUSE_MS,
  PACKS_UNCONFIRMED_MAX,
  RETURNS_MAX,
  type Lane,
  type PackingLimits,
} from '../../src/adapters/rabbitmq/bus-lane.ts'
import type { Pack, Settlement } from '../../src/adapters/rabbitmq/bus-pack.ts'
import { decodeMessages } from '../../src/adapters/rabbitmq/pack-codec.ts'
import { partitionNumber } from '../../src/kernel/partition.ts'

const HERE = partitionNumber('ledger', 0)

/** A lane whose broker is the test; the queue stands from the first pump on. */
const createWorld = (limits?: PackingLimits) => {
  const published: Pack[] = []
  const heard: string[] = []
  const state = { isReachable: true, published: 0, declares: 0, nowMs: 0, waiting: 0, bytes: 0, declareFails: false }
  const lane: Lane = createLane({
    partition: HERE,
    limits,
    publish: (_, pack) => {
      if (!state.isReachable) return false
      pack.number = state.published += 1
      published.push(pack)
      return true
    },
    nowMs: () => state.nowMs,
    isReachable: () => state.isReachable,
    declare: async () => {
      state.declares += 1
      if (state.declareFails) throw new Error('another queue has this name')
    },
    onDeclareFailed: () => undefined,
    onLeft: (messages, bytes) => {
      state.waiting -= messages
      state.bytes -= bytes
    },
    onRefused: () => undefined,
    onExpired: () => undefined,
  })
  const settlementOf = (name: string): Settlement => ({
    done: () => void heard.push(`${name} done`),
    failed: (error) => void heard.push(`${name} ${'kind' in error ? String(error.kind) : 'failed'}`),
    expired: (wasPublished) => void heard.push(`${name} expired ${wasPublished ? 'published' : 'unpublished'}`),
    published: () => undefined,
  })
  const add = (name: string, dueAtMs = Infinity): void => {
    state.waiting += 1
    state.bytes += lane.add({ type: 'command', body: Buffer.from(name) }, 0, settlementOf(name), dueAtMs)
  }
  const namesOf = (pack: Pack): string[] =>
    decodeMessages(pack.seal(0)).parts.map(({ message }) => Buffer.from(message.body).toString())
  /** Declares the queue. */
  const begin = async (): Promise<void> => {
    add('first')
    lane.pump()
    await Promise.resolve()
    lane.settled(published.pop()!, 'confirmed')
    heard.length = 0
  }
  return { lane, state, published, heard, add, namesOf, begin, settle: () => new Promise((done) => setImmediate(done)) }
}

describe('a lane of the bus on RabbitMQ', () => {
  test('packs and publishes no more at a time than its limits say', async () => {
    const { lane, published, begin, add, namesOf } = createWorld({ packCountMax: 1, packsUnconfirmedMax: 2 })
    await begin()
    for (const name of ['a', 'b', 'c']) add(name)
    lane.pump()
    expect(published.map(namesOf)).toEqual([['a'], ['b']])
    lane.settled(published[0]!, 'confirmed')
    expect(published.map(namesOf)).toEqual([['a'], ['b'], ['c']])
  })

  test('declares its queue before the first message', async () => {
    const { lane, state, published, add, settle } = createWorld()
    add('one')
    lane.pump()
    expect([state.declares, published.length]).toEqual([1, 0])
    await settle()
    expect([state.declares, published.length]).toEqual([1, 1])
  })

  test('sends a lone message alone, those of one turn together, and gathers while enough is on its way', async () => {
    const { lane, published, add, namesOf, begin, state } = createWorld()
    await begin()
    add('a')
    lane.pump()
    add('b')
    add('c')
    lane.pump()
    while (published.length < PACKS_UNCONFIRMED_MAX) {
      add('filler')
      lane.pump()
    }
    for (const name of ['d', 'e', 'f']) {
      add(name)
      lane.pump()
    }
    expect(published).toHaveLength(PACKS_UNCONFIRMED_MAX)
    expect(published.slice(0, 2).map(namesOf)).toEqual([['a'], ['b', 'c']])
    lane.settled(published[0]!, 'confirmed')
    expect(namesOf(published.at(-1)!)).toEqual(['d', 'e', 'f'])
    for (const pack of published.slice(1)) lane.settled(pack, 'confirmed')
    expect([state.waiting, state.bytes, lane.isIdle()]).toEqual([0, 0, true])
  })

  test('tells a refusal from a loss', async () => {
    const { lane, published, add, begin, heard, state } = createWorld()
    await begin()
    add('a')
    lane.pump()
    add('b')
    lane.pump()
    lane.settled(published[0]!, 'refused')
    lane.settled(published[1]!, 'lost', new Error('gone'))
    expect(heard).toEqual(['a full', 'b unknown'])
    expect([state.waiting, state.bytes]).toEqual([0, 0])
  })

  test('publishes returned packs again, in order and before all others, once the queue is declared anew', async () => {
    const { lane, published, add, namesOf, begin, heard, state, settle } = createWorld()
    await begin()
    for (const name of ['a', 'b']) {
      add(name)
      lane.pump()
    }
    const [a, b] = published.splice(0)
    add('c')
    for (const pack of [a!, b!]) lane.returned(pack)
    lane.settled(a!, 'confirmed')
    lane.settled(b!, 'confirmed')
    await settle()
    // Its consumer hears of the queue's end first.
    expect([state.declares, published]).toEqual([1, []])
    state.nowMs += MISSING_PAUSE_MS
    lane.expire(state.nowMs)
    await settle()
    expect(state.declares).toBe(2)
    expect(published.map(namesOf)).toEqual([['a'], ['b'], ['c']])
    for (const pack of published) lane.settled(pack, 'confirmed')
    expect(heard).toEqual(['a done', 'b done', 'c done'])
    expect([state.waiting, state.bytes]).toEqual([0, 0])
  })

  test('does not put a returned pack behind a later one that got through', async () => {
    const { lane, published, add, begin, heard, settle } = createWorld()
    await begin()
    for (const name of ['a', 'b']) {
      add(name)
      lane.pump()
    }
    const [a, b] = published.splice(0)
    lane.returned(a!)
    lane.settled(a!, 'confirmed')
    lane.settled(b!, 'confirmed')
    await settle()
    expect(heard).toEqual(['b done', 'a unavailable'])
    expect(published).toEqual([])
  })

  test('gives a pack up that is returned again and again', async () => {
    const { lane, published, add, begin, heard, state, settle } = createWorld()
    await begin()
    add('a')
    lane.pump()
    for (let count = 0; count <= RETURNS_MAX; count++) {
      const pack = published.pop()!
      lane.returned(pack)
      lane.settled(pack, 'confirmed')
      state.nowMs += MISSING_PAUSE_MS
      lane.expire(state.nowMs)
      await settle()
    }
    expect(heard).toEqual(['a unavailable'])
  })

  test('takes what nobody waits for any more out of what is not published', async () => {
    const { lane, published, add, namesOf, begin, heard, state } = createWorld()
    await begin()
    state.isReachable = false
    add('short', 10)
    add('long', 1_000)
    add('short too', 10)
    lane.pump()
    lane.expire(10)
    expect(heard).toEqual(['short expired unpublished', 'short too expired unpublished'])
    state.isReachable = true
    lane.pump()
    expect(published.map(namesOf)).toEqual([['long']])
    lane.expire(1_000)
    lane.settled(published[0]!, 'confirmed')
    expect(heard.slice(2)).toEqual(['long expired published'])
    expect([state.waiting, state.bytes]).toEqual([0, 0])
  })

  test('tries a failed declaration again after a pause', async () => {
    const { lane, state, published, add, settle } = createWorld()
    state.declareFails = true
    add('one')
    lane.pump()
    await settle()
    lane.pump()
    expect(state.declares).toBe(1)
    state.declareFails = false
    state.nowMs = 10_000
    lane.expire(state.nowMs)
    await settle()
    expect([state.declares, published.length]).toEqual([2, 1])
  })
})
