import type { GroupEntry } from '../row.ts'
import { brokerGroups } from './broker/groups.ts'
import { coreGroups } from './core/groups.ts'
import { fsyncGroups } from './fsync/groups.ts'
import { memoryGroups } from './memory/groups.ts'
import { recoveryGroups } from './recovery/groups.ts'
import { riskGroups } from './risk/groups.ts'
import { traceGroups } from './trace/groups.ts'
import { wireGroups } from './wire/groups.ts'

/** Every group, in the order of the report. A folder's groups.ts lists its own. */
export const groups: readonly GroupEntry[] = [
  ...riskGroups,
  ...coreGroups,
  ...memoryGroups,
  ...recoveryGroups,
  ...fsyncGroups,
  ...brokerGroups,
  ...wireGroups,
  ...traceGroups,
]
