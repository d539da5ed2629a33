import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Journal, StoredRecord } from '@bourse/common/ports/journal.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import type { Handlers, Peer } from './rpc.ts'

/** Records of one answer. */
const PAGE_RECORDS_MAX = 200

/** What a file of one process offers the others of a test: SQLite's journal belongs to one process at a time. */
export const storeHandlers = (journal: Journal, snapshots: Snapshots): Handlers => {
  const page = async (partition: PartitionNumber, sequence: bigint): Promise<StoredRecord[]> => {
    const records: StoredRecord[] = []
    for await (const record of journal.readFrom(partition, sequence)) {
      records.push(record)
      if (records.length >= PAGE_RECORDS_MAX) break
    }
    return records
  }
  return {
    'journal.append': journal.append,
    'journal.head': journal.head,
    'journal.read': journal.read,
    'journal.page': page,
    'journal.loadCursors': journal.loadCursors,
    'journal.saveCursors': journal.saveCursors,
    'journal.archive': journal.archive,
    'journal.archives': journal.archives,
    'journal.archivedThrough': journal.archivedThrough,
    'journal.removeThrough': journal.removeThrough,
    'journal.partitions': journal.partitions,
    'snapshots.write': snapshots.write,
    'snapshots.list': snapshots.list,
    'snapshots.read': snapshots.read,
    'snapshots.remove': snapshots.remove,
  }
}

/** The journal of the process that started this one. */
export const createRemoteJournal = (peer: Peer): Journal => ({
  append: (...args) => peer.call('journal.append', ...args),
  head: (...args) => peer.call('journal.head', ...args),
  read: (...args) => peer.call('journal.read', ...args),
  readFrom: async function* (partition, sequence) {
    for (let next = sequence; ;) {
      const records = await peer.call<StoredRecord[]>('journal.page', partition, next)
      yield* records
      const last = records.at(-1)
      if (last === undefined || records.length < PAGE_RECORDS_MAX) return
      next = last.sequence + 1n
    }
  },
  loadCursors: (...args) => peer.call('journal.loadCursors', ...args),
  saveCursors: (...args) => peer.call('journal.saveCursors', ...args),
  archive: (...args) => peer.call('journal.archive', ...args),
  archives: (...args) => peer.call('journal.archives', ...args),
  archivedThrough: (...args) => peer.call('journal.archivedThrough', ...args),
  removeThrough: (...args) => peer.call('journal.removeThrough', ...args),
  partitions: () => peer.call('journal.partitions'),
  close: () => Promise.resolve(),
})

/** The snapshots of the process that started this one. */
export const createRemoteSnapshots = (peer: Peer): Snapshots => ({
  write: (...args) => peer.call('snapshots.write', ...args),
  list: (...args) => peer.call('snapshots.list', ...args),
  read: (...args) => peer.call('snapshots.read', ...args),
  remove: (...args) => peer.call('snapshots.remove', ...args),
  close: () => Promise.resolve(),
})
