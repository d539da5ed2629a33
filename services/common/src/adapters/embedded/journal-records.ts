import type { PartitionNumber } from '../../kernel/partition.ts'
import { PortError } from '../../ports/failure.ts'
import type { StoredRecord } from '../../ports/journal.ts'
import { recordsIn } from '../journal-checks.ts'
import type { JournalStatements } from './journal-statements.ts'
import { reading } from './sqlite-database.ts'

/** Records a page of `readFrom` reads at once, and the bytes after which it ends early. */
const PAGE_RECORDS = 256
const PAGE_BYTES = 4 * 1024 * 1024

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Records of one partition from a sequence on: pages from the table, archived ones out of their segments. */
export const readRecords = async function* (
  statements: JournalStatements,
  partition: PartitionNumber,
  from: bigint,
  checkOpen: () => void,
): AsyncGenerator<StoredRecord> {
  let next = from < 1n ? 1n : from
  for (;;) {
    checkOpen()
    const page = reading('journal', () => statements.page(partition, next, PAGE_RECORDS, PAGE_BYTES))
    if (page[0]?.sequence === next) {
      for (const record of page) yield record
      next += BigInt(page.length)
      await turn() // A long replay lets others have their turns.
      continue
    }
    const segment = reading('journal', () => statements.segmentHolding(partition, next))
    if (segment === null) {
      if (page.length > 0) throw new PortError('corrupt', `record ${next} of partition ${partition} is missing`)
      return
    }
    for (const record of await recordsIn(segment)) {
      if (record.sequence === next) {
        yield record
        next += 1n
      }
    }
  }
}
