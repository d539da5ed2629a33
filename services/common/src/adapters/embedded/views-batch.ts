import { DatabaseSync } from 'node:sqlite'
import { PortError } from '../../ports/failure.ts'
import type { ViewModel, Views, ViewWrite } from '../../ports/views.ts'
import { failureOf } from './sqlite-database.ts'
import { mapModel, type BoundStatement, type TableMapping } from './view-mapping.ts'
import { createViewsQueries } from './views-queries.ts'
import { tuneViews } from './views-tuning.ts'
import { createCursorReader, createStatementCache } from './views-writer.ts'

type AnyModel = ViewModel<{ _id: string }>

/** Writes to the views, many records in one transaction, on a connection beside the one that made their tables. */
export interface ViewsBatch extends Pick<Views, 'get' | 'find'> {
  cursor(projection: string, partition: number): bigint
  begin(): void
  /**
   * Adds a record's writes and its cursor. All is checked and encoded before anything changes.
   * @throws {PortError} `corrupt` on a write that no view takes: then nothing of it was written and the transaction goes on
   */
  add(projection: string, partition: number, sequence: bigint, writes: readonly ViewWrite[]): void
  commit(): void
  /** Undoes what was begun; nothing when SQLite has done so. */
  rollBack(): void
  close(): void
}

/**
 * Opens a second connection to views whose tables are there. `get` and `find` see what the transaction has written already.
 */
export const openViewsBatch = (path: string, models: readonly AnyModel[]): ViewsBatch => {
  const database = new DatabaseSync(path)
  tuneViews(database)
  const mappings = new Map<string, TableMapping>(models.map((model) => [model.name, mapModel(model)]))
  const prepared = createStatementCache(database)
  const readCursor = createCursorReader(database)
  const moveCursor = database.prepare(
    'INSERT INTO cursors VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence',
  )
  const mappingOf = (model: AnyModel): TableMapping => {
    const mapping = mappings.get(model.name)
    if (mapping === undefined) throw new PortError('corrupt', `no view is called ${model.name}`)
    return mapping
  }
  const writing = <Value>(task: () => Value): Value => {
    try {
      return task()
    } catch (error) {
      throw failureOf(error, 'views')
    }
  }
  const run = ({ sql, values }: BoundStatement): void => void prepared(sql).run(...values)
  return {
    ...createViewsQueries(prepared, mappingOf),
    cursor: readCursor,
    begin: () => writing(() => database.exec('BEGIN IMMEDIATE')),
    add: (projection, partition, sequence, writes) => {
      const statements = writes.map((write) => mappingOf(write.model).write(write))
      writing(() => {
        for (const statement of statements) run(statement)
        moveCursor.run(projection, partition, sequence)
      })
    },
    commit: () => writing(() => database.exec('COMMIT')),
    rollBack: () => {
      if (database.isTransaction) database.exec('ROLLBACK')
    },
    close: () => {
      if (database.isOpen) database.close()
    },
  }
}
