import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { createGroupCommit } from './group-commit.ts'
import type { BoundStatement } from './view-mapping.ts'

/** What changes the views: encoded already, so that it is the same in this thread and in another. */
export interface ViewsWriter {
  /** Runs the statements and moves the cursor, in one transaction; nothing when the cursor is there already. */
  project(projection: string, partition: number, sequence: bigint, statements: readonly BoundStatement[]): Promise<void>
  /** Runs the statements and drops the cursors of the projection. */
  clear(projection: string, statements: readonly string[]): Promise<void>
  /** Commits what waits; nothing is taken any more. */
  close(): Promise<void>
}

/** Prepared statements kept; there are as many as different shapes of writes and queries, which the code fixes. */
export const STATEMENTS_MAX = 500

/** Prepares each text once. */
export const createStatementCache = (database: DatabaseSync): ((sql: string) => StatementSync) => {
  const statements = new Map<string, StatementSync>()
  return (sql) => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const made = database.prepare(sql)
    if (statements.size >= STATEMENTS_MAX) statements.clear()
    statements.set(sql, made)
    return made
  }
}

/** How the cursor of a projection in a partition is read. */
export const createCursorReader = (database: DatabaseSync): ((projection: string, partition: number) => bigint) => {
  const statement = database.prepare('SELECT sequence FROM cursors WHERE projection = ? AND partition = ?')
  statement.setReadBigInts(true)
  return (projection, partition) => (statement.get(projection, partition)?.['sequence'] as bigint | undefined) ?? 0n
}

/** Writes on a connection that nothing else writes through; what comes in one turn of the event loop shares a commit. */
export const createViewsWriter = (database: DatabaseSync): ViewsWriter => {
  const prepared = createStatementCache(database)
  const commits = createGroupCommit(database, 'views')
  const readCursor = createCursorReader(database)
  const moveCursor = database.prepare(
    'INSERT INTO cursors VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence',
  )
  const dropCursors = database.prepare('DELETE FROM cursors WHERE projection = ?')
  return {
    project: (projection, partition, sequence, statements) =>
      commits.run(() => {
        // What was projected before is not written again: an older record must not undo what a newer one said.
        if (sequence <= readCursor(projection, partition)) return
        for (const { sql, values } of statements) prepared(sql).run(...values)
        moveCursor.run(projection, partition, sequence)
      }),
    clear: (projection, statements) =>
      commits.run(() => {
        for (const sql of statements) database.exec(sql)
        dropCursors.run(projection)
      }),
    close: () => commits.close(),
  }
}
