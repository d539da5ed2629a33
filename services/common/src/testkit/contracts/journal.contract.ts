import { createHash } from 'node:crypto'
import { expect } from '@jest/globals'
import { encodeSegment } from '../../kernel/archive-codec.ts'
import { partitionNumber, type PartitionNumber } from '../../kernel/partition.ts'
import { PortError } from '../../ports/failure.ts'
import { RECORD_BYTES_MAX, type AppendResult, type Journal, type StoredRecord } from '../../ports/journal.ts'
import { withJournalFaults } from '../faults/ports.ts'
import { describeContract, expectFailure, persist, type Define, type Opened, type Subject } from './scenario.ts'

const HERE = partitionNumber('ledger', 0)
const THERE = partitionNumber('trading', 3, 900)

const recordOf = (sequence: bigint, body: Uint8Array): StoredRecord => ({
  sequence,
  body,
  hash: Uint8Array.from(createHash('sha256').update(body).digest()),
})
const record = (sequence: bigint, text = `record ${sequence}`): StoredRecord =>
  recordOf(sequence, new TextEncoder().encode(text))
const isSame = (a: StoredRecord | null, b: StoredRecord): boolean => a !== null && Buffer.compare(a.hash, b.hash) === 0
const plain = (stored: StoredRecord | null) =>
  stored === null
    ? null
    : { sequence: stored.sequence, hash: [...stored.hash], body: Buffer.from(stored.body).toString() }

const plainRange = (first: bigint, last: bigint) =>
  Array.from({ length: Number(last - first) + 1 }, (_, index) => plain(record(first + BigInt(index))))

/**
 * Appends as a careful writer does: whatever the answer leaves open is settled by reading the place. Own bytes there: appended;
 * others': taken; nothing: the same bytes again.
 */
const appendCarefully = async (
  journal: Journal,
  partition: PartitionNumber,
  wanted: StoredRecord,
): Promise<AppendResult> => {
  for (;;) {
    let answer: AppendResult | null = null
    try {
      answer = await journal.append(partition, wanted)
    } catch (error) {
      if (!(error instanceof PortError) || !['unavailable', 'unknown', 'timeout'].includes(error.kind)) throw error
    }
    if (answer === 'appended') return answer
    const there = await persist(() => journal.read(partition, wanted.sequence))
    if (there !== null) return isSame(there, wanted) ? 'appended' : 'taken'
  }
}

type World = Parameters<Parameters<Define<Journal, Opened<Journal>>>[1]>[0]

const append = ({ port, isFaulty }: World, partition: PartitionNumber, wanted: StoredRecord): Promise<AppendResult> =>
  isFaulty ? appendCarefully(port, partition, wanted) : port.append(partition, wanted)

const appendThrough = async (world: World, partition: PartitionNumber, last: bigint): Promise<void> => {
  for (let sequence = 1n; sequence <= last; sequence++)
    expect(await append(world, partition, record(sequence))).toBe('appended')
}

/** Reads a stream to its end; one that breaks is taken up where it broke. */
const readAll = async (journal: Journal, partition: PartitionNumber, from: bigint): Promise<StoredRecord[]> => {
  const records: StoredRecord[] = []
  await persist(async () => {
    for await (const next of journal.readFrom(partition, from + BigInt(records.length))) records.push(next)
  })
  return records
}

const writing = (define: Define<Journal, Opened<Journal>>): void => {
  define('J1 of two writers at one sequence exactly one wins', async (world) => {
    for (let sequence = 1n; sequence <= 10n; sequence++) {
      const contenders = ['first', 'second', 'third'].map((name) => record(sequence, `${name} at ${sequence}`))
      const answers = await Promise.all(contenders.map((contender) => append(world, HERE, contender)))
      expect(answers.filter((answer) => answer === 'appended')).toHaveLength(1)
      const winner = contenders[answers.indexOf('appended')]!
      expect(isSame(await world.call(() => world.port.read(HERE, sequence)), winner)).toBe(true)
    }
  })

  define(
    'J1 the same bytes again are taken too',
    async ({ port }) => {
      expect(await port.append(HERE, record(1n))).toBe('appended')
      expect(await port.append(HERE, record(1n))).toBe('taken')
    },
    ['fails', 'done-but-timed-out', 'twice'],
  )

  define('J2 what was appended is there after a restart, byte for byte', async (world) => {
    const body = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) & 0xff)
    expect(await append(world, HERE, recordOf(1n, body))).toBe('appended')
    const reopened = world.harness.reopen === undefined ? world.port : await world.reopen()
    const found = await world.call(() => reopened.read(HERE, 1n))
    expect(Buffer.compare(found!.body, body)).toBe(0)
    expect(Buffer.compare(found!.hash, recordOf(1n, body).hash)).toBe(0)
  })

  define(
    'J3 an append that would leave a gap is refused corrupt, and the others of its moment are not harmed',
    async (world) => {
      const [first, beyond] = await Promise.allSettled([
        append(world, HERE, record(1n)),
        append(world, HERE, record(3n)),
      ])
      expect(first).toMatchObject({ status: 'fulfilled', value: 'appended' })
      expect(beyond).toMatchObject({ status: 'rejected', reason: { kind: 'corrupt' } })
      await expectFailure('corrupt', () => append(world, THERE, record(2n)))
      expect(await world.call(() => world.port.read(HERE, 3n))).toBeNull()
    },
    ['fails', 'done-but-timed-out', 'twice', 'slow'],
  )

  define('J4 an answer that says nothing is settled by reading the sequence', async (world) => {
    for (let sequence = 1n; sequence <= 40n; sequence++)
      expect(await append(world, HERE, record(sequence))).toBe('appended')
    const stored = await readAll(world.port, HERE, 1n)
    expect(stored.map(plain)).toEqual(plainRange(1n, 40n))
  })

  define('J7 a record that is too large is refused, and nothing of it is stored', async ({ port, call }) => {
    const large = recordOf(1n, new Uint8Array(RECORD_BYTES_MAX + 1))
    await expectFailure('full', () => call(() => port.append(HERE, large)))
    expect(await call(() => port.head(HERE))).toBeNull()
  })

  define('J7 a record of the largest size is stored', async (world) => {
    expect(await append(world, HERE, recordOf(1n, new Uint8Array(RECORD_BYTES_MAX)))).toBe('appended')
  })
}

const readingBack = (define: Define<Journal, Opened<Journal>>): void => {
  define('J5 head and read see every append that had answered', async (world) => {
    const { port, call } = world
    expect(await call(() => port.head(HERE))).toBeNull()
    expect(await call(() => port.read(HERE, 1n))).toBeNull()
    for (let sequence = 1n; sequence <= 20n; sequence++) {
      await append(world, HERE, record(sequence))
      expect(plain(await call(() => port.head(HERE)))).toEqual(plain(record(sequence)))
      expect(plain(await call(() => port.read(HERE, sequence)))).toEqual(plain(record(sequence)))
    }
  })

  define('J6 readFrom streams in order without gaps, over many pages', async (world) => {
    const count = world.isFaulty ? 60n : 700n
    await appendThrough(world, HERE, count)
    const all = await readAll(world.port, HERE, 1n)
    expect(all.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: Number(count) }, (_, index) => BigInt(index + 1)),
    )
    expect((await readAll(world.port, HERE, count - 2n)).map(plain)).toEqual(plainRange(count - 2n, count))
    expect(await readAll(world.port, HERE, count + 1n)).toEqual([])
  })

  define('J8 partitions do not see one another', async (world) => {
    const { port, call } = world
    await append(world, HERE, record(1n, 'here'))
    expect(await call(() => port.head(THERE))).toBeNull()
    await append(world, THERE, record(1n, 'there'))
    expect(plain(await call(() => port.read(HERE, 1n)))?.body).toBe('here')
    expect(plain(await call(() => port.read(THERE, 1n)))?.body).toBe('there')
  })

  define('J9 loadCursors gives the cursors saved last, whole', async (world) => {
    const { port, call } = world
    expect(await call(() => port.loadCursors(HERE))).toEqual([])
    const large = { receiver: THERE, confirmed: 2n ** 62n, recordSequence: 2n ** 61n + 1n }
    await call(() => port.saveCursors(HERE, [large, { receiver: HERE, confirmed: 1n, recordSequence: 1n }]))
    const last = [
      { receiver: HERE, confirmed: 2n, recordSequence: 5n },
      { ...large, confirmed: 2n ** 62n + 1n },
    ]
    await call(() => port.saveCursors(HERE, last))
    const found = await call(() => port.loadCursors(HERE))
    expect([...found].sort((a, b) => a.receiver - b.receiver)).toEqual(last)
    expect(await call(() => port.loadCursors(THERE))).toEqual([])
  })

  define('J12 partitions lists every partition that has a record', async (world) => {
    const { port, call } = world
    expect(await call(() => port.partitions())).toEqual([])
    await append(world, THERE, record(1n))
    await append(world, HERE, record(1n))
    expect([...(await call(() => port.partitions()))].sort((a, b) => a - b)).toEqual([HERE, THERE])
  })

  define('J11 calls after close are refused closed; closing again is no error', async ({ port, call, harness }) => {
    await harness.port.close()
    await harness.port.close()
    await expectFailure('closed', () => call(() => port.append(HERE, record(1n))))
    await expectFailure('closed', () => call(() => port.head(HERE)))
    await expectFailure('closed', () => call(() => port.read(HERE, 1n)))
    await expectFailure('closed', () => readAll(port, HERE, 1n))
    await expectFailure('closed', () => call(() => port.saveCursors(HERE, [])))
    await expectFailure('closed', () => call(() => port.partitions()))
  })
}

const archiveThrough = async ({ port, call }: World, first: bigint, last: bigint): Promise<void> => {
  const previous = (await call(() => port.archives(HERE))).at(-1) ?? null
  const records = (await readAll(port, HERE, first)).filter(({ sequence }) => sequence <= last)
  const segment = await encodeSegment(records, previous)
  await call(() => port.archive(HERE, segment))
}

const archiving = (define: Define<Journal, Opened<Journal>>): void => {
  define('J6 archived records are still streamed and read, in order with the others', async (world) => {
    const { port, call } = world
    await appendThrough(world, HERE, 12n)
    await archiveThrough(world, 1n, 4n)
    await archiveThrough(world, 5n, 9n)
    expect(await call(() => port.archivedThrough(HERE))).toBe(9n)
    await call(() => port.removeThrough(HERE, 9n))
    const reopened = world.harness.reopen === undefined ? port : await world.reopen()
    expect((await readAll(reopened, HERE, 1n)).map(plain)).toEqual(plainRange(1n, 12n))
    expect((await readAll(reopened, HERE, 7n)).map(({ sequence }) => sequence)).toEqual([7n, 8n, 9n, 10n, 11n, 12n])
    expect(plain(await call(() => reopened.read(HERE, 3n)))).toEqual(plain(record(3n)))
    const segments = await call(() => reopened.archives(HERE))
    expect(segments.map(({ first, last }) => [first, last])).toEqual([
      [1n, 4n],
      [5n, 9n],
    ])
  })

  define('J3 archived records count: the next append follows them when all others are gone', async (world) => {
    await appendThrough(world, HERE, 3n)
    await archiveThrough(world, 1n, 3n)
    await world.call(() => world.port.removeThrough(HERE, 3n))
    const reopened = world.harness.reopen === undefined ? world.port : await world.reopen()
    const again = { ...world, port: reopened }
    expect(plain(await world.call(() => reopened.head(HERE)))).toEqual(plain(record(3n)))
    expect(await append(again, HERE, record(2n, 'another'))).toBe('taken')
    expect(await append(again, HERE, record(4n))).toBe('appended')
  })

  define('J10 removeThrough deletes nothing that is not archived', async (world) => {
    const { port, call } = world
    await appendThrough(world, HERE, 6n)
    await call(() => port.removeThrough(HERE, 6n))
    expect(await readAll(port, HERE, 1n)).toHaveLength(6)
    await archiveThrough(world, 1n, 2n)
    await call(() => port.removeThrough(HERE, 6n))
    expect((await readAll(port, HERE, 1n)).map(plain)).toEqual(plainRange(1n, 6n))
  })

  define('J10 a segment that does not continue the last one is refused', async (world) => {
    await appendThrough(world, HERE, 5n)
    const later = await encodeSegment([record(3n), record(4n)], { last: 2n, sha256: new Uint8Array(32) })
    await expectFailure('corrupt', () => world.call(() => world.port.archive(HERE, later)))
    expect(await world.call(() => world.port.archivedThrough(HERE))).toBe(0n)
  })
}

/** The Journal contract. */
export const journalContract = (subject: Subject<Opened<Journal>>): void =>
  describeContract(subject, withJournalFaults, (define) => {
    writing(define)
    readingBack(define)
    archiving(define)
  })
