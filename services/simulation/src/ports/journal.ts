import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { AppendResult, EffectCursor, Journal, StoredRecord } from '@bourse/common/ports/journal.ts'
import type { Faults } from '../faults/faults.ts'
import type { World } from '../world/world.ts'
import { checkRecord, createRecordCopies, type JournalDisk } from './journal-disk.ts'
import { callOf, type Process } from './process.ts'
import type { Travel } from './travel.ts'

/** The journal between the processes and its disk. */
export interface JournalService {
  open(process: Process): Journal
  /** Decides for each append that is on its way to the disk whether it is there or not. */
  tear(): void
}

interface JournalDeps {
  readonly world: World
  readonly faults: Faults
  readonly travel: Travel
  readonly disk: JournalDisk
  readonly isFull: () => boolean
}

/** An append on its way to the disk. */
interface OnItsWay {
  land(): void
  lose(): void
}

const closed = (): PortError => new PortError('closed', 'the journal is closed')
const errorOf = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** How long a writer waits at most until it takes its append for unheard, ms. */
const UNHEARD_MS_MAX = 500
/** Records that one page of a stream brings: now few, now many. */
const PAGE_RECORDS = [3, 32, 256] as const

/** Makes the journal service of a world (port Journal at each door). */
export const createJournalService = (deps: JournalDeps): JournalService => {
  const { world, faults, travel, disk } = deps
  const random = world.chance('journal')
  const [copyOfWritten, copyOfRead] = [createRecordCopies(), createRecordCopies()]
  const onTheirWay = new Set<OnItsWay>()

  const open = (process: Process): Journal => {
    const lanes = new Map<PartitionNumber, { lastAtMs: number; readonly append: string; readonly answer: string }>()
    /** What this process saved last, and what was there before: a crash may lose the newest. */
    const savedCursors = new Map<PartitionNumber, readonly EffectCursor[]>()
    const reads = `${process.name} reads the journal`
    const writes = `${process.name} writes to the journal`
    let isClosed = false

    process.onKilled(() => {
      for (const [partition, before] of savedCursors)
        if (faults.strikes('cursors-lost')) disk.saveCursors(partition, before)
      savedCursors.clear()
    })

    const laneOf = (partition: PartitionNumber) => {
      const known = lanes.get(partition)
      if (known !== undefined) return known
      const way = `${process.name} > ${partitionName(partition)}`
      const made = { lastAtMs: 0, append: `append ${way}`, answer: `append answered ${way}` }
      lanes.set(partition, made)
      return made
    }

    const startAppend = (
      partition: PartitionNumber,
      record: StoredRecord,
      resolve: (result: AppendResult) => void,
      reject: (error: Error) => void,
    ): void => {
      const lane = laneOf(partition)
      const isRefused = faults.strikes('append-refused')
      const isUnheard = !isRefused && faults.strikes('append-unheard')
      const isDone = !isRefused && !(isUnheard && random.chance(40))
      const answer = (settle: () => void): void =>
        void world.schedule(travel.message() + (isUnheard ? random.between(0, UNHEARD_MS_MAX) : 0), lane.answer, () => {
          process.pace.note()
          if (isUnheard) reject(new PortError(random.chance(50) ? 'unknown' : 'timeout', 'the journal did not answer'))
          else settle()
        })
      const land = (): void => {
        onTheirWay.delete(onItsWay)
        if (isRefused) return answer(() => reject(new PortError('unavailable', 'the journal refused the append')))
        if (deps.isFull()) return answer(() => reject(new PortError('full', 'the disk is full')))
        if (!isDone) return answer(() => undefined)
        try {
          const result = disk.append(partition, record)
          answer(() => resolve(result))
        } catch (error) {
          answer(() => reject(errorOf(error)))
        }
      }
      lane.lastAtMs = Math.max(lane.lastAtMs, world.nowMs() + travel.write())
      const scheduled = world.schedule(lane.lastAtMs - world.nowMs(), lane.append, land)
      const onItsWay: OnItsWay = {
        land: () => {
          scheduled.cancel()
          land()
        },
        lose: () => {
          scheduled.cancel()
          onTheirWay.delete(onItsWay)
          reject(new PortError('unknown', 'the connection to the journal was lost'))
        },
      }
      onTheirWay.add(onItsWay)
    }

    /** A question: what is answered was so at some moment between the call and its answer. */
    const ask = <Value>(read: () => Value): Promise<Value> => {
      if (isClosed) return Promise.reject(closed())
      return callOf(process, (resolve, reject) => {
        const isUnreadable = faults.strikes('journal-unreadable')
        const early = !isUnreadable && random.chance(50) ? { value: read() } : null
        world.schedule(travel.read(), reads, () => {
          if (isUnreadable) return reject(new PortError('unavailable', 'the journal can not be read'))
          resolve(early === null ? read() : early.value)
        })
      })
    }

    /** A change besides the records themselves. */
    const change = (task: () => void): Promise<void> => {
      if (isClosed) return Promise.reject(closed())
      return callOf(process, (resolve, reject) => {
        const isRefused = faults.strikes('append-refused')
        world.schedule(travel.read(), writes, () => {
          if (isRefused) return reject(new PortError('unavailable', 'the journal refused the write'))
          try {
            task()
            resolve()
          } catch (error) {
            reject(errorOf(error))
          }
        })
      })
    }

    const readFrom = async function* (partition: PartitionNumber, sequence: bigint): AsyncGenerator<StoredRecord> {
      let next = sequence < 1n ? 1n : sequence
      for (;;) {
        const countMax = random.pick(PAGE_RECORDS)
        const page = await ask(() => disk.page(partition, next, countMax))
        for (const record of page) yield copyOfRead(record)
        next += BigInt(page.length)
        if (page.length < countMax) return
      }
    }

    const copied = (record: StoredRecord | null): StoredRecord | null => (record === null ? null : copyOfRead(record))

    return {
      append: (partition, record) => {
        if (isClosed) return Promise.reject(closed())
        try {
          checkRecord(record)
        } catch (error) {
          return Promise.reject(errorOf(error))
        }
        const sent = copyOfWritten(record)
        return callOf(process, (resolve, reject) => startAppend(partition, sent, resolve, reject))
      },
      head: (partition) => ask(() => copied(disk.head(partition))),
      read: (partition, sequence) => ask(() => copied(disk.read(partition, sequence))),
      readFrom,
      loadCursors: (partition) => ask(() => disk.cursors(partition).map((cursor) => ({ ...cursor }))),
      saveCursors: (partition, cursors) => {
        const sent = cursors.map((cursor) => ({ ...cursor }))
        return change(() => {
          savedCursors.set(partition, disk.cursors(partition))
          disk.saveCursors(partition, sent)
        })
      },
      archive: (partition, segment) => change(() => disk.archive(partition, segment)),
      archives: (partition) => ask(() => disk.archives(partition)),
      archivedThrough: (partition) => ask(() => disk.archivedThrough(partition)),
      removeThrough: () => change(() => undefined),
      partitions: () => ask(() => disk.partitions()),
      close: async () => {
        isClosed = true
      },
    }
  }

  return {
    open,
    tear: () => {
      for (const append of [...onTheirWay]) {
        if (!faults.has('append-torn') || random.chance(50)) append.land()
        else {
          faults.count('append-torn')
          append.lose()
        }
      }
    },
  }
}
