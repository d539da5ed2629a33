import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { createEmbeddedEvents } from '../../src/adapters/embedded/events.ts'
import { openSqliteJournal } from '../../src/adapters/embedded/journal.ts'
import { openFileSnapshots } from '../../src/adapters/embedded/snapshots.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { createPartitionClient, type PartitionClient } from '../../src/kernel/client.ts'
import type { MachineHost } from '../../src/kernel/host.ts'
import { partitionNumber, type PartitionNumber } from '../../src/kernel/partition.ts'
import { createRunner, type Runner } from '../../src/kernel/runner.ts'
import type { SnapshotPolicy } from '../../src/kernel/snapshotter.ts'
import type { Bus } from '../../src/ports/bus.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Events } from '../../src/ports/events.ts'
import type { Journal } from '../../src/ports/journal.ts'
import type { Snapshots } from '../../src/ports/snapshots.ts'
import { createTallyMachine } from './tally-machine.ts'

/** The partitions of the tests. */
export const HERE = partitionNumber('ledger', 0)
export const THERE = partitionNumber('ledger', 1)

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
        logger,
        snapshotPolicy: options.snapshotPolicy ?? never,
      }),
    close: async () => {
      await events.close()
      await bus.close()
      await snapshots.close()
      await journal.close()
    },
  }
}

/** Waits until a condition holds; fails the test after five seconds. */
export const until = async (clock: Clock, condition: () => boolean | Promise<boolean>): Promise<void> => {
  const end = clock.monotonicMs() + 5_000
  while (!(await condition())) {
    if (clock.monotonicMs() > end) throw new Error('the condition did not come true within 5 s')
    await clock.sleep(5)
  }
}

/** Removes a world's folder. */
export const removeWorld = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })
