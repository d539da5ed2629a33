import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { DatabaseSync } from 'node:sqlite'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { refusalNumbers } from '../../src/errors/codes.ts'
import { codeOfOutcome } from '../../src/kernel/client.ts'
import { archiveRecords } from '../../src/kernel/archiver.ts'
import { bodyOf, withSender } from '../../src/kernel/command.ts'
import { decodeOutcomeHeader } from '../../src/kernel/outcome.ts'
import { decodeRecord } from '../../src/kernel/record.ts'
import { PARK_MS_MAX } from '../../src/kernel/reads.ts'
import { PortError } from '../../src/ports/failure.ts'
import type { Journal } from '../../src/ports/journal.ts'
import { DEADLINE_MS, HERE, openWorld, removeWorld, THERE, until, type World } from './harness.ts'
import { createTallyMachine, tallyCommand, tallyKinds, tallyQuestion, totalIn, trapRuns } from './tally-machine.ts'

let world: World
const deadlineMs = DEADLINE_MS

beforeEach(async () => {
  world = await openWorld()
})
afterEach(async () => {
  await world.close()
  await removeWorld(world.folder)
})

const add = (amount: bigint, id = 0, hashSeed = 0): Uint8Array => tallyCommand(tallyKinds.add, [amount], id, hashSeed)

const send = async (command: Uint8Array, partition = HERE): Promise<Uint8Array> => {
  const answer = await world.client.command(partition, command, deadlineMs)
  if (!answer.ok) throw new Error(`${answer.refusal.code}: ${answer.refusal.message}`)
  return answer.value.outcome
}

const total = async (partition = HERE): Promise<bigint> => {
  const answer = await world.client.read(partition, tallyQuestion(), { deadlineMs })
  if (!answer.ok) throw new Error(answer.refusal.code)
  return totalIn(answer.value.outcome)
}

describe('a partition', () => {
  test('answers a command only after its record is in the journal', async () => {
    const runner = world.run(HERE)
    await runner.start()
    const answer = await world.client.command(HERE, add(7n, 1), deadlineMs)
    expect(answer.ok && totalIn(answer.value.outcome)).toBe(7n)
    const record = await world.journal.read(HERE, answer.ok ? answer.value.sequence : 0n)
    expect(decodeRecord(record!.body).outcomes.map(totalIn)).toContain(7n)
    await runner.stop({ snapshot: false })
  })

  test('journals commands that wait together as one record', async () => {
    const runner = world.run(HERE)
    await runner.start()
    await Promise.all(Array.from({ length: 500 }, (_, index) => send(add(1n, index + 1))))
    expect(await total()).toBe(500n)
    expect(Number(runner.status().sequence)).toBeLessThan(100)
    await runner.stop({ snapshot: false })
  })

  test('executes an id once, over a restart too, and answers its first outcome again', async () => {
    const first = world.run(HERE)
    await first.start()
    const outcome = await send(add(5n, 9))
    await send(add(1n))
    await first.stop({ snapshot: false })
    const second = world.run(HERE)
    await second.start()
    expect(Buffer.compare(await send(add(5n, 9)), outcome)).toBe(0)
    expect(codeOfOutcome(await send(add(5n, 9, 1)))).toBe('IDEMPOTENCY_CONFLICT')
    expect(await total()).toBe(6n)
    await second.stop({ snapshot: false })
  })

  test('never lets its time go back', async () => {
    const runner = world.run(HERE)
    await runner.start()
    for (let index = 0; index < 5; index++) await send(add(1n))
    let before = 0n
    for await (const stored of world.journal.readFrom(HERE, 1n)) {
      const { now } = decodeRecord(stored.body)
      expect(now).toBeGreaterThanOrEqual(before)
      before = now
    }
    await runner.stop({ snapshot: false })
  })

  test('sets aside what is not a command, and serves on', async () => {
    const runner = world.run(HERE)
    await runner.start()
    await world.bus.send(HERE, { type: 'command', body: new Uint8Array([1, 2, 3]) })
    await world.bus.send(HERE, { type: 'effect', body: add(3n), sender: THERE, sequence: 1n })
    expect(totalIn(await send(add(1n)))).toBe(1n)
    expect((await world.bus.deadLetters(10)).map((letter) => letter.reason).join()).toMatch(/header/)
    await runner.stop({ snapshot: false })
  })

  test('finishes what it took when it stops', async () => {
    const runner = world.run(HERE)
    await runner.start()
    const answers = Array.from({ length: 100 }, () => world.client.command(HERE, add(1n), 500))
    await Promise.resolve()
    await runner.stop({ snapshot: true })
    const again = world.run(HERE)
    await again.start()
    const answered = (await Promise.all(answers)).filter((answer) => answer.ok).length
    expect(await total()).toBeGreaterThanOrEqual(BigInt(answered))
    await again.stop({ snapshot: false })
  })

  test('orders a time command when a deadline of its state has come', async () => {
    const machines: ReturnType<typeof createTallyMachine>[] = []
    const factory = () => (machines.push(createTallyMachine()), machines.at(-1)!)
    let offsetMs = 0
    const clock = { ...world.clock, nowMs: () => world.clock.nowMs() + offsetMs }
    const runner = world.run(HERE, { host: { factory }, clock })
    await runner.start()
    await send(tallyCommand(tallyKinds.remindAt, [BigInt(clock.nowMs() + 3_600_000)]))
    expect(machines.at(-1)!.tally.reminders).toBe(0n)
    offsetMs = 3_600_000
    await until(world.clock, () => machines.at(-1)!.tally.reminders === 1n)
    await runner.stop({ snapshot: false })
  })

  test('applies a continuation before any other command', async () => {
    const runner = world.run(HERE)
    await runner.start()
    const burst = send(tallyCommand(tallyKinds.burst, [3n]))
    await burst
    expect(totalIn(await send(add(1n)))).toBe(31n)
    await runner.stop({ snapshot: false })
  })

  test('takes observations in their place among the commands', async () => {
    let seen = 0n
    const host = {
      observe: (quote: bigint) => ((seen = quote), quote % 2n === 0n ? add(quote * 1_000n) : null),
      resolve: () => add(seen),
    }
    const runner = world.run(HERE, { host })
    await runner.start()
    runner.observe(3n)
    const before = totalIn(await send(add(0n)))
    runner.observe(4n)
    const after = totalIn(await send(add(0n)))
    expect([before, after]).toEqual([3n, 3n + 4_000n + 4n])
    await runner.stop({ snapshot: false })
  })
})

describe('the fence', () => {
  test('a second writer loses and steps down, and answers no read after that', async () => {
    const first = world.run(HERE)
    await first.start()
    await send(add(1n))
    const zombieBus = (await import('../../src/adapters/embedded/bus.ts')).createEmbeddedBus({ clock: world.clock })
    const zombie = world.run(HERE, { bus: zombieBus })
    await zombie.start()
    await send(add(10n))
    const { createPartitionClient } = await import('../../src/kernel/client.ts')
    const zombieClient = createPartitionClient({ bus: zombieBus })
    const read = await zombieClient.read(HERE, tallyQuestion(), { deadlineMs: 1_000 })
    expect(read.ok).toBe(false)
    await until(world.clock, () => zombie.status().state === 'deposed')
    const third = world.run(HERE, { bus: zombieBus })
    await zombie.stop({ snapshot: false })
    await third.start()
    await send(add(100n))
    const write = await zombieClient.command(HERE, add(5_000n, 3), 1_000)
    expect(write.ok).toBe(false)
    await until(world.clock, () => third.status().state === 'deposed')
    expect(await total()).toBe(111n)
    await third.stop({ snapshot: false })
    await zombieBus.close()
    await first.stop({ snapshot: false })
  })

  test('an append whose answer is lost is settled by reading back', async () => {
    let losses = 0
    const journal: Journal = {
      ...world.journal,
      append: async (partition, record) => {
        const result = await world.journal.append(partition, record)
        if (losses++ % 2 === 0) throw new PortError('timeout', 'the answer was lost')
        return result
      },
    }
    const runner = world.run(HERE, { journal })
    await runner.start()
    for (let index = 1; index <= 6; index++) expect(totalIn(await send(add(1n, index)))).toBe(BigInt(index))
    expect(runner.status().sequence).toBe(6n)
    await runner.stop({ snapshot: false })
  })

  test('a journal that can not be written releases nothing; the state is rebuilt and serves again', async () => {
    let broken = false
    const journal: Journal = {
      ...world.journal,
      append: (partition, record) =>
        broken ? Promise.reject(new PortError('unavailable', 'disk full')) : world.journal.append(partition, record),
    }
    const runner = world.run(HERE, { journal })
    await runner.start()
    await send(add(1n, 1))
    broken = true
    const refused = await world.client.command(HERE, add(2n, 2), deadlineMs)
    expect(refused.ok).toBe(false)
    broken = false
    await until(world.clock, () => runner.status().state === 'serving')
    expect(await total()).toBe(1n)
    expect(totalIn(await send(add(2n, 2)))).toBe(3n)
    await runner.stop({ snapshot: false })
  })
})

describe('effects', () => {
  const forward = (amount: bigint): Uint8Array => tallyCommand(tallyKinds.forward, [amount, BigInt(THERE)])

  test('reach the other partition exactly once, also when it starts later', async () => {
    const here = world.run(HERE)
    await here.start()
    for (let index = 0; index < 50; index++) await send(forward(1n))
    const there = world.run(THERE)
    await there.start()
    await until(world.clock, () => here.status().unconfirmedEffects === 0)
    expect(await total(THERE)).toBe(50n)
    await here.stop({ snapshot: false })
    await there.stop({ snapshot: false })
  })

  test('are sent again from the records after a restart, and dropped where they are known', async () => {
    const here = world.run(HERE)
    await here.start()
    const there = world.run(THERE)
    await there.start()
    for (let index = 0; index < 20; index++) await send(forward(1n))
    await until(world.clock, () => here.status().unconfirmedEffects === 0)
    await here.stop({ snapshot: false })
    await world.journal.saveCursors(HERE, [{ receiver: THERE, confirmed: 5n, recordSequence: 1n }])
    const again = world.run(HERE)
    await again.start()
    await until(world.clock, () => again.status().unconfirmedEffects === 0)
    expect(await total(THERE)).toBe(20n)
    expect(there.status().counts['duplicateEffects']).toBeGreaterThanOrEqual(15)
    await again.stop({ snapshot: false })
    await there.stop({ snapshot: false })
  })

  test('leave a gap unapplied until the missing one comes', async () => {
    const there = world.run(THERE)
    await there.start()
    const effect = (number: bigint): Promise<void> =>
      world.bus.send(THERE, {
        type: 'effect',
        sender: HERE,
        sequence: number,
        body: withSender(add(number), HERE, number),
      })
    await effect(1n)
    await effect(3n)
    await until(world.clock, () => there.status().counts['gapEffects'] === 1)
    expect(await total(THERE)).toBe(1n)
    await effect(2n)
    await effect(3n)
    await effect(3n)
    await until(world.clock, async () => (await total(THERE)) === 6n)
    await there.stop({ snapshot: false })
  })

  test('a read with flushedTo waits until the money has arrived', async () => {
    const here = world.run(HERE)
    await here.start()
    await send(forward(8n))
    const read = world.client.read(HERE, tallyQuestion(), { deadlineMs, flushedTo: THERE })
    const early = await Promise.race([read.then(() => 'answered'), world.clock.sleep(100).then(() => 'waiting')])
    expect(early).toBe('waiting')
    const there = world.run(THERE)
    await there.start()
    expect((await read).ok).toBe(true)
    expect(await total(THERE)).toBe(8n)
    await here.stop({ snapshot: false })
    await there.stop({ snapshot: false })
  })
})

describe('calls to the outside', () => {
  test('are asked for, not repeated, after a restart, and an answer counts once', async () => {
    const seen: { sequence: bigint; maybeSent: boolean }[] = []
    const hanging = world.run(HERE, { host: { execute: (call) => (seen.push(call), new Promise(() => undefined)) } })
    await hanging.start()
    await send(tallyCommand(tallyKinds.call, [4n]))
    await until(world.clock, () => seen.length === 1)
    await hanging.stop({ snapshot: true })
    const machines: ReturnType<typeof createTallyMachine>[] = []
    const answering = world.run(HERE, {
      host: {
        factory: () => (machines.push(createTallyMachine()), machines.at(-1)!),
        execute: (call) => (seen.push(call), Promise.resolve(tallyCommand(tallyKinds.answer, [1n]))),
      },
    })
    await answering.start()
    await until(world.clock, () => machines.at(-1)!.tally.answers === 1n)
    expect(seen.map(({ sequence, maybeSent }) => [sequence, maybeSent])).toEqual([
      [1n, false],
      [1n, true],
    ])
    // The machine has the answer before its record is in the journal.
    await until(world.clock, () => answering.status().outsideCalls === 0)
    await answering.stop({ snapshot: false })
  })
})

describe('a command that traps', () => {
  test('is refused ENGINE_FAULT for ever, and the commands around it are served', async () => {
    trapRuns.count = 0
    const runner = world.run(HERE)
    await runner.start()
    const around = [add(1n, 1), tallyCommand(tallyKinds.trap, [], 2), add(2n, 3), add(4n, 4)].map((command) =>
      send(command),
    )
    const outcomes = await Promise.all(around)
    expect(outcomes.map((outcome) => decodeOutcomeHeader(outcome).code)).toEqual([0, refusalNumbers.ENGINE_FAULT, 0, 0])
    expect(await total()).toBe(7n)
    expect(trapRuns.count).toBe(2)
    await runner.stop({ snapshot: false })
    const again = world.run(HERE)
    await again.start()
    expect(codeOfOutcome(await send(tallyCommand(tallyKinds.trap, [], 2)))).toBe('ENGINE_FAULT')
    expect(trapRuns.count).toBe(2)
    await again.stop({ snapshot: false })
  })
})

describe('parked reads', () => {
  test('are answered when their id is settled, and with the pending answer when time is up', async () => {
    const runner = world.run(HERE)
    await runner.start()
    const waiting = world.client.read(HERE, tallyQuestion(42), { deadlineMs, parkMs: PARK_MS_MAX })
    await until(world.clock, () => runner.status().parkedReads === 1)
    await send(add(6n, 42))
    const answer = await waiting
    expect(answer.ok && totalIn(answer.value.outcome)).toBe(6n)
    const late = await world.client.read(HERE, tallyQuestion(43), { deadlineMs, parkMs: 200 })
    expect(late.ok && codeOfOutcome(late.value.outcome)).toBe('NOT_FOUND')
    await runner.stop({ snapshot: false })
  })
})

describe('snapshots and recovery', () => {
  const policy = { intervalMs: 0, keep: 3, compression: 'zstd' } as const

  const fill = async (count: number): Promise<string> => {
    const runner = world.run(HERE, { snapshotPolicy: { ...policy, intervalMs: 3_600_000 } })
    await runner.start()
    for (let index = 1; index <= count; index++) {
      await send(add(BigInt(index), index))
      if (index % 4 === 0) await runner.snapshotNow()
    }
    const hash = await runner.stateHash()
    await runner.stop({ snapshot: false })
    return hash
  }

  test('recovery from snapshot and tail gives the same state hash as from genesis', async () => {
    const hash = await fill(10)
    const fromSnapshot = world.run(HERE)
    const report = await fromSnapshot.start()
    expect([report.snapshotSequence, report.replayed]).toEqual([8n, 2])
    expect(await fromSnapshot.stateHash()).toBe(hash)
    await fromSnapshot.stop({ snapshot: false })
    for (const info of await world.snapshots.list(HERE)) await world.snapshots.remove(HERE, info.sequence)
    const fromGenesis = world.run(HERE)
    expect((await fromGenesis.start()).replayed).toBe(10)
    expect(await fromGenesis.stateHash()).toBe(hash)
    await fromGenesis.stop({ snapshot: false })
  })

  test('a flipped byte in the newest snapshot falls back to the one before and says so', async () => {
    const hash = await fill(10)
    const folder = join(world.folder, 'snapshots')
    const newest = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .at(-1)!
    const bytes = await readFile(newest)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(newest, bytes)
    const runner = world.run(HERE)
    const report = await runner.start()
    expect(report.snapshotSequence).toBe(4n)
    expect(report.doubted.map((doubt) => doubt.sequence)).toEqual([8n])
    expect(await runner.stateHash()).toBe(hash)
    await runner.stop({ snapshot: false })
  })

  test('rotation keeps the newest ones and takes none when nothing was appended', async () => {
    await fill(20)
    expect((await world.snapshots.list(HERE)).map((info) => info.sequence)).toEqual([20n, 16n, 12n])
    const runner = world.run(HERE, { snapshotPolicy: policy })
    await runner.start()
    await world.clock.sleep(300)
    expect((await world.snapshots.list(HERE))[0]!.sequence).toBe(20n)
    await runner.stop({ snapshot: false })
  })

  test('a flipped byte in the journal stops the start and names the record', async () => {
    await fill(3)
    await world.close()
    const database = new DatabaseSync(join(world.folder, 'journal.sqlite'))
    const row = database.prepare('SELECT body FROM records WHERE sequence = 2').get() as { body: Uint8Array }
    row.body[row.body.length - 1]! ^= 1
    database.prepare('UPDATE records SET body = ? WHERE sequence = 2').run(row.body)
    database.close()
    world = await openWorld(world.folder)
    await expect(world.run(HERE).start()).rejects.toThrow(/record 2 of partition/)
  })

  test('a journal that ends before a sound snapshot stops the start', async () => {
    await fill(8)
    await world.close()
    const database = new DatabaseSync(join(world.folder, 'journal.sqlite'))
    database.exec('DELETE FROM records WHERE sequence > 6')
    database.close()
    world = await openWorld(world.folder)
    await expect(world.run(HERE).start()).rejects.toThrow(/lost records; restore a backup/)
  })

  test('archived records still replay from genesis to the same state', async () => {
    const hash = await fill(10)
    expect(await archiveRecords(world.journal, HERE, 6n)).toBe(6)
    expect(await world.journal.archivedThrough(HERE)).toBe(6n)
    for (const info of await world.snapshots.list(HERE)) await world.snapshots.remove(HERE, info.sequence)
    const runner = world.run(HERE)
    expect((await runner.start()).replayed).toBe(10)
    expect(await runner.stateHash()).toBe(hash)
    await runner.stop({ snapshot: false })
  })

  test('old records replay under the behaviour they were journaled with, new ones get the newest', async () => {
    await fill(3)
    const runner = world.run(HERE, { host: { factory: () => createTallyMachine(2) } })
    await runner.start()
    expect(await total()).toBe(6n)
    expect(totalIn(await send(add(5n)))).toBe(16n)
    const last = await world.journal.head(HERE)
    expect(decodeRecord(last!.body).behaviour).toBe(2)
    expect(bodyOf(decodeRecord(last!.body).inputs[0]!).length).toBeGreaterThan(0)
    await runner.stop({ snapshot: false })
  })
})
