import { describe, expect, test } from '@jest/globals'
import pino from 'pino'
import { partitionNumber, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { ShardUnreachable, type OrderRefusal, type Orders } from '@bourse/common/shard-client/client.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import type { PartitionStateView } from '@bourse/common/views/models.ts'
import { ASSIGN_RETRY_MS, createAssignments } from '../../src/distributed/assignments.ts'
import {
  LOOK_INTERVAL_MS,
  RECOVERIES_MAX,
  RECOVERY_PAUSE_MS_MAX,
  RECOVERY_PAUSE_MS_MIN,
  RECOVERY_SOUND_MS,
  SILENT_MS,
} from '../../src/distributed/recovery.ts'

const [ONE, TWO] = [partitionNumber('ledger', 0), partitionNumber('ledger', 1)]
const URLS = { ledger: 'http://ledger-0', other: 'http://ledger-1' } as const

interface Acquired {
  readonly atMs: number
  readonly url: string
  readonly partition: PartitionNumber
  readonly epoch: number
}

/** A launcher whose shards' words and answers a test decides, on a clock that stands still. */
const openLauncher = async (partitions: readonly PartitionNumber[] = [ONE]) => {
  const clock = createManualClock(1_700_000_000_000)
  const rows = new Map<PartitionNumber, Partial<PartitionStateView> & { readonly beats?: boolean }>()
  const acquired: Acquired[] = []
  const assigned: number[] = []
  const lines: { readonly msg: string; readonly reason?: string; readonly partition?: string }[] = []
  const answers = {
    isAway: false,
    acquire: (): Promise<OrderRefusal | null> => Promise.resolve(null),
    prepare: (): Promise<OrderRefusal | null> => Promise.resolve(null),
    assign: (): ReturnType<Orders['assign']> => Promise.resolve([]),
  }
  const find = (() =>
    answers.isAway
      ? Promise.reject(new PortError('unavailable', 'gone'))
      : Promise.resolve(
          [...rows].map(([partition, { beats, ...row }]) => {
            const said = {
              _id: String(partition),
              shard: 'ledger-0',
              epoch: 1,
              state: 'serving',
              reason: null,
              atMs: 1,
            }
            return { ...said, ...(beats === false ? {} : { atMs: clock.nowMs() }), ...row }
          }),
        )) as unknown as Views['find']
  const orders = {
    acquire: (url: string, partition: PartitionNumber, epoch: number) => {
      acquired.push({ atMs: clock.monotonicMs(), url, partition, epoch })
      return answers.acquire()
    },
    prepare: () => answers.prepare(),
    release: () => Promise.resolve(null),
    assign: (_url: string, epoch: number) => {
      assigned.push(epoch)
      return answers.assign()
    },
  } as unknown as Orders
  const assignments = await createAssignments({
    plan: new Map([
      ['ledger-0', partitions],
      ['ledger-1', []],
    ]),
    orders,
    views: { find },
    clock,
    logger: pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  })
  const quit = new AbortController()
  const tell = async (): Promise<void> => {
    await assignments.assign({ name: 'ledger-0', url: URLS.ledger }, quit.signal)
    await assignments.assign({ name: 'ledger-1', url: URLS.other }, quit.signal)
  }
  const recovery = assignments.keepServed(quit.signal)
  return { clock, rows, acquired, assigned, lines, answers, assignments, quit, tell, recovery }
}

const PAUSE_AND_LOOK_MS = RECOVERY_PAUSE_MS_MIN + LOOK_INTERVAL_MS

describe('a partition that nobody serves', () => {
  test.each(['deposed', 'failed'])('since its shard says %s is acquired there under a new epoch', async (state) => {
    const { clock, rows, acquired, lines, tell } = await openLauncher()
    await tell()
    rows.set(ONE, { shard: 'ledger-1', epoch: 41, state, reason: 'another writer appended' })
    await clock.advance(RECOVERY_PAUSE_MS_MIN)
    expect(acquired).toEqual([])
    await clock.advance(LOOK_INTERVAL_MS)
    expect(acquired).toMatchObject([{ url: URLS.other, partition: ONE, epoch: 42 }])
    expect(lines).toMatchObject([
      { partition: 'ledger/0', reason: `ledger-1 says that it is ${state}: another writer appended` },
    ])
  })

  test('is left to who comes next, when that is said before the pause is over', async () => {
    const { clock, rows, acquired, tell } = await openLauncher()
    await tell()
    rows.set(ONE, { state: 'deposed' })
    await clock.advance(RECOVERY_PAUSE_MS_MIN)
    rows.set(ONE, { shard: 'ledger-1', epoch: 2 })
    await clock.advance(RECOVERY_SOUND_MS)
    expect(acquired).toEqual([])
  })

  test('is tried again with pauses that grow to a bound, each with its reason, and stays as it says it is', async () => {
    const { clock, rows, acquired, lines, answers, tell } = await openLauncher()
    await tell()
    rows.set(ONE, { state: 'failed', reason: 'a record is damaged' })
    answers.acquire = () =>
      acquired.length % 2 === 0
        ? Promise.reject(new ShardUnreachable('no answer'))
        : Promise.resolve({ code: 'ACQUIRE_FAILED', message: 'a record is damaged' })
    await clock.advance(10 * RECOVERY_PAUSE_MS_MAX)
    const pauses = acquired.slice(1).map(({ atMs }, index) => atMs - acquired[index]!.atMs)
    expect(pauses.slice(0, 4)).toEqual([6, 12, 24, 48].map((seconds) => seconds * 1_000 + LOOK_INTERVAL_MS))
    expect(new Set(pauses.slice(4))).toEqual(new Set([RECOVERY_PAUSE_MS_MAX + LOOK_INTERVAL_MS]))
    expect(pauses.length).toBeGreaterThan(6)
    expect(acquired.map(({ epoch }) => epoch)).toEqual(
      [...new Set(acquired.map(({ epoch }) => epoch))].sort((a, b) => a - b),
    )
    expect(lines.filter(({ reason }) => reason?.includes('a record is damaged'))).toHaveLength(acquired.length)
    expect(lines.filter(({ msg }) => msg === 'a partition could not be acquired again')).toHaveLength(acquired.length)
  })

  test('waits longer each time also when it serves for a while between; not after it was sound', async () => {
    const { clock, rows, acquired, tell } = await openLauncher()
    await tell()
    const pauseMs = async (): Promise<number> => {
      const [beganMs, count] = [clock.monotonicMs(), acquired.length]
      rows.set(ONE, { state: 'deposed' })
      while (acquired.length === count) await clock.advance(LOOK_INTERVAL_MS)
      rows.set(ONE, {})
      return clock.monotonicMs() - beganMs
    }
    const first = await pauseMs()
    await clock.advance(10_000)
    const second = await pauseMs()
    expect(second - first).toBe(RECOVERY_PAUSE_MS_MIN)
    for (const longer of [2, 4]) {
      // Well for longer than a minute all in all, but never at a stretch.
      await clock.advance(RECOVERY_SOUND_MS / 2)
      expect((await pauseMs()) - second).toBeGreaterThanOrEqual(longer * RECOVERY_PAUSE_MS_MIN)
    }
    await clock.advance(RECOVERY_SOUND_MS + LOOK_INTERVAL_MS)
    expect(await pauseMs()).toBe(first)
  })

  test.each([
    ['since its shard fell silent', { beats: false }, URLS.ledger],
    ['since it was handed over to nobody', { shard: 'ledger-1', state: 'released', beats: false }, URLS.other],
    ['and nobody has spoken of', null, URLS.ledger],
    ['since a stranger to the launcher fell silent', { shard: 'ledger-9', beats: false }, URLS.ledger],
  ])('%s is acquired once that has lasted', async (_title, row, url) => {
    const { clock, rows, acquired, tell } = await openLauncher()
    await tell()
    if (row !== null) rows.set(ONE, row)
    await clock.advance(SILENT_MS)
    expect(acquired).toEqual([])
    await clock.advance(PAUSE_AND_LOOK_MS + LOOK_INTERVAL_MS)
    expect(acquired).toMatchObject([{ url, partition: ONE }])
  })

  test('is left alone while its shard is told what to serve, and when all is to stop', async () => {
    const { clock, rows, acquired, answers, quit, tell } = await openLauncher()
    rows.set(ONE, { state: 'failed' })
    await clock.advance(2 * PAUSE_AND_LOOK_MS)
    expect(acquired).toEqual([])
    const answer = Promise.withResolvers<Awaited<ReturnType<Orders['assign']>>>()
    answers.assign = () => answer.promise
    const told = tell()
    await clock.advance(2 * PAUSE_AND_LOOK_MS)
    expect(acquired).toEqual([])
    answer.resolve([])
    await told
    await clock.advance(LOOK_INTERVAL_MS)
    expect(acquired).toHaveLength(1)
    quit.abort()
    await clock.advance(2 * RECOVERY_PAUSE_MS_MAX)
    expect(acquired).toHaveLength(1)
  })

  test('is acquired once at a time, however long that takes', async () => {
    const { clock, rows, acquired, answers, tell } = await openLauncher()
    await tell()
    rows.set(ONE, { state: 'failed' })
    answers.acquire = () => new Promise(() => undefined)
    await clock.advance(3 * RECOVERY_PAUSE_MS_MAX)
    expect(acquired).toHaveLength(1)
  })

  test('is left alone while it is moved', async () => {
    const { clock, rows, acquired, answers, assignments, tell } = await openLauncher()
    await tell()
    rows.set(ONE, { state: 'failed' })
    const answer = Promise.withResolvers<null>()
    answers.prepare = () => answer.promise
    const [from, to] = [
      { name: 'ledger-0', url: URLS.ledger },
      { name: 'ledger-1', url: URLS.other },
    ]
    const moved = assignments.move(ONE, from, to)
    await clock.advance(2 * RECOVERY_PAUSE_MS_MAX)
    expect(acquired).toEqual([])
    rows.set(ONE, { shard: 'ledger-1', epoch: 9 })
    answer.resolve(null)
    await moved
    expect(acquired).toMatchObject([{ url: URLS.other }])
  })

  test('is one of at most so many at a time', async () => {
    const partitions = Array.from({ length: RECOVERIES_MAX + 3 }, (_, index) => partitionNumber('ledger', index))
    const { clock, rows, acquired, answers, tell } = await openLauncher(partitions)
    await tell()
    for (const partition of partitions) rows.set(partition, { state: 'failed' })
    const answer = Promise.withResolvers<null>()
    answers.acquire = () => answer.promise
    await clock.advance(RECOVERY_PAUSE_MS_MAX)
    expect(acquired).toHaveLength(RECOVERIES_MAX)
    answer.resolve(null)
    await clock.advance(LOOK_INTERVAL_MS)
    expect(new Set(acquired.map(({ partition }) => partition)).size).toBe(partitions.length)
  })
})

describe('a partition that somebody serves', () => {
  test('is never told anything, however long', async () => {
    const { clock, rows, acquired, tell } = await openLauncher([ONE, TWO])
    await tell()
    rows.set(ONE, {})
    rows.set(TWO, { shard: 'ledger-9', state: 'starting' })
    await clock.advance(10 * SILENT_MS)
    expect(acquired).toEqual([])
  })

  test('is not told anything because its words could not be read for a while', async () => {
    const { clock, rows, acquired, answers, lines, tell } = await openLauncher()
    await tell()
    rows.set(ONE, {})
    await clock.advance(SILENT_MS)
    answers.isAway = true
    await clock.advance(4 * SILENT_MS)
    answers.isAway = false
    await clock.advance(4 * SILENT_MS)
    expect(acquired).toEqual([])
    expect(lines).toHaveLength(1)
  })
})

describe('an assignment', () => {
  const refused = (partition: PartitionNumber | null, code: string) => [
    { partition, refusal: { code, message: 'it can not' } },
  ]

  test('is done when the shard merely can not acquire some of it: that is brought back with pauses', async () => {
    const { assigned, answers, tell } = await openLauncher()
    answers.assign = () => Promise.resolve(refused(ONE, 'ACQUIRE_FAILED'))
    await tell()
    expect(assigned).toEqual([1, 2])
  })

  test.each([
    [ONE, 'STALE_EPOCH'],
    [null, 'ACQUIRE_FAILED'],
  ])('is told again when it was refused otherwise (%p, %s)', async (partition, code) => {
    const { clock, assigned, answers, tell } = await openLauncher()
    answers.assign = () => Promise.resolve(assigned.length < 3 ? refused(partition, code) : [])
    const told = tell()
    await clock.advance(3 * ASSIGN_RETRY_MS)
    await told
    expect(assigned).toEqual([1, 2, 3, 4])
  })
})
