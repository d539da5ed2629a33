import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import type { Views } from '@bourse/common/ports/views.ts'

/** What survives every crash. */
export interface Disks {
  readonly journal: Journal
  readonly snapshots: Snapshots
  readonly views: Views
}
