import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { openSqliteJournal, type SqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openJournalReader, type JournalReader } from '@bourse/common/adapters/embedded/journal-reader.ts'
import { openSqliteViews, type SqliteViews } from '@bourse/common/adapters/embedded/views.ts'
import { openViewsBatch, type ViewsBatch } from '@bourse/common/adapters/embedded/views-batch.ts'
import { encodeRecord, GENESIS_HASH, type JournalRecord } from '@bourse/common/kernel/record.ts'
import type { ViewWrite } from '@bourse/common/ports/views.ts'
import { tradeEventModel, viewModels } from '@bourse/common/views/models.ts'
import { createProjectionLoop, LOOK_RECORDS_MAX } from '../src/platform/projection-loop.ts'
import { PROJECTION } from '../src/platform/projections.ts'
import type { Projected } from '../src/platform/projection-messages.ts'

const [ONE, TWO] = [1 << 24, (1 << 24) + 1]

/** One trade event per record, in order, so that what is missing or doubled shows. */
const eventOf = (record: JournalRecord): ViewWrite => ({
  kind: 'insert',
  model: tradeEventModel,
  id: `${record.partition}:${record.sequence}`,
  fields: {
    account: String(record.partition),
    sequence: Number(record.sequence),
    recordSequence: record.sequence,
    type: 'trade.opened',
    tradeId: 'trade_1',
    atMs: Number(record.now),
    payload: '{}',
  },
})

describe('the loop that folds the views', () => {
  let folder: string
  let journal: SqliteJournal
  let views: SqliteViews
  let reader: JournalReader
  let batch: ViewsBatch
  let nowMs: number
  let faulty: bigint | null
  let failures: number[]
  let told: Projected[]
  let completed: number

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bourse-projection-'))
    journal = openSqliteJournal({ path: join(folder, 'journal.sqlite') })
    views = openSqliteViews({ path: join(folder, 'views.sqlite'), models: viewModels })
    reader = openJournalReader(join(folder, 'journal.sqlite'))
    batch = openViewsBatch(join(folder, 'views.sqlite'), viewModels)
    nowMs = 0
    faulty = null
    failures = []
    told = []
    completed = 0
  })
  afterEach(async () => {
    batch.close()
    reader.close()
    await views.close()
    await journal.close()
    await rm(folder, { recursive: true, force: true })
  })

  const append = async (partition: number, count: number): Promise<void> => {
    const head = await journal.head(partition)
    let previousHash = head?.hash ?? GENESIS_HASH
    const first = (head?.sequence ?? 0n) + 1n
    const appends = Array.from({ length: count }, (_, index) => {
      const sequence = first + BigInt(index)
      const empty = { behaviour: 1, inputs: [], outcomes: [], effects: [], faulted: [] }
      const stored = encodeRecord({ ...empty, partition, sequence, now: 1_000n + sequence, previousHash })
      previousHash = stored.hash
      return journal.append(partition, stored)
    })
    await Promise.all(appends)
  }

  const start = () =>
    createProjectionLoop({
      partitions: [ONE, TWO],
      foldOf: () => (record) => {
        if (record.partition === ONE && record.sequence === faulty) throw new Error('no fold for this')
        return [eventOf(record)]
      },
      journal: reader,
      views: batch,
      nowMs: () => nowMs,
      onComplete: () => (completed += 1),
      onProjected: (projected) => told.push(projected),
      onFailure: (_, partition) => failures.push(partition),
    })

  const through = (partition: number): Promise<bigint> => views.cursor(PROJECTION, partition)
  const eventsOf = async (partition: number): Promise<number[]> => {
    const filter = { account: String(partition) }
    const query = { filter, sortBy: 'sequence', direction: 'ascending', limit: 1_000 } as const
    return (await views.find(tradeEventModel, query)).map(({ sequence }) => sequence)
  }
  const settle = async (loop: { step(): Promise<boolean> }): Promise<void> => {
    while (await loop.step());
  }

  test('takes what was there before and what comes after, each record once, and goes on at its cursors', async () => {
    await append(ONE, 3)
    const loop = start()
    await settle(loop)
    await append(TWO, 2)
    await append(ONE, 1)
    await settle(loop)
    expect([await eventsOf(ONE), await eventsOf(TWO)]).toEqual([
      [1, 2, 3, 4],
      [1, 2],
    ])
    await append(ONE, 1)
    await settle(start())
    expect([await through(ONE), await through(TWO)]).toEqual([5n, 2n])
    expect(await eventsOf(ONE)).toEqual([1, 2, 3, 4, 5])
    expect(failures).toEqual([])
  })

  test('tells how far each partition is, whose events are new, and when nothing is left', async () => {
    const loop = start()
    await settle(loop)
    expect(completed).toBe(1)
    await append(ONE, 2)
    await settle(loop)
    expect(told).toEqual([{ reached: [[ONE, 2n, 1_002]], accounts: [String(ONE)] }])
    expect(completed).toBeGreaterThan(1)
  })

  test('catches up over many pages while others go on', async () => {
    await append(ONE, LOOK_RECORDS_MAX + 10)
    const loop = start()
    expect(await loop.step()).toBe(true)
    expect([await through(ONE), completed]).toEqual([BigInt(LOOK_RECORDS_MAX), 0])
    await append(TWO, 1)
    await append(ONE, 1)
    await settle(loop)
    expect([await through(ONE), await through(TWO)]).toEqual([BigInt(LOOK_RECORDS_MAX + 11), 1n])
  })

  test('a record that can not be folded holds its own partition up, comes again after a pause, and is not left out', async () => {
    faulty = 2n
    const loop = start()
    await append(ONE, 3)
    await append(TWO, 3)
    await settle(loop)
    expect([await through(ONE), await through(TWO), failures, completed]).toEqual([1n, 3n, [ONE], 0])
    await settle(loop)
    expect(failures).toEqual([ONE])
    nowMs = 1_000
    faulty = null
    await append(ONE, 1)
    await settle(loop)
    expect(await eventsOf(ONE)).toEqual([1, 2, 3, 4])
  })

  test('when the views refuse to be written nothing of the look stays, and all of it comes again', async () => {
    const loop = start()
    await settle(loop)
    await append(ONE, 2)
    const { commit } = batch
    Object.assign(batch, {
      commit: () => {
        throw new Error('the disk is full')
      },
    })
    expect(await loop.step()).toBe(false)
    expect([await through(ONE), await eventsOf(ONE), failures]).toEqual([0n, [], [ONE]])
    Object.assign(batch, { commit })
    nowMs = 1_000
    await settle(loop)
    expect(await eventsOf(ONE)).toEqual([1, 2])
  })
})
