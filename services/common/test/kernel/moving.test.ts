import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { createPartitionClient, type PartitionClient } from '../../src/kernel/client.ts'
import { FOLLOW_INTERVAL_MS } from '../../src/kernel/follower.ts'
import type { Runner } from '../../src/kernel/runner.ts'
import { PortError } from '../../src/ports/failure.ts'
import type { Journal, StoredRecord } from '../../src/ports/journal.ts'
import type { Snapshots } from '../../src/ports/snapshots.ts'
import { DEADLINE_MS, HERE, openWorld, removeWorld, THERE, until, type World } from './harness.ts'
import { tallyCommand, tallyKinds, tallyQuestion, totalIn } from './tally-machine.ts'

let world: World
const deadlineMs = DEADLINE_MS

beforeEach(async () => {
  world = await openWorld()
})
afterEach(async () => {
  await world.close()
  await removeWorld(world.folder)
})

const add = (amount: bigint, id = 0): Uint8Array => tallyCommand(tallyKinds.add, [amount], id)

const send = async (command: Uint8Array, client = world.client): Promise<bigint> => {
  const answer = await client.command(HERE, command, deadlineMs)
  if (!answer.ok) throw new Error(`${answer.refusal.code}: ${answer.refusal.message}`)
  return totalIn(answer.value.outcome)
}

const total = async (partition = HERE): Promise<bigint> => {
  const answer = await world.client.read(partition, tallyQuestion(), { deadlineMs })
  if (!answer.ok) throw new Error(answer.refusal.code)
  return totalIn(answer.value.outcome)
}

/** Clients that send `add 1` under an id each, again and again until it is answered; `finish` gives the totals answered. */
const load = (clientOf: (turn: number) => PartitionClient, atOnce = 16) => {
  const answered = new Map<number, bigint>()
  let ids = 0
  let isOver = false
  const client = async (): Promise<void> => {
    while (!isOver) {
      const id = ++ids
      for (let attempt = 0; !answered.has(id); attempt++) {
        const answer = await clientOf(id + attempt).command(HERE, add(1n, id), 300)
        if (answer.ok) answered.set(id, totalIn(answer.value.outcome))
      }
    }
  }
  const clients = Promise.all(Array.from({ length: atOnce }, client))
  return {
    answered,
    finish: async (): Promise<void> => {
      isOver = true
      await clients
    },
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const sorted = (values: Iterable<bigint>): bigint[] => [...values].sort((a, b) => (a < b ? -1 : 1))
const firsts = (count: number): bigint[] => upTo(count).map(BigInt)

const countedSnapshots = (): { snapshots: Snapshots; reads: () => number } => {
  let reads = 0
  const snapshots: Snapshots = {
    ...world.snapshots,
    read: (partition, sequence) => ((reads += 1), world.snapshots.read(partition, sequence)),
  }
  return { snapshots, reads: () => reads }
}

describe('a prepared runner', () => {
  test('follows the journal while another serves, and serves the followed state without a second restore', async () => {
    const old = world.run(HERE)
    await old.start()
    await send(add(1n, 1))
    await old.snapshotNow()
    await send(add(1n, 2))
    const { snapshots, reads } = countedSnapshots()
    const next = world.run(HERE, { snapshots })
    expect(await next.prepare()).toMatchObject({ snapshotSequence: 1n, replayed: 1, sequence: 2n })
    expect(next.status()).toMatchObject({ state: 'prepared', sequence: 2n })
    await send(add(1n, 3))
    await until(world.clock, () => next.status().sequence === 3n)
    expect(old.status().state).toBe('serving')
    await send(add(1n, 4))
    await old.stop({ snapshot: false })
    const report = await next.start()
    expect(report).toMatchObject({ snapshotSequence: 1n, replayed: 3, sequence: 4n })
    expect(reads()).toBe(1)
    expect(await send(add(1n, 4))).toBe(4n)
    expect(await send(add(1n, 5))).toBe(5n)
    await next.stop({ snapshot: false })
  })

  test('that is stopped is dropped, and the owner serves on', async () => {
    const old = world.run(HERE)
    await old.start()
    const next = world.run(HERE)
    await next.prepare()
    await next.stop({ snapshot: true })
    expect(next.status()).toMatchObject({ state: 'stopped', sequence: 0n })
    expect(await send(add(1n, 1))).toBe(1n)
    await world.clock.sleep(FOLLOW_INTERVAL_MS * 2)
    expect(next.status().sequence).toBe(0n)
    await old.stop({ snapshot: false })
  })

  test('can be stopped while it is being prepared, and is not prepared twice', async () => {
    const next = world.run(HERE)
    const preparing = next.prepare()
    await expect(next.prepare()).rejects.toThrow('a runner is prepared once')
    await next.stop({ snapshot: false })
    await preparing
    expect(next.status().state).toBe('stopped')
  })

  test('may be started while it is being prepared', async () => {
    const next = world.run(HERE)
    const preparing = next.prepare()
    await next.start()
    await preparing
    expect(next.status().state).toBe('serving')
    expect(await send(add(1n, 1))).toBe(1n)
    await next.stop({ snapshot: false })
  })

  test('goes on following when the journal was away for a while', async () => {
    const old = world.run(HERE)
    await old.start()
    let failures = 0
    let isAway = false
    const readFrom: Journal['readFrom'] = (partition, sequence) => {
      if (!isAway) return world.journal.readFrom(partition, sequence)
      failures += 1
      throw new PortError('unavailable', 'gone')
    }
    const next = world.run(HERE, { journal: { ...world.journal, readFrom } })
    await next.prepare()
    isAway = true
    await send(add(1n, 1))
    await until(world.clock, () => failures > 1)
    expect(next.status()).toMatchObject({ state: 'prepared', sequence: 0n })
    isAway = false
    await until(world.clock, () => next.status().sequence === 1n)
    await old.stop({ snapshot: false })
    await next.stop({ snapshot: false })
  })
})

describe('a follower that finds a broken record', () => {
  const broken = (record: StoredRecord): StoredRecord => {
    const body = record.body.slice()
    body[body.length - 1]! ^= 1
    return { ...record, body }
  }

  const brokenFrom = (isBroken: () => boolean): Journal => ({
    ...world.journal,
    readFrom: async function* (partition, sequence) {
      for await (const record of world.journal.readFrom(partition, sequence))
        yield isBroken() && record.sequence === 2n ? broken(record) : record
    },
  })

  const followed = async (isBroken: () => boolean): Promise<Runner<bigint>> => {
    const old = world.run(HERE)
    await old.start()
    await send(add(1n, 1))
    const next = world.run(HERE, { journal: brokenFrom(isBroken) })
    await next.prepare()
    await send(add(1n, 2))
    await until(world.clock, () => next.status().state === 'failed')
    expect(next.status().reason).toMatch(/record 2 .*ledger\/0/)
    await old.stop({ snapshot: false })
    return next
  }

  test('ends with the reason; the start recovers from scratch', async () => {
    let isBroken = true
    const next = await followed(() => isBroken)
    isBroken = false
    expect(await next.start()).toMatchObject({ replayed: 2, sequence: 2n })
    expect(next.status()).toMatchObject({ state: 'serving', reason: null })
    expect(await total()).toBe(2n)
    await next.stop({ snapshot: false })
  })

  test('ends with the reason; the start fails while the record is still broken', async () => {
    const next = await followed(() => true)
    await expect(next.start()).rejects.toThrow('record 2')
    expect(next.status().state).toBe('failed')
    await next.stop({ snapshot: false })
  })

  test('at the last moment recovers from scratch as well', async () => {
    let isBroken = false
    const old = world.run(HERE)
    await old.start()
    await send(add(1n, 1))
    const next = world.run(HERE, {
      journal: brokenFrom(() => isBroken),
      // It never looks but at the end.
      clock: { ...world.clock, sleep: (_, signal) => world.clock.sleep(60_000, signal) },
    })
    await next.prepare()
    await send(add(1n, 2))
    await old.stop({ snapshot: false })
    isBroken = true
    await expect(next.start()).rejects.toThrow('record 2')
    expect(next.status().state).toBe('failed')
    await next.stop({ snapshot: false })
  })
})

describe('a release', () => {
  test('finishes what was taken, saves the cursors and does not wait for a snapshot', async () => {
    const writing = Promise.withResolvers<void>()
    const snapshots: Snapshots = {
      ...world.snapshots,
      write: async (partition, sequence, bytes) => {
        await writing.promise
        return world.snapshots.write(partition, sequence, bytes)
      },
    }
    const receiver = world.run(THERE)
    await receiver.start()
    const old = world.run(HERE, { snapshots })
    await old.start()
    await send(tallyCommand(tallyKinds.forward, [5n, BigInt(THERE)]))
    await until(world.clock, () => old.status().unconfirmedEffects === 0)
    const snapshot = old.snapshotNow()
    await world.clock.sleep(20)
    const taken = upTo(50).map((id) => send(add(1n, id)))
    await world.clock.sleep(0)
    await old.release()
    expect(old.status().state).toBe('stopped')
    expect(await world.journal.loadCursors(HERE)).toMatchObject([{ receiver: THERE, confirmed: 1n }])
    const next = world.run(HERE)
    await next.start()
    expect(sorted(await Promise.all(taken))).toEqual(firsts(50))
    writing.resolve()
    await snapshot
    await old.stop({ snapshot: false })
    await next.stop({ snapshot: false })
    await receiver.stop({ snapshot: false })
  })

  test('ends also while observations come without a pause', async () => {
    const host = { observe: (amount: bigint) => add(amount) }
    const old = world.run(HERE, { host })
    await old.start()
    const quotes = setInterval(() => {
      for (let count = 0; count < 50; count++) old.observe(1n)
    }, 0)
    await until(world.clock, () => old.status().sequence > 3n)
    try {
      await old.release()
    } finally {
      clearInterval(quotes)
    }
    expect(old.status().state).toBe('stopped')
    await old.stop({ snapshot: false })
  })

  test('saves a cursor no older than what the receiver lacks, so that the next owner reads few records', async () => {
    const receiver = world.run(THERE)
    await receiver.start()
    const old = world.run(HERE)
    await old.start()
    await send(tallyCommand(tallyKinds.forward, [5n, BigInt(THERE)]))
    await until(world.clock, () => old.status().unconfirmedEffects === 0)
    await receiver.stop({ snapshot: false })
    for (const id of upTo(20)) await send(add(1n, id))
    const { sequence } = old.status()
    await send(tallyCommand(tallyKinds.forward, [7n, BigInt(THERE)]))
    await old.stop({ snapshot: false })
    expect(await world.journal.loadCursors(HERE)).toEqual([
      { receiver: THERE, confirmed: 1n, recordSequence: sequence + 1n },
    ])
    const next = world.run(HERE)
    const again = world.run(THERE)
    await next.start()
    await again.start()
    await until(world.clock, () => next.status().unconfirmedEffects === 0)
    expect(await total(THERE)).toBe(12n)
    await next.stop({ snapshot: false })
    await again.stop({ snapshot: false })
  })
})

// Seconds, and minutes where the machine stands still now and then: the load goes on all the while.
describe('an owner that appends without a pause', () => {
  test('holds up neither who prepares, nor its own release', async () => {
    // A deadline that stays in the past: something is always due.
    const old = world.run(HERE, { host: { due: () => add(1n) } })
    await old.start()
    await send(tallyCommand(tallyKinds.remindAt, [1n]))
    await until(world.clock, () => old.status().sequence > 50n)
    const next = world.run(HERE, { host: { due: () => null } })
    // Held up they would never end.
    await next.prepare()
    await old.release()
    await next.start()
    expect(next.status().sequence).toBe(old.status().sequence)
    await next.stop({ snapshot: false })
    await old.stop({ snapshot: false })
  }, 600_000)
})

describe('a partition moved under load', () => {
  test('twenty times keeps one outcome for each id, and its effects arrive once', async () => {
    const receiver = world.run(THERE)
    await receiver.start()
    let owner = world.run(HERE)
    await owner.start()
    const running = load(() => world.client)
    let forwarded = 0
    for (let move = 0; move < 20; move++) {
      const next = world.run(HERE)
      await next.prepare()
      await send(tallyCommand(tallyKinds.forward, [1n, BigInt(THERE)], 10_000 + move))
      forwarded += 1
      if (move % 4 === 3) await owner.snapshotNow()
      await owner.release()
      await next.start()
      await owner.stop({ snapshot: false })
      owner = next
    }
    await running.finish()
    const { answered } = running
    expect(sorted(answered.values())).toEqual(firsts(answered.size))
    expect(await total()).toBe(BigInt(answered.size))
    // A thousand at a time: a machine that is slow at moving has answered more than a queue takes.
    const again: bigint[] = []
    while (again.length < answered.size) {
      const ids = upTo(Math.min(1_000, answered.size - again.length)).map((id) => again.length + id)
      again.push(...(await Promise.all(ids.map((id) => send(add(1n, id))))))
    }
    expect(again).toEqual(upTo(answered.size).map((id) => answered.get(id)))
    await until(world.clock, () => owner.status().unconfirmedEffects === 0)
    expect(await total(THERE)).toBe(BigInt(forwarded))
    await owner.stop({ snapshot: false })
    await receiver.stop({ snapshot: false })
  }, 600_000)

  test('without a release has two owners for a moment: the loser steps down, nothing is lost or doubled', async () => {
    const buses = [createEmbeddedBus({ clock: world.clock }), createEmbeddedBus({ clock: world.clock })] as const
    const clients = buses.map((bus) => createPartitionClient({ bus }))
    // Half of the commands go to each; who gets no answer asks the other.
    const running = load((turn) => clients[turn % 2]!)
    /** Each owner hears its own bus. */
    const place = (index: number) => ({ index, runner: world.run(HERE, { bus: buses[index]! }) })
    let owner = place(0)
    await owner.runner.start()
    let deposed = 0
    while (deposed < 10) {
      const before = running.answered.size
      const rival = place(1 - owner.index)
      await rival.runner.prepare()
      await rival.runner.start()
      // Both serve: of two appends one wins.
      const isDeposed = ({ runner }: typeof owner): boolean => runner.status().state === 'deposed'
      await until(world.clock, () => isDeposed(owner) || isDeposed(rival))
      const loser = isDeposed(owner) ? owner : rival
      const winner = loser === owner ? rival : owner
      deposed += 1
      expect(loser.runner.status().reason).toMatch(/another writer appended|the journal is at/)
      await until(world.clock, () => running.answered.size > before)
      expect(winner.runner.status().state).toBe('serving')
      await loser.runner.stop({ snapshot: false })
      owner = winner
    }
    await running.finish()
    expect(sorted(running.answered.values())).toEqual(firsts(running.answered.size))
    await owner.runner.stop({ snapshot: false })
    for (const bus of buses) await bus.close()
  }, 600_000)
})
