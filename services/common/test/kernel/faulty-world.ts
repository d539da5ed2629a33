import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { createPartitionClient, type PartitionClient } from '../../src/kernel/client.ts'
import type { OutsideCall } from '../../src/kernel/host.ts'
import { partitionNumber, type PartitionNumber } from '../../src/kernel/partition.ts'
import type { Runner } from '../../src/kernel/runner.ts'
import type { Bus, Consumer } from '../../src/ports/bus.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { PortError } from '../../src/ports/failure.ts'
import type { Journal } from '../../src/ports/journal.ts'
import type { Snapshots } from '../../src/ports/snapshots.ts'
import { createFaultPlan, type FaultPlan } from '../../src/testkit/faults/plan.ts'
import { withBusFaults, withJournalFaults } from '../../src/testkit/faults/ports.ts'
import type { SeededRandom } from '../../src/testkit/seeded-random.ts'
import { openWorld, removeWorld, type World } from './harness.ts'
import { createTallyMachine, tallyCommand, tallyKinds } from './tally-machine.ts'

/** The partitions that forward to one another. */
export const PARTITIONS: readonly PartitionNumber[] = [0, 1, 2].map((index) => partitionNumber('ledger', index))

/** How much faster the clock of a faulty world runs: pauses and resends of seconds cost milliseconds. */
const HASTE = 15
const QUEUE_MAX = 48

const createHurriedClock = (): Clock => {
  const real = createSystemClock()
  const startMs = real.nowMs()
  const begunMs = real.monotonicMs()
  const monotonicMs = (): number => (real.monotonicMs() - begunMs) * HASTE
  return {
    monotonicMs,
    nowMs: () => startMs + Math.floor(monotonicMs()),
    sleep: (delayMs, signal) => real.sleep(delayMs / HASTE, signal),
    every: (intervalMs, task, onError) => real.every(intervalMs / HASTE, task, onError),
  }
}

/** A process that serves one partition and can be killed: from then on nothing it says reaches anybody. */
export interface Process {
  readonly runner: Runner<bigint>
  /** Where its clients ask; a zombie has a bus of its own. */
  readonly client: PartitionClient
  readonly isZombie: boolean
  kill(): void
}

/** Three partitions on faulty ports. */
export interface FaultyWorld {
  readonly world: World
  /** What an outsider did wrong: a call that was made again without being asked for. */
  readonly violations: string[]
  /** Calls the outside has executed, by partition. */
  readonly executed: Map<PartitionNumber, number>
  readonly damaged: Set<string>
  spawn(partition: PartitionNumber, isZombie: boolean): Promise<Process>
  /** No more faults from here on. */
  calm(): void
  close(): Promise<void>
}

const killable = <Port extends object>(port: Port, checkAlive: () => void): Port =>
  new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function' || name === 'readFrom' || name === 'publish') return member
      return async (...values: unknown[]) => {
        checkAlive()
        const answer: unknown = await Reflect.apply(member, target, values)
        checkAlive()
        return answer
      }
    },
  })

/** Opens a faulty world; the seed decides which calls go wrong. */
export const openFaultyWorld = async (random: SeededRandom): Promise<FaultyWorld> => {
  const world = await openWorld(undefined, { clock: createHurriedClock(), queueMax: QUEUE_MAX })
  let isCalm = false
  const planOf = (percent: number): FaultPlan => {
    const kinds = ['fails', 'done-but-timed-out', 'slow', 'twice'] as const
    const plan = createFaultPlan({ random, kinds, percent, pauseMsMax: 2 })
    return { ...plan, next: (possible) => (isCalm ? null : plan.next(possible)) }
  }
  const bus = withBusFaults(world.bus, planOf(12))
  const journal: Journal = {
    ...withJournalFaults(world.journal, planOf(8)),
    readFrom: withJournalFaults(world.journal, planOf(1)).readFrom,
  }
  const damaged = new Set<string>()
  const snapshots: Snapshots = {
    ...world.snapshots,
    read: async (partition, sequence) => {
      const bytes = await world.snapshots.read(partition, sequence)
      if (bytes !== null && damaged.has(`${partition}/${sequence}`)) bytes[bytes.length >> 1]! ^= 1
      return bytes
    },
  }
  const violations: string[] = []
  const executed = new Map<PartitionNumber, number>()
  /** Which process (by order of birth) first executed a call. */
  const known = new Map<string, number>()
  const processes: Process[] = []
  const buses: Bus[] = []

  /**
   * A former owner that hears late of its own append executes the call unasked, though its successor has asked and executed it by
   * then: no fence reaches that far, the call's id does. Everybody else asks first.
   */
  const execute = async (partition: PartitionNumber, birth: number, call: OutsideCall): Promise<Uint8Array> => {
    const key = `${partition}/${call.sequence}`
    const first = known.get(key)
    if (first === undefined) executed.set(partition, (executed.get(partition) ?? 0) + 1)
    else if (!call.maybeSent && first <= birth) violations.push(`call ${key} was repeated without being asked for`)
    if (first === undefined) known.set(key, birth)
    await world.clock.sleep(random.between(0, 80))
    return tallyCommand(tallyKinds.answer, [1n])
  }

  let births = 0
  const spawn = async (partition: PartitionNumber, isZombie: boolean): Promise<Process> => {
    let isDead = false
    births += 1
    const birth = births
    const checkAlive = (): void => {
      if (isDead) throw new PortError('closed', 'this process was killed')
    }
    const own = isZombie ? createEmbeddedBus({ clock: world.clock, queueMax: QUEUE_MAX }) : world.bus
    if (isZombie) buses.push(own)
    const consumers: Consumer[] = []
    const mortalBus: Bus = {
      ...killable(bus, checkAlive),
      consume: async (name, handler, options) => {
        checkAlive()
        const consumer = await own.consume(
          name,
          (delivery) => {
            if (!isDead) handler({ ...delivery, reply: (reply) => (isDead ? undefined : delivery.reply(reply)) })
          },
          options,
        )
        consumers.push(consumer)
        return consumer
      },
    }
    const runner = world.run(partition, {
      bus: mortalBus,
      journal: killable(journal, checkAlive),
      snapshots: killable(snapshots, checkAlive),
      host: {
        factory: () => createTallyMachine(),
        execute: (call) => (isDead ? new Promise(() => undefined) : execute(partition, birth, call)),
      },
      snapshotPolicy: { intervalMs: 500, keep: 4, compression: 'none' },
    })
    const process: Process = {
      runner,
      client: createPartitionClient({ bus: isZombie ? own : bus }),
      isZombie,
      kill: () => {
        isDead = true
        // The embedded bus stops a consumer at once; its promise only says so.
        for (const consumer of consumers) void consumer.stop()
      },
    }
    processes.push(process)
    await runner.start()
    return process
  }

  return {
    world,
    violations,
    executed,
    damaged,
    spawn,
    calm: () => {
      isCalm = true
    },
    close: async () => {
      for (const { runner } of processes) await runner.stop({ snapshot: false })
      for (const each of buses) await each.close()
      await world.close()
      await removeWorld(world.folder)
    },
  }
}
