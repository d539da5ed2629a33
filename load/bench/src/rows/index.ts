import type { GroupEntry } from '../row.ts'
import { fsyncGroups } from './fsync/groups.ts'
import { wireGroups } from './wire/groups.ts'

/** Every group, in the order of the report. A folder's groups.ts lists its own. */
export const groups: readonly GroupEntry[] = [...fsyncGroups, ...wireGroups]
