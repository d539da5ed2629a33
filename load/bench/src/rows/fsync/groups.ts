import type { GroupEntry } from '../../row.ts'

/** Through the SQLite journal, flushed to the disk. */
export const fsyncGroups: readonly GroupEntry[] = []
