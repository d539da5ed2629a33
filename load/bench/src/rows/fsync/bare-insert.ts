import { randomBytes } from 'node:crypto'
import { createJournalStatements, JOURNAL_TABLES } from '@bourse/common/adapters/embedded/journal-statements.ts'
import { openOwnedDatabase } from '@bourse/common/adapters/embedded/sqlite-database.ts'
import { nowMs, type Subject } from './slices.ts'

/** Records of one size that take turns: the same page would stay in every cache. */
const BODIES = 16
/** Inserts between two looks at the clock, at most. */
const INSERTS_PER_LOOK = 16

/**
 * The peer `bare-insert`: what the disk and SQLite allow. The journal's own database settings, table and statement, one
 * record of `bodyBytes` per transaction, nothing around it: no machine, no hash, no check. Counts `commandsPerRecord`
 * operations for each record, as if somebody else made it.
 */
export const createBareInsert = (options: {
  readonly path: string
  readonly bodyBytes: number
  readonly commandsPerRecord: number
}): Subject & { close(): void } => {
  const { path, bodyBytes, commandsPerRecord } = options
  const owned = openOwnedDatabase(path, 'full', (made) => made.exec(JOURNAL_TABLES))
  const { database } = owned
  const statements = createJournalStatements(database)
  const hash = randomBytes(32)
  const bodies = Array.from({ length: BODIES }, () => new Uint8Array(randomBytes(bodyBytes)))
  let sequence = 0n

  const insertOne = (): void => {
    sequence += 1n
    const body = bodies[Number(sequence % BigInt(BODIES))]!
    database.exec('BEGIN IMMEDIATE')
    statements.insert(1, { sequence, hash, body })
    database.exec('COMMIT')
  }

  return {
    name: 'bare-insert',
    work: async (durationMs) => {
      const startMs = nowMs()
      let inserts = 0
      while (nowMs() - startMs < durationMs) {
        for (let index = 0; index < INSERTS_PER_LOOK; index++) insertOne()
        inserts += INSERTS_PER_LOOK
      }
      return { operations: inserts * commandsPerRecord, tookMs: nowMs() - startMs }
    },
    close: () => owned.close(),
  }
}
