import type { DatabaseSync } from 'node:sqlite'
import { PortError } from '../../ports/failure.ts'
import type { ViewModel, Views } from '../../ports/views.ts'
import { openOwnedDatabase, reading, type OpenReport } from './sqlite-database.ts'
import { mapModel, type TableMapping } from './view-mapping.ts'
import { createViewsQueries } from './views-queries.ts'
import { tuneViews } from './views-tuning.ts'
import { createCursorReader, createStatementCache, createViewsWriter } from './views-writer.ts'

type AnyModel = ViewModel<{ _id: string }>

/** The views on SQLite, and what opening them found. */
export interface SqliteViews extends Views {
  readonly opened: OpenReport & {
    /** Models whose schema differs from the one their table was made for. When there are any, all views start from nothing. */
    readonly remade: readonly string[]
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
  tuneViews(database)
  const prepared = createStatementCache(database)
  const readCursor = createCursorReader(database)
  const writer = createViewsWriter(database)
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

  return {
    opened: { ...owned.report, remade },
    project: async (projection, partition, sequence, writes) => {
      checkOpen()
      // All is checked and encoded before anything changes.
      const statements = writes.map((write) => mappingOf(write.model).write(write))
      await writer.project(projection, partition, sequence, statements)
    },
    cursor: async (projection, partition) => {
      checkOpen()
      return reading('views', () => readCursor(projection, partition))
    },
    ...createViewsQueries(prepared, mappingOf),
    clear: async (projection, models) => {
      checkOpen()
      await writer.clear(
        projection,
        models.map((model) => mappingOf(model).clearSql),
      )
    },
    close: async () => {
      if (isClosed) return
      isClosed = true
      await writer.close()
      owned.close()
    },
  }
}
