import { afterEach, beforeEach } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino, { type Logger } from 'pino'
import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { createEmbeddedEvents } from '../../src/adapters/embedded/events.ts'
import { openSqliteJournal } from '../../src/adapters/embedded/journal.ts'
import { openFileSnapshots } from '../../src/adapters/embedded/snapshots.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import type { PartitionTracing } from '../../src/kernel/batch-trace.ts'
import { createPartitionClient, type PartitionClient } from '../../src/kernel/client.ts'
import type { MachineHost } from '../../src/kernel/host.ts'
import type { PartitionObserver } from '../../src/kernel/observer.ts'
import { partitionNumber, type PartitionNumber } from '../../src/kernel/partition.ts'
import { createRunner, type Runner } from '../../src/kernel/runner.ts'
import type { SnapshotPolicy } from '../../src/kernel/snapshotter.ts'
import type { Bus } from '../../src/ports/bus.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Events } from '../../src/ports/events.ts'
import type { Journal } from '../../src/ports/journal.ts'
import type { Snapshots } from '../../src/ports/snapshots.ts'
import { createTallyMachine, tallyCommand, tallyKinds, tallyQuestion, totalIn } from './tally-machine.ts'

/** The partitions of the tests. */
export const HERE = partitionNumber('ledger', 0)
export const THERE = partitionNumber('ledger', 1)

/** How long a test waits for an answer that comes at once, ms: no stall of the machine is as long. */
export const DEADLINE_MS = 60_000

/** Commands that add to the sum, of here or by an effect of there. */
export const add = (amount: bigint, id = 0): Uint8Array => tallyCommand(tallyKinds.add, [amount], id)
export const forward = (amount: bigint): Uint8Array => tallyCommand(tallyKinds.forward, [amount, BigInt(THERE)])

/** Real embedded adapters in a folder of their own. */
export interface World {
  readonly folder: string
  readonly clock: Clock
  readonly bus: Bus
  readonly journal: Journal
  readonly snapshots: Snapshots
  readonly events: Events
  readonly client: PartitionClient
  run(partition: PartitionNumber, options?: RunOptions): Runner<bigint>
  close(): Promise<void>
}

/** What a test changes about a runner. */
export interface RunOptions {
  readonly journal?: Journal
  readonly bus?: Bus
  readonly snapshots?: Snapshots
  readonly host?: Partial<MachineHost<bigint>>
  readonly snapshotPolicy?: SnapshotPolicy
  readonly clock?: Clock
  readonly observer?: PartitionObserver
  readonly logger?: Logger
  readonly tracing?: PartitionTracing
}

const never: SnapshotPolicy = { intervalMs: 3_600_000, keep: 3, compression: 'zstd' }

/** Opens a world; pass a folder to open an existing one again. */
export const openWorld = async (
  existing?: string,
  options: { readonly clock?: Clock; readonly queueMax?: number } = {},
): Promise<World> => {
  const folder = existing ?? (await mkdtemp(join(tmpdir(), 'bourse-kernel-')))
  const clock = options.clock ?? createSystemClock()
  const bus = createEmbeddedBus({ clock, ...(options.queueMax === undefined ? {} : { queueMax: options.queueMax }) })
  const journal = openSqliteJournal({ path: join(folder, 'journal.sqlite') })
  const snapshots = await openFileSnapshots({ folder: join(folder, 'snapshots'), clock })
  const events = createEmbeddedEvents({ journal, clock })
  const logger = pino({ level: 'silent' })
  return {
    folder,
    clock,
    bus,
    journal,
    snapshots,
    events,
    client: createPartitionClient({ bus }),
    run: (partition, options = {}) =>
      createRunner<bigint>({
        partition,
        host: { factory: () => createTallyMachine(), ...options.host },
        bus: options.bus ?? bus,
        journal: options.journal ?? journal,
        snapshots: options.snapshots ?? snapshots,
        events,
        clock: options.clock ?? clock,
        logger: options.logger ?? logger,
        snapshotPolicy: options.snapshotPolicy ?? never,
        observer: options.observer,
        tracing: options.tracing,
      }),
    close: async () => {
      await events.close()
      await bus.close()
      await snapshots.close()
      await journal.close()
    },
  }
}

/** How long a condition may take to hold, ms. */
const UNTIL_MS_MAX = 60_000

/** Waits until a condition holds; fails the test after a minute, which nothing but a defect takes. */
export const until = async (clock: Clock, condition: () => boolean | Promise<boolean>): Promise<void> => {
  const end = clock.monotonicMs() + UNTIL_MS_MAX
  while (!(await condition())) {
    if (clock.monotonicMs() > end) throw new Error(`not true within ${UNTIL_MS_MAX} ms: ${condition.toString()}`)
    await clock.sleep(5)
  }
}

/** Removes a world's folder. */
export const removeWorld = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })

/** Gives every test of the file a world of its own, `world` being that of the test that runs, and short ways to ask it. */
export const worldOfEachTest = () => {
  let current: World
  beforeEach(async () => {
    current = await openWorld()
  })
  afterEach(async () => {
    await current.close()
    await removeWorld(current.folder)
  })
  const world = new Proxy({} as World, { get: (_target, name: keyof World) => current[name] })
  return {
    world,
    /** The outcome of a command; fails the test when there is none. */
    send: async (command: Uint8Array): Promise<Uint8Array> => {
      const answer = await world.client.command(HERE, command, DEADLINE_MS)
      if (!answer.ok) throw new Error(`${answer.refusal.code}: ${answer.refusal.message}`)
      return answer.value.outcome
    },
    /** The sum of a partition, by a read. */
    total: async (partition = HERE): Promise<bigint> => {
      const answer = await world.client.read(partition, tallyQuestion(), { deadlineMs: DEADLINE_MS })
      if (!answer.ok) throw new Error(answer.refusal.code)
      return totalIn(answer.value.outcome)
    },
  }
}
