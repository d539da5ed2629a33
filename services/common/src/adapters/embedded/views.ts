import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { PortError } from '../../ports/failure.ts'
import type { ViewModel, Views } from '../../ports/views.ts'
import { createGroupCommit } from './group-commit.ts'
import { openOwnedDatabase, reading, type OpenReport } from './sqlite-database.ts'
import { mapModel, type BoundStatement, type TableMapping } from './view-mapping.ts'

type AnyModel = ViewModel<{ _id: string }>

/** The views on SQLite, and what opening them found. */
export interface SqliteViews extends Views {
  readonly opened: OpenReport & {
    /** Models whose schema differs from the one their table was made for. When there are any, all views start from nothing. */
    readonly remade: readonly string[]
  }
}

/** Prepared statements kept; there are as many as different shapes of writes and queries, which the code fixes. */
const STATEMENTS_MAX = 500

const createStatementCache = (database: DatabaseSync): ((sql: string) => StatementSync) => {
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

const SUPPORT_TABLES = `
  CREATE TABLE IF NOT EXISTS cursors (
    projection TEXT NOT NULL, partition INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (projection, partition)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS mappings (name TEXT PRIMARY KEY NOT NULL, fingerprint TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

/**
 * Makes the tables. When one was made for another schema all are dropped, and every cursor with them: which projection fed
 * which table is not known here, and views are rebuilt from the journal anyway.
 * @returns the models whose schema differs.
 */
const makeTables = (database: DatabaseSync, mappings: readonly TableMapping[]): readonly string[] => {
  database.exec(SUPPORT_TABLES)
  const made = database.prepare('SELECT name, fingerprint FROM mappings').all()
  const known = new Map(made.map((row) => [row['name'], row['fingerprint']]))
  const remade = mappings.filter(({ name, fingerprint }) => known.has(name) && known.get(name) !== fingerprint)
  database.exec('BEGIN IMMEDIATE')
  if (remade.length > 0) {
    for (const mapping of mappings) database.exec(mapping.dropSql)
    database.exec('DELETE FROM cursors')
  }
  const note = database.prepare(
    'INSERT INTO mappings VALUES (?, ?) ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint',
  )
  for (const mapping of mappings) {
    for (const sql of mapping.createSql) database.exec(sql)
    note.run(mapping.name, mapping.fingerprint)
  }
  database.exec('COMMIT')
  return remade.map(({ name }) => name)
}

/**
 * Views on SQLite: a table per model, derived from its mongoose schema; writes and cursor of a record in one transaction.
 * Commits are not flushed one by one: after a crash of the machine the newest may be gone, documents and cursor together,
 * and are projected again. Fields a document lacks read as null.
 * @throws {PortError} `unavailable` when another process has the file, `corrupt` when it is damaged (delete it: it is rebuilt).
 */
export const openSqliteViews = (options: {
  readonly path: string
  readonly models: readonly AnyModel[]
}): SqliteViews => {
  const mappings = new Map(options.models.map((model) => [model.name, mapModel(model)]))
  let remade: readonly string[] = []
  const owned = openOwnedDatabase(options.path, 'normal', (made) => {
    remade = makeTables(made, [...mappings.values()])
  })
  const { database } = owned
  const prepared = createStatementCache(database)
  const commits = createGroupCommit(database, 'views')
  const cursorOf = database.prepare('SELECT sequence FROM cursors WHERE projection = ? AND partition = ?')
  cursorOf.setReadBigInts(true)
  const moveCursor = database.prepare(
    'INSERT INTO cursors VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence',
  )
  const dropCursors = database.prepare('DELETE FROM cursors WHERE projection = ?')
  let isClosed = false

  const checkOpen = (): void => {
    if (isClosed) throw new PortError('closed', 'the views are closed')
  }
  const mappingOf = (model: AnyModel): TableMapping => {
    checkOpen()
    const mapping = mappings.get(model.name)
    if (mapping === undefined) throw new PortError('corrupt', `no view is called ${model.name}`)
    return mapping
  }
  const readCursor = (projection: string, partition: number): bigint =>
    (cursorOf.get(projection, partition)?.['sequence'] as bigint | undefined) ?? 0n
  const rows = ({ sql, values }: BoundStatement) => reading('views', () => prepared(sql).all(...values))

  const projectNow = (
    projection: string,
    partition: number,
    sequence: bigint,
    statements: readonly BoundStatement[],
  ): void => {
    // What was projected before is not written again: an older record must not undo what a newer one said.
    if (sequence <= readCursor(projection, partition)) return
    for (const { sql, values } of statements) prepared(sql).run(...values)
    moveCursor.run(projection, partition, sequence)
  }

  return {
    opened: { ...owned.report, remade },
    project: async (projection, partition, sequence, writes) => {
      checkOpen()
      // All is checked and encoded before anything changes.
      const statements = writes.map((write) => mappingOf(write.model).write(write))
      await commits.run(() => projectNow(projection, partition, sequence, statements))
    },
    cursor: async (projection, partition) => {
      checkOpen()
      return reading('views', () => readCursor(projection, partition))
    },
    get: async <Document extends { _id: string }>(model: ViewModel<Document>, id: string) => {
      const mapping = mappingOf(model)
      const [row] = rows(mapping.get(id))
      // The document has the fields of the model's schema, which is what its type says.
      return row === undefined ? null : (mapping.documentOf(row) as Document)
    },
    find: async <Document extends { _id: string }>(model: ViewModel<Document>, query: Parameters<Views['find']>[1]) => {
      const mapping = mappingOf(model)
      return rows(mapping.find(query)).map((row) => mapping.documentOf(row) as Document)
    },
    clear: async (projection, models) => {
      checkOpen()
      const cleared = models.map((model) => mappingOf(model).clearSql)
      await commits.run(() => {
        for (const sql of cleared) database.exec(sql)
        dropCursors.run(projection)
      })
    },
    close: async () => {
      if (isClosed) return
      isClosed = true
      await commits.close()
      owned.close()
    },
  }
}
