import { describe, expect, test } from '@jest/globals'
import { decodeHeader } from '../../src/kernel/command.ts'
import { partitionName, type PartitionNumber } from '../../src/kernel/partition.ts'
import { emptyState, replayRecord, type PartitionState } from '../../src/kernel/partition-state.ts'
import { decodeRecord } from '../../src/kernel/record.ts'
import { recoverPartition } from '../../src/kernel/recovery.ts'
import { stateHashOf } from '../../src/kernel/snapshot-codec.ts'
import { effectsInFlight, verifyPartition } from '../../src/kernel/verification.ts'
import { createSeededRandom, type SeededRandom } from '../../src/testkit/seeded-random.ts'
import { openFaultyWorld, PARTITIONS, type FaultyWorld, type Process } from './faulty-world.ts'
import { createTallyMachine, idOf, tallyCommand, tallyKinds, tallyQuestion, totalIn } from './tally-machine.ts'

/** Seeds that found something once, and fifty to go on looking. */
const SEEDS: readonly number[] = Array.from({ length: 50 }, (_, index) => index + 1)
/** Seeds that run side by side: most of their time they wait. */
const SIDE_BY_SIDE = 10
const COMMANDS = 40
const DISTURBANCES = 14

interface Order {
  readonly id: number
  readonly partition: PartitionNumber
  readonly command: Uint8Array
}

interface Expected {
  readonly totals: Map<PartitionNumber, bigint>
  readonly calls: Map<PartitionNumber, number>
}

interface Seen {
  readonly answers: { readonly order: Order; readonly sequence: bigint; readonly outcome: Uint8Array }[]
  readonly reads: {
    readonly partition: PartitionNumber
    readonly sequence: bigint
    readonly total: bigint
    readonly atLeast: bigint
  }[]
  /** Per partition: the highest sequence that anybody was told of. */
  readonly told: Map<PartitionNumber, bigint>
}

/** What is asked of the partitions, and what must come of it when each order counts once. */
const drawOrders = (random: SeededRandom): { orders: Order[]; expected: Expected } => {
  const expected: Expected = { totals: new Map(), calls: new Map() }
  const orders = Array.from({ length: COMMANDS }, (_, index): Order => {
    const id = index + 1
    const partition = random.pick(PARTITIONS)
    const amount = BigInt(random.between(1, 1_000))
    const addTo = (to: PartitionNumber): void => void expected.totals.set(to, (expected.totals.get(to) ?? 0n) + amount)
    const draw = random.between(0, 99)
    if (draw < 4) return { id, partition, command: tallyCommand(tallyKinds.trap, [], id) }
    if (draw < 20) {
      expected.calls.set(partition, (expected.calls.get(partition) ?? 0) + 1)
      return { id, partition, command: tallyCommand(tallyKinds.call, [amount], id) }
    }
    if (draw < 40) {
      addTo(partition)
      return { id, partition, command: tallyCommand(tallyKinds.add, [amount], id) }
    }
    const to = random.pick(PARTITIONS.filter((other) => other !== partition))
    addTo(to)
    return { id, partition, command: tallyCommand(tallyKinds.forward, [amount, BigInt(to)], id) }
  })
  return { orders, expected }
}

const serveAll = (faulty: FaultyWorld, random: SeededRandom) => {
  const { clock } = faulty.world
  const owners = new Map<PartitionNumber, Process>()
  const zombies: Process[] = []
  const failures: string[] = []
  let isOver = false

  /** As a supervisor does: starts again until it serves, and again when it stepped down. */
  const supervise = async (partition: PartitionNumber): Promise<void> => {
    while (!isOver) {
      const owner = owners.get(partition)
      const state = owner?.runner.status().state
      if (state === 'failed') failures.push(`${partitionName(partition)}: ${owner?.runner.status().reason}`)
      if (owner === undefined || state === 'deposed' || state === 'failed') {
        owner?.kill()
        try {
          owners.set(partition, await faulty.spawn(partition, false))
        } catch {
          // A fault at the start: tried again.
          owners.delete(partition)
        }
      }
      await clock.sleep(20)
    }
  }
  const supervising = PARTITIONS.map(supervise)

  return {
    failures,
    owners,
    clientOf: (partition: PartitionNumber) => {
      const zombie = zombies.find((each) => each.runner.status().partition === partition)
      return zombie !== undefined && random.chance(30) ? zombie.client : owners.get(partition)?.client
    },
    disturb: async (): Promise<void> => {
      const partition = random.pick(PARTITIONS)
      const owner = owners.get(partition)
      const draw = random.between(0, 99)
      if (draw < 40) {
        owner?.kill()
        owners.delete(partition)
      } else if (draw < 70) {
        try {
          zombies.unshift(await faulty.spawn(partition, true))
        } catch {
          // This zombie did not rise.
        }
      } else {
        const all = await faulty.world.snapshots.list(partition)
        if (all.length > 0) faulty.damaged.add(`${partition}/${random.pick(all).sequence}`)
      }
    },
    calm: () => {
      for (const zombie of zombies.splice(0)) zombie.kill()
    },
    stop: async (): Promise<void> => {
      isOver = true
      await Promise.all(supervising)
    },
  }
}
type Serving = ReturnType<typeof serveAll>

const tell = (seen: Seen, partition: PartitionNumber, sequence: bigint): void => {
  if (sequence > (seen.told.get(partition) ?? 0n)) seen.told.set(partition, sequence)
}

/** Asks again with the same id until it is answered, and sometimes once more after that. */
const askUntilAnswered = async (
  faulty: FaultyWorld,
  serving: Serving,
  random: SeededRandom,
  order: Order,
  seen: Seen,
) => {
  const { clock } = faulty.world
  await clock.sleep(random.between(0, 1_500))
  for (let wanted = random.between(1, 2); wanted > 0;) {
    const answer = await serving.clientOf(order.partition)?.command(order.partition, order.command, 300)
    if (answer?.ok === true) {
      wanted -= 1
      seen.answers.push({ order, ...answer.value })
      tell(seen, order.partition, answer.value.sequence)
    } else await clock.sleep(random.between(5, 60))
  }
}

const readNow = async (serving: Serving, random: SeededRandom, seen: Seen): Promise<void> => {
  const partition = random.pick(PARTITIONS)
  const atLeast = seen.told.get(partition) ?? 0n
  const options = { deadlineMs: 300, ...(random.chance(30) ? { flushedTo: random.pick(PARTITIONS) } : {}) }
  const answer = await serving.clientOf(partition)?.read(partition, tallyQuestion(), options)
  if (answer?.ok !== true) return
  const { sequence, outcome } = answer.value
  seen.reads.push({ partition, sequence, total: totalIn(outcome), atLeast })
  tell(seen, partition, sequence)
}

/** What the journal says: the total after each record, and each id's outcomes. */
const readJournal = async (faulty: FaultyWorld, partition: PartitionNumber) => {
  const machine = createTallyMachine()
  const state = emptyState(partition, machine)
  const totals = [0n]
  const outcomes = new Map<string, Set<string>>()
  for await (const stored of faulty.world.journal.readFrom(partition, 1n)) {
    const record = decodeRecord(stored.body)
    replayRecord(state, record, stored.hash)
    totals.push(machine.tally.total)
    record.inputs.forEach((input, index) => {
      const id = Buffer.from(decodeHeader(input).id).toString('hex')
      outcomes.set(id, (outcomes.get(id) ?? new Set()).add(Buffer.from(record.outcomes[index]!).toString('hex')))
    })
  }
  return { totals, outcomes, tally: machine.tally }
}

const checkPartition = async (
  faulty: FaultyWorld,
  serving: Serving,
  partition: PartitionNumber,
  expected: Expected,
  seen: Seen,
): Promise<PartitionState> => {
  const { journal, snapshots } = faulty.world
  const factory = () => createTallyMachine()
  const { runner } = serving.owners.get(partition)!
  const live = await runner.stateHash()
  // A running partition may rotate a snapshot away while it is verified.
  await runner.stop({ snapshot: false })
  const verified = await verifyPartition({ journal, snapshots, factory }, partition)
  expect(verified.faults).toEqual([])
  expect(verified.stateHash).toBe(live)
  expect(stateHashOf((await recoverPartition({ journal, snapshots, factory }, partition)).state)).toBe(live)
  const said = await readJournal(faulty, partition)
  expect(said.tally.total).toBe(expected.totals.get(partition) ?? 0n)
  expect(Number(said.tally.answers)).toBe(expected.calls.get(partition) ?? 0)
  expect(faulty.executed.get(partition) ?? 0).toBe(expected.calls.get(partition) ?? 0)
  for (const read of seen.reads.filter((each) => each.partition === partition)) {
    expect(said.totals[Number(read.sequence)]).toBe(read.total)
    expect(read.sequence).toBeGreaterThanOrEqual(read.atLeast)
  }
  for (const { order, outcome } of seen.answers.filter((each) => each.order.partition === partition)) {
    const journaled = said.outcomes.get(Buffer.from(idOf(order.id)).toString('hex'))
    expect([...(journaled ?? [])]).toEqual([Buffer.from(outcome).toString('hex')])
  }
  return verified.state!
}

const runSeed = async (seed: number): Promise<void> => {
  const random = createSeededRandom(seed)
  const faulty = await openFaultyWorld(random)
  const { clock, journal } = faulty.world
  const serving = serveAll(faulty, random)
  try {
    const { orders, expected } = drawOrders(random)
    const seen: Seen = { answers: [], reads: [], told: new Map() }
    let isAnswered = false
    const answered = Promise.all(orders.map((order) => askUntilAnswered(faulty, serving, random, order, seen)))
    const reading = Array.from({ length: 3 }, async () => {
      while (!isAnswered) {
        await readNow(serving, random, seen)
        await clock.sleep(random.between(5, 60))
      }
    })
    for (let count = 0; count < DISTURBANCES; count++) {
      await clock.sleep(random.between(20, 250))
      await serving.disturb()
    }
    faulty.calm()
    serving.calm()
    await answered
    isAnswered = true
    await Promise.all(reading)
    const isQuiet = (): boolean =>
      PARTITIONS.every((partition) => {
        const status = serving.owners.get(partition)?.runner.status()
        return status?.state === 'serving' && status.unconfirmedEffects === 0 && status.outsideCalls === 0
      })
    const endMs = clock.monotonicMs() + 60_000
    while (!isQuiet() && clock.monotonicMs() < endMs) await clock.sleep(50)
    expect(isQuiet()).toBe(true)
    const states = await Promise.all(
      PARTITIONS.map((partition) => checkPartition(faulty, serving, partition, expected, seen)),
    )
    expect(await effectsInFlight(journal, states)).toEqual({ effects: [], faults: [] })
    expect([...faulty.violations, ...serving.failures]).toEqual([])
    expect(seen.answers.length).toBeGreaterThanOrEqual(orders.length)
  } finally {
    await serving.stop()
    await faulty.close()
  }
}

describe('three partitions on faulty ports, killed, doubled and restored', () => {
  test('each order has one outcome, each amount counts once, each read saw the journal', async () => {
    const waiting = [...SEEDS]
    const failed: string[] = []
    const work = async (): Promise<void> => {
      for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
        try {
          await runSeed(seed)
        } catch (error) {
          failed.push(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`)
        }
      }
    }
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
    expect(failed).toEqual([])
  }, 120_000)
})
