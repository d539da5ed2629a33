import type { StatementSync } from 'node:sqlite'
import type { ViewModel, Views } from '../../ports/views.ts'
import { reading } from './sqlite-database.ts'
import type { BoundStatement, TableMapping } from './view-mapping.ts'

/** The reads of views on a connection: `mappingOf` refuses what is no view. */
export const createViewsQueries = (
  prepared: (sql: string) => StatementSync,
  mappingOf: (model: ViewModel<{ _id: string }>) => TableMapping,
): Pick<Views, 'get' | 'find'> => {
  const rows = ({ sql, values }: BoundStatement) => reading('views', () => prepared(sql).all(...values))
  const row = ({ sql, values }: BoundStatement) => reading('views', () => prepared(sql).get(...values))
  return {
    get: async <Document extends { _id: string }>(model: ViewModel<Document>, id: string) => {
      const mapping = mappingOf(model)
      const found = row(mapping.get(id))
      // The document has the fields of the model's schema, which is what its type says.
      return found === undefined ? null : (mapping.documentOf(found) as Document)
    },
    find: async <Document extends { _id: string }>(model: ViewModel<Document>, query: Parameters<Views['find']>[1]) => {
      const mapping = mappingOf(model)
      return rows(mapping.find(query)).map((row) => mapping.documentOf(row) as Document)
    },
  }
}
