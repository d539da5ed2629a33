import { createBytePool } from '@bourse/common/codec/byte-pool.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { StreamEvent } from '@bourse/common/ports/events.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import {
  RECORD_BYTES_MAX,
  type AppendResult,
  type ArchiveSegment,
  type EffectCursor,
  type Journal,
  type StoredRecord,
} from '@bourse/common/ports/journal.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { World } from '../world/world.ts'

/** What is stored of one partition. */
interface Log {
  readonly name: string
  /** Record n at n − 1. Archived ones stay: what an archive answers is what was archived. */
  readonly records: StoredRecord[]
  cursors: readonly EffectCursor[]
  readonly segments: ArchiveSegment[]
}

/** The journal's disk: everything happens at once and in order, nothing fails that the contract does not refuse. */
export interface JournalDisk {
  append(partition: PartitionNumber, record: StoredRecord): AppendResult
  head(partition: PartitionNumber): StoredRecord | null
  read(partition: PartitionNumber, sequence: bigint): StoredRecord | null
  /** At most `countMax` records from a sequence on. */
  page(partition: PartitionNumber, sequence: bigint, countMax: number): readonly StoredRecord[]
  cursors(partition: PartitionNumber): readonly EffectCursor[]
  saveCursors(partition: PartitionNumber, cursors: readonly EffectCursor[]): void
  archive(partition: PartitionNumber, segment: ArchiveSegment): void
  archives(partition: PartitionNumber): readonly ArchiveSegment[]
  archivedThrough(partition: PartitionNumber): bigint
  partitions(): readonly PartitionNumber[]
  /** Flips a byte of a stored record; the answer puts it back. */
  flip(partition: PartitionNumber, sequence: bigint, random: SeededRandom): (() => void) | null
  onAppended(watcher: (event: StreamEvent) => void): void
  /** Records stored in all partitions. */
  readonly records: number
}

/** @throws {PortError} when the record is none that a journal may store. */
export const checkRecord = (record: StoredRecord): void => {
  if (record.body.length > RECORD_BYTES_MAX)
    throw new PortError('full', `a record of ${record.body.length} bytes; at most ${RECORD_BYTES_MAX}`)
  if (record.hash.length !== 32)
    throw new PortError('corrupt', `a record's hash has ${record.hash.length} bytes instead of 32`)
  if (record.sequence < 1n) throw new PortError('corrupt', `record ${record.sequence}: sequences start at 1`)
}

/** Makes copies of records: neither the writer's buffer nor a reader's hand reaches the disk. */
export const createRecordCopies = (): ((record: StoredRecord) => StoredRecord) => {
  const copyBytes = createBytePool()
  return ({ sequence, hash, body }) => ({ sequence, hash: copyBytes(hash), body: copyBytes(body) })
}

const hexOf = (hash: Uint8Array): string =>
  Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex', 0, 8)

/** Makes an empty disk. Every record that reaches it goes into the trace. */
export const createJournalDisk = (world: World): JournalDisk => {
  const logs = new Map<PartitionNumber, Log>()
  const watchers: ((event: StreamEvent) => void)[] = []
  let records = 0

  const logOf = (partition: PartitionNumber): Log => {
    const known = logs.get(partition)
    if (known !== undefined) return known
    const made: Log = { name: partitionName(partition), records: [], cursors: [], segments: [] }
    logs.set(partition, made)
    return made
  }
  const archivedThrough = (partition: PartitionNumber): bigint => logOf(partition).segments.at(-1)?.last ?? 0n
  const read = (partition: PartitionNumber, sequence: bigint): StoredRecord | null =>
    logOf(partition).records[Number(sequence) - 1] ?? null

  return {
    append: (partition, record) => {
      const log = logOf(partition)
      const head = BigInt(log.records.length)
      if (record.sequence <= head) {
        world.trace.note(`${log.name} ${record.sequence} taken`)
        return 'taken'
      }
      if (record.sequence !== head + 1n)
        throw new PortError('corrupt', `record ${record.sequence} of ${log.name} would leave a gap after ${head}`)
      log.records.push(record)
      records += 1
      world.trace.note(`${log.name} ${record.sequence} ${hexOf(record.hash)}`)
      for (const watcher of watchers) watcher({ partition, sequence: record.sequence, body: record.body })
      return 'appended'
    },
    head: (partition) => logOf(partition).records.at(-1) ?? null,
    read,
    page: (partition, sequence, countMax) => {
      const start = Math.max(0, Number(sequence) - 1)
      return logOf(partition).records.slice(start, start + countMax)
    },
    cursors: (partition) => logOf(partition).cursors,
    saveCursors: (partition, cursors) => {
      logOf(partition).cursors = cursors.map((cursor) => ({ ...cursor }))
    },
    archive: (partition, segment) => {
      const log = logOf(partition)
      const through = archivedThrough(partition)
      const isSame = ({ first, sha256 }: ArchiveSegment): boolean =>
        first === segment.first && Buffer.compare(sha256, segment.sha256) === 0
      if (segment.last <= through && log.segments.some(isSame)) return
      const { first, last } = segment
      if (first !== through + 1n || last < first || last > BigInt(log.records.length))
        throw new PortError('corrupt', `archive ${first}…${last} does not continue ${through}`)
      log.segments.push({ first, last, sha256: new Uint8Array(segment.sha256), bytes: new Uint8Array(segment.bytes) })
    },
    archives: (partition) => [...logOf(partition).segments],
    archivedThrough,
    partitions: () => [...logs].filter(([, log]) => log.records.length > 0).map(([partition]) => partition),
    flip: (partition, sequence, random) => {
      const body = read(partition, sequence)?.body
      if (body === undefined || body.length === 0) return null
      const at = random.below(body.length)
      const mask = 1 << random.below(8)
      body[at]! ^= mask
      return () => {
        body[at]! ^= mask
      }
    },
    onAppended: (watcher) => void watchers.push(watcher),
    get records() {
      return records
    },
  }
}

/** The disk as a port for an inspector: no doors, no delays, no faults. */
export const createBareJournal = (disk: JournalDisk): Journal => ({
  append: async (partition, record) => {
    checkRecord(record)
    return disk.append(partition, record)
  },
  head: async (partition) => disk.head(partition),
  read: async (partition, sequence) => disk.read(partition, sequence),
  readFrom: async function* (partition, sequence) {
    for (let next = sequence < 1n ? 1n : sequence; ; next += 1n) {
      const record = disk.read(partition, next)
      if (record === null) return
      yield record
    }
  },
  loadCursors: async (partition) => disk.cursors(partition),
  saveCursors: async (partition, cursors) => disk.saveCursors(partition, cursors),
  archive: async (partition, segment) => disk.archive(partition, segment),
  archives: async (partition) => disk.archives(partition),
  archivedThrough: async (partition) => disk.archivedThrough(partition),
  removeThrough: async () => undefined,
  partitions: async () => disk.partitions(),
  close: async () => undefined,
})
