import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { createEmbeddedEvents } from '../../src/adapters/embedded/events.ts'
import { openSqliteJournal } from '../../src/adapters/embedded/journal.ts'
import { openSqliteViews } from '../../src/adapters/embedded/views.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { commandOrigins, encodeCommand, type CommandHeader } from '../../src/kernel/command.ts'
import { encodeOutcome } from '../../src/kernel/outcome.ts'
import { partitionNumber, type PartitionNumber } from '../../src/kernel/partition.ts'
import { encodeRecord, GENESIS_HASH, type JournalRecord } from '../../src/kernel/record.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Events } from '../../src/ports/events.ts'
import type { Journal } from '../../src/ports/journal.ts'
import type { Views } from '../../src/ports/views.ts'
import { commandWrites } from '../../src/views/commands.ts'
import { viewModels } from '../../src/views/models.ts'
import { startProjector, type Fold, type Projector } from '../../src/views/projector.ts'

/** The partitions of the tests. */
export const HERE = partitionNumber('ledger', 0)
export const THERE = partitionNumber('ledger', 1)
/** Kind of the command that the tests give an id. */
export const KIND = 2

/** A command and what came of it. */
export interface Step {
  readonly header: Partial<CommandHeader>
  readonly code: number
  readonly body?: Uint8Array
}

/** Sixteen bytes, all the same. */
export const idOf = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)

/** A client's command with an id, and its outcome's code. */
export const client = (byte: number, code = 0, hash = 7): Step => ({
  header: { origin: commandOrigins.client, id: idOf(byte), requestHash: idOf(hash) },
  code,
  body: new Uint8Array([byte, code, 0, 0, 0, 0, 0, 0]),
})

/** The record that holds these steps. */
export const recordOf = (sequence: bigint, steps: readonly Step[], partition = HERE): JournalRecord => ({
  partition,
  sequence,
  now: 1_000n + sequence,
  behaviour: 1,
  previousHash: GENESIS_HASH,
  inputs: steps.map(({ header }) => encodeCommand({ kind: KIND, ...header }, new Uint8Array(8))),
  outcomes: steps.map(({ header, code, body = new Uint8Array(8) }) =>
    encodeOutcome({ code, kind: KIND, id: header.id ?? new Uint8Array(16) }, body),
  ),
  effects: [],
  faulted: [],
})

/** Journal, events and views in a folder of their own. */
export interface ViewWorld {
  readonly clock: Clock
  readonly journal: Journal
  readonly events: Events
  readonly views: Views
  /** Appends and publishes the next record of a partition. */
  write(steps: readonly Step[], partition?: PartitionNumber): Promise<JournalRecord>
  project(options?: { readonly views?: Views; readonly fold?: Fold }): Promise<Projector>
  close(): Promise<void>
}

/** Opens a world. */
export const openViewWorld = async (): Promise<ViewWorld> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-views-'))
  const clock = createSystemClock()
  const journal = openSqliteJournal({ path: join(folder, 'journal.sqlite') })
  const views = openSqliteViews({ path: join(folder, 'views.sqlite'), models: viewModels })
  const events = createEmbeddedEvents({ journal, clock })
  return {
    clock,
    journal,
    events,
    views,
    write: async (steps, partition = HERE) => {
      const head = await journal.head(partition)
      const record = recordOf((head?.sequence ?? 0n) + 1n, steps, partition)
      const stored = encodeRecord({ ...record, previousHash: head?.hash ?? GENESIS_HASH })
      await journal.append(partition, stored)
      events.publish({ partition, sequence: stored.sequence, body: stored.body })
      return record
    },
    project: (options = {}) =>
      startProjector({
        projection: 'test',
        partitions: [HERE, THERE],
        foldOf: () => options.fold ?? ((record) => commandWrites(record, () => true)),
        events,
        views: options.views ?? views,
        clock,
        logger: pino({ level: 'silent' }),
      }),
    close: async () => {
      await events.close()
      await views.close()
      await journal.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
