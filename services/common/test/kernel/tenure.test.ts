import { describe, expect, test } from '@jest/globals'
import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { createPartitionClient } from '../../src/kernel/client.ts'
import { PARK_MS_MAX } from '../../src/kernel/reads.ts'
import { IN_FLIGHT_MAX } from '../../src/kernel/runner-types.ts'
import type { Bus, BusMessage } from '../../src/ports/bus.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { PortError } from '../../src/ports/failure.ts'
import type { Journal } from '../../src/ports/journal.ts'
import { gateOf } from './gates.ts'
import { add, DEADLINE_MS, forward, HERE, openWorld, removeWorld, THERE, until, worldOfEachTest } from './harness.ts'
import { createTallyMachine, tallyCommand, tallyKinds, tallyQuestion, totalIn } from './tally-machine.ts'

const { world, send, total } = worldOfEachTest()

/** How long a command waits that nobody answers any more once its owner has stepped down, ms. */
const REFUSED_WITHIN_MS = 3_000

/** A journal whose appends fail while the switch says so. */
const breakable = (isBroken: () => boolean): Journal => ({
  ...world.journal,
  append: (partition, record) =>
    isBroken() ? Promise.reject(new PortError('closed', 'gone')) : world.journal.append(partition, record),
})

describe('a read', () => {
  test('never sees what is not journaled yet, also when its time is up meanwhile', async () => {
    const gate = gateOf(world.journal)
    let aheadMs = 0
    const clock = { ...world.clock, monotonicMs: () => world.clock.monotonicMs() + aheadMs }
    const runner = world.run(HERE, { journal: gate.journal, clock })
    await runner.start()
    const parked = world.client.read(HERE, tallyQuestion(42), { deadlineMs: DEADLINE_MS, parkMs: PARK_MS_MAX })
    await until(world.clock, () => runner.status().parkedReads === 1)
    gate.close()
    const command = send(add(6n, 42))
    await until(world.clock, () => gate.waiting === 1)
    aheadMs = PARK_MS_MAX + 1
    const early = await Promise.race([parked.then(() => 'answered'), world.clock.sleep(500).then(() => 'waiting')])
    expect(early).toBe('waiting')
    gate.open()
    expect(totalIn(await command)).toBe(6n)
    expect((await parked).ok).toBe(true)
    await runner.stop({ snapshot: false })
  })

  test('that waits leaves the window to the commands it waits for', async () => {
    const runner = world.run(HERE)
    await runner.start()
    const parked = Array.from({ length: IN_FLIGHT_MAX + 10 }, () =>
      world.client.read(HERE, tallyQuestion(42), { deadlineMs: DEADLINE_MS, parkMs: PARK_MS_MAX }),
    )
    await until(world.clock, () => runner.status().parkedReads >= IN_FLIGHT_MAX)
    await send(add(6n, 42))
    expect((await Promise.all(parked)).every((answer) => answer.ok)).toBe(true)
    await runner.stop({ snapshot: false })
  })

  test("has no answer when the journal's head can not be read, and the partition serves on", async () => {
    let broken = false
    const journal: Journal = {
      ...world.journal,
      head: (partition) =>
        broken ? Promise.reject(new PortError('unavailable', 'gone')) : world.journal.head(partition),
    }
    const runner = world.run(HERE, { journal })
    await runner.start()
    await send(add(3n))
    broken = true
    expect((await world.client.read(HERE, tallyQuestion(), { deadlineMs: DEADLINE_MS })).ok).toBe(false)
    broken = false
    expect(await total()).toBe(3n)
    expect(runner.status().counts['rebuilds']).toBe(0)
    await runner.stop({ snapshot: false })
  })
})

describe('a state that was given up', () => {
  test('takes no command whose inputs come after it: the queue brings that again', async () => {
    let broken = false
    const fetches: ((value: Uint8Array) => void)[] = []
    const resolve = (command: Uint8Array): Uint8Array | Promise<Uint8Array> =>
      Buffer.compare(command, slow) === 0 ? new Promise((done) => fetches.push(done)) : command
    const slow = add(100n)
    const runner = world.run(HERE, { journal: breakable(() => broken), host: { resolve } })
    await runner.start()
    const answer = world.client.command(HERE, slow, DEADLINE_MS)
    await until(world.clock, () => fetches.length === 1)
    broken = true
    expect((await world.client.command(HERE, add(1n, 1), DEADLINE_MS)).ok).toBe(false)
    broken = false
    await until(world.clock, () => fetches.length === 2)
    for (const done of fetches) done(slow)
    expect((await answer).ok).toBe(true)
    await world.clock.sleep(50)
    expect(await total()).toBe(100n)
    await runner.stop({ snapshot: false })
  })

  test('leaves open what became of the commands whose append had no clear end', async () => {
    let isLosing = false
    const journal: Journal = {
      ...world.journal,
      append: async (partition, record) => {
        const result = await world.journal.append(partition, record)
        if (isLosing) throw new PortError('closed', 'gone')
        return result
      },
    }
    const runner = world.run(HERE, { journal })
    await runner.start()
    isLosing = true
    const refused = await world.client.command(HERE, add(7n, 1), DEADLINE_MS)
    expect(refused).toMatchObject({ ok: false, refusal: { code: 'UNAVAILABLE', isOpen: true } })
    isLosing = false
    expect(await total()).toBe(7n)
    await runner.stop({ snapshot: false })
  })

  test('takes nothing that its consumer still brings', async () => {
    let broken = false
    const bus: Bus = {
      ...world.bus,
      consume: async (partition, handler, options) => {
        const consumer = await world.bus.consume(partition, handler, options)
        return { stop: async () => (await world.clock.sleep(100), consumer.stop()) }
      },
    }
    const runner = world.run(HERE, { journal: breakable(() => broken), bus })
    await runner.start()
    broken = true
    expect((await world.client.command(HERE, add(1n, 1), DEADLINE_MS)).ok).toBe(false)
    broken = false
    const late = world.client.command(HERE, add(100n), DEADLINE_MS)
    expect((await late).ok).toBe(true)
    await world.clock.sleep(50)
    expect(await total()).toBe(100n)
    await runner.stop({ snapshot: false })
  })

  test('sends no effects any more once another writer has taken over', async () => {
    const otherBus = createEmbeddedBus({ clock: world.clock })
    let sent = 0
    const counted: Bus = {
      ...world.bus,
      send: (partition, message: BusMessage) => ((sent += 1), world.bus.send(partition, message)),
    }
    const runner = world.run(HERE, { bus: counted })
    await runner.start()
    await send(forward(1n))
    const other = world.run(HERE, { bus: otherBus })
    await other.start()
    expect(await createPartitionClient({ bus: otherBus }).command(HERE, add(1n), DEADLINE_MS)).toMatchObject({
      ok: true,
    })
    expect((await world.client.command(HERE, add(1n), REFUSED_WITHIN_MS)).ok).toBe(false)
    await until(world.clock, () => runner.status().state === 'deposed')
    const before = sent
    await world.clock.sleep(1_500)
    expect(sent).toBe(before)
    await runner.stop({ snapshot: false })
    await other.stop({ snapshot: false })
    await otherBus.close()
  })

  test('is noticed by an owner whom nobody asks anything: the effects of the other are sent by whoever comes next', async () => {
    const otherBus = createEmbeddedBus({ clock: world.clock })
    // A hundred times as fast, so that nobody waits.
    const clock = { ...world.clock, monotonicMs: () => world.clock.monotonicMs() * 100 }
    const idle = world.run(HERE, { bus: otherBus, clock })
    await idle.start()
    const other = world.run(HERE)
    await other.start()
    await send(forward(1n))
    await until(world.clock, () => idle.status().state === 'deposed')
    await idle.stop({ snapshot: false })
    await other.stop({ snapshot: false })
    await otherBus.close()
  })

  test('is not taken up again in place when another writer has appended meanwhile', async () => {
    const otherBus = createEmbeddedBus({ clock: world.clock })
    const runner = world.run(HERE)
    await runner.start()
    const other = world.run(HERE, { bus: otherBus })
    await other.start()
    await createPartitionClient({ bus: otherBus }).command(HERE, forward(1n), DEADLINE_MS)
    const answer = await world.client.command(HERE, tallyCommand(tallyKinds.trap, [], 2), REFUSED_WITHIN_MS)
    expect(answer.ok).toBe(false)
    await until(world.clock, () => runner.status().state === 'deposed')
    await runner.stop({ snapshot: false })
    await other.stop({ snapshot: false })
    await otherBus.close()
  })
})

describe('a stop', () => {
  test('while it starts leaves the queue to the next one', async () => {
    const journal: Journal = {
      ...world.journal,
      loadCursors: async (partition) => (await world.clock.sleep(100), world.journal.loadCursors(partition)),
    }
    const first = world.run(HERE, { journal })
    const started = first.start()
    await first.stop({ snapshot: false })
    await started
    const second = world.run(HERE)
    await second.start()
    expect(totalIn(await send(add(2n)))).toBe(2n)
    expect(first.status().state).toBe('stopped')
    await second.stop({ snapshot: false })
  })

  test('is quick while the journal is away, and does not fail for cursors', async () => {
    let broken = false
    const journal: Journal = {
      ...breakable(() => broken),
      saveCursors: () => Promise.reject(new PortError('unavailable', 'gone')),
      head: (partition) =>
        broken ? Promise.reject(new PortError('unavailable', 'gone')) : world.journal.head(partition),
    }
    let pauses = 0
    // From the third pause on nobody wakes who sleeps: what the stop waited out would never end.
    const endless = (signal?: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
      })
    const sleep: Clock['sleep'] = (delayMs, signal) =>
      ++pauses > 2 ? endless(signal) : world.clock.sleep(delayMs, signal)
    const runner = world.run(HERE, { journal, clock: { ...world.clock, sleep } })
    await runner.start()
    broken = true
    await world.client.command(HERE, add(1n, 1), DEADLINE_MS)
    await until(world.clock, () => pauses === 3)
    await runner.stop({ snapshot: true })
    expect(runner.status().state).toBe('stopped')
    const other = world.run(HERE, { journal: { ...journal, head: world.journal.head } })
    await other.start()
    await other.stop({ snapshot: true })
  })

  test('leaves a runner that still tells its state, and one that never started stops too', async () => {
    const runner = world.run(HERE)
    await runner.start()
    await send(add(2n))
    const hash = await runner.stateHash()
    await runner.stop({ snapshot: false })
    expect(await runner.stateHash()).toBe(hash)
    await world.run(THERE).stop({ snapshot: true })
  })
})

describe('a question for the state between two records', () => {
  test('fails when the machine can not answer it, and the others are answered', async () => {
    const factory = () => {
      let asked = 0
      const machine = createTallyMachine()
      const stateHash = (): string => {
        asked += 1
        if (asked === 1) throw new Error('trap')
        return machine.stateHash()
      }
      return { ...machine, stateHash }
    }
    const runner = world.run(HERE, { host: { factory } })
    await runner.start()
    const all = await Promise.allSettled([runner.stateHash(), runner.stateHash()])
    expect(all.map((answer) => answer.status)).toEqual(['rejected', 'fulfilled'])
    await runner.stop({ snapshot: false })
  })
})

describe('two writers', () => {
  test('that order the same command in the same millisecond do not take one record for both', async () => {
    const clock = { ...world.clock, nowMs: () => 1_700_000_000_000 }
    const still = await openWorld(undefined, { clock })
    const otherBus = createEmbeddedBus({ clock })
    const first = still.run(HERE)
    const second = still.run(HERE, { bus: otherBus })
    await first.start()
    await second.start()
    const answers = await Promise.all([
      still.client.command(HERE, add(1n), DEADLINE_MS),
      createPartitionClient({ bus: otherBus }).command(HERE, add(1n), DEADLINE_MS),
    ])
    expect(answers.filter((answer) => answer.ok).length).toBe(1)
    await first.stop({ snapshot: false })
    await second.stop({ snapshot: false })
    await otherBus.close()
    await still.close()
    await removeWorld(still.folder)
  })
})

describe('a delivery', () => {
  test('is acknowledged and answered only after its record is in the journal', async () => {
    const gate = gateOf(world.journal)
    const said: string[] = []
    const bus: Bus = {
      ...world.bus,
      consume: (partition, handler, options) =>
        world.bus.consume(
          partition,
          (delivery) =>
            handler({
              ...delivery,
              acknowledge: () => (said.push('acknowledged'), delivery.acknowledge()),
              reply: (reply) => (said.push('answered'), delivery.reply(reply)),
            }),
          options,
        ),
    }
    const runner = world.run(HERE, { journal: gate.journal, bus })
    await runner.start()
    gate.close()
    const command = send(add(1n))
    await until(world.clock, () => gate.waiting === 1)
    await world.clock.sleep(30)
    expect(said).toEqual([])
    gate.open()
    await command
    expect(said.sort()).toEqual(['acknowledged', 'answered'])
    await runner.stop({ snapshot: false })
  })
})
