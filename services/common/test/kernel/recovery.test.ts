import { describe, expect, test } from '@jest/globals'
import { withSender } from '../../src/kernel/command.ts'
import { createEffectSender } from '../../src/kernel/effect-sender.ts'
import { verifyPartition } from '../../src/kernel/verification.ts'
import type { Journal } from '../../src/ports/journal.ts'
import { add, forward, HERE, THERE, until, worldOfEachTest } from './harness.ts'
import { createTallyMachine, tallyCommand, tallyKinds } from './tally-machine.ts'

const { world, send, total } = worldOfEachTest()

describe('recovery beside a writer that is still at work', () => {
  test('follows the records that come meanwhile', async () => {
    const owner = world.run(HERE)
    await owner.start()
    await send(add(1n))
    let appended = 0
    const journal: Journal = {
      ...world.journal,
      readFrom: async function* (partition, sequence) {
        yield* world.journal.readFrom(partition, sequence)
        if (appended++ < 2) await send(add(1n))
      },
    }
    const next = world.run(HERE, { journal })
    expect((await next.start()).sequence).toBe(3n)
    await next.stop({ snapshot: false })
    await owner.stop({ snapshot: false })
  })

  test('does not take a record that comes after an empty tail was read for a lost one', async () => {
    const owner = world.run(HERE)
    await owner.start()
    await send(add(1n))
    await owner.snapshotNow()
    let isEmptyRead = false
    let isSent = false
    const journal: Journal = {
      ...world.journal,
      readFrom: async function* (partition, sequence) {
        yield* world.journal.readFrom(partition, sequence)
        isEmptyRead = sequence === 2n
      },
      head: async (partition) => {
        // Ahead of the state it was looked for, and nothing was found.
        if (isEmptyRead && !isSent) await send(add(1n))
        isSent = isEmptyRead
        return world.journal.head(partition)
      },
    }
    const next = world.run(HERE, { journal })
    expect((await next.start()).sequence).toBe(2n)
    await next.stop({ snapshot: false })
    await owner.stop({ snapshot: false })
  })

  test('does not take a snapshot that is newer than the head it saw for lost records', async () => {
    const owner = world.run(HERE)
    await owner.start()
    await send(add(1n))
    let heads = 0
    const journal: Journal = {
      ...world.journal,
      head: async (partition) => {
        const head = await world.journal.head(partition)
        if (heads++ === 0) {
          await send(add(1n))
          await owner.snapshotNow()
        }
        return head
      },
    }
    const next = world.run(HERE, { journal })
    expect((await next.start()).sequence).toBeGreaterThanOrEqual(1n)
    await next.stop({ snapshot: false })
    await owner.stop({ snapshot: false })
  })
})

test('a partition that a newer release has served is not taken back by an older one, snapshot or not', async () => {
  const newer = world.run(HERE, { host: { factory: () => createTallyMachine(2) } })
  await newer.start()
  await send(add(1n))
  await newer.stop({ snapshot: true })
  const refusal = /behaviour 2, and this release knows 1/
  await expect(world.run(HERE).start()).rejects.toThrow(refusal)
  const prepared = world.run(HERE)
  await prepared.prepare()
  await expect(prepared.start()).rejects.toThrow(refusal)
  await prepared.stop({ snapshot: false })
  const again = world.run(HERE, { host: { factory: () => createTallyMachine(2) } })
  expect((await again.start()).sequence).toBe(1n)
  await again.stop({ snapshot: false })
})

describe('cursors', () => {
  test('keep the record they lie in over a restart, so that a sender never reads from its first record again', async () => {
    const there = world.run(THERE)
    await there.start()
    for (let round = 0; round < 2; round++) {
      const here = world.run(HERE)
      await here.start()
      if (round === 0) for (let index = 0; index < 3; index++) await send(forward(1n))
      await until(world.clock, () => here.status().unconfirmedEffects === 0)
      await here.stop({ snapshot: false })
    }
    expect(await world.journal.loadCursors(HERE)).toEqual([{ receiver: THERE, confirmed: 3n, recordSequence: 3n }])
    await there.stop({ snapshot: false })
  })

  test('make effects be read again from old records, whose bytes are checked before anything is sent', async () => {
    const here = world.run(HERE)
    await here.start()
    for (let index = 0; index < 3; index++) await send(forward(1n))
    await here.stop({ snapshot: true })
    const journal: Journal = {
      ...world.journal,
      readFrom: async function* (partition, sequence) {
        for await (const record of world.journal.readFrom(partition, sequence)) {
          const body = record.body.slice()
          if (record.sequence === 2n) body[body.length - 1]! ^= 1
          yield { ...record, body }
        }
      },
    }
    await expect(world.run(HERE, { journal }).start()).rejects.toThrow(/record 2 .* do not match its hash/)
  })

  test('that lack a receiver were saved before its first effect: only what came after is read again', async () => {
    const here = world.run(HERE)
    await here.start()
    for (let index = 0; index < 3; index++) await send(add(1n))
    await send(forward(1n))
    await here.stop({ snapshot: true })
    await world.journal.saveCursors(HERE, [{ receiver: HERE + 7, confirmed: 0n, recordSequence: 3n }])
    const from: bigint[] = []
    const readFrom: Journal['readFrom'] = (partition, sequence) => {
      from.push(sequence)
      return world.journal.readFrom(partition, sequence)
    }
    const next = world.run(HERE, { journal: { ...world.journal, readFrom } })
    await next.start()
    expect([next.status().unconfirmedEffects, from.at(-1)]).toEqual([1, 3n])
    await next.stop({ snapshot: false })
  })

  test('do not let an owner serve that could not read its last effects again: their receivers would wait at a gap', async () => {
    const here = world.run(HERE)
    await here.start()
    for (let index = 0; index < 3; index++) await send(forward(1n))
    await here.stop({ snapshot: true })
    const journal: Journal = {
      ...world.journal,
      readFrom: async function* (partition, sequence) {
        for await (const record of world.journal.readFrom(partition, sequence)) if (record.sequence < 3n) yield record
      },
    }
    await expect(world.run(HERE, { journal }).start()).rejects.toThrow('record 3 of partition')
  })

  test('do not believe a confirmation of what was never sent', async () => {
    const sent: bigint[] = []
    const sender = createEffectSender({
      partition: HERE,
      bus: { ...world.bus, send: (_partition, message) => (sent.push(message.sequence ?? 0n), Promise.resolve()) },
      nowMs: () => 0,
      onConfirmed: () => undefined,
    })
    sender.confirm(THERE, 7n)
    sender.release(1n, [{ receiver: THERE, number: 1n, bytes: add(1n) }])
    sender.confirm(THERE, 7n)
    expect([sender.confirmedThrough(THERE), sender.unconfirmed()]).toEqual([0n, 1])
    expect(sender.cursors()).toEqual([{ receiver: THERE, confirmed: 0n, recordSequence: 1n }])
    sender.confirm(THERE, 1n)
    expect(sender.cursors()).toEqual([{ receiver: THERE, confirmed: 1n, recordSequence: 1n }])
    expect(sent).toEqual([1n])
  })
})

describe('the journal', () => {
  test('never holds an answer from outside that is no command', async () => {
    const runner = world.run(HERE, { host: { execute: () => Promise.resolve(new Uint8Array(64)) } })
    await runner.start()
    await send(tallyCommand(tallyKinds.call, [4n]))
    await world.clock.sleep(50)
    expect(runner.status().outsideCalls).toBe(1)
    await runner.stop({ snapshot: false })
    const { journal, snapshots } = world
    const verified = await verifyPartition({ journal, snapshots, factory: () => createTallyMachine() }, HERE)
    expect([verified.records, verified.faults]).toEqual([1, []])
  })

  test('holds an effect once, however often and in whatever order it comes', async () => {
    const runner = world.run(THERE)
    await runner.start()
    for (const number of [1n, 1n, 2n, 1n, 2n, 4n, 3n, 4n, 4n]) {
      const body = withSender(add(number), HERE, number)
      await world.bus.send(THERE, { type: 'effect', sender: HERE, sequence: number, body })
    }
    await until(world.clock, async () => (await total(THERE)) === 10n)
    await runner.stop({ snapshot: false })
  })
})
