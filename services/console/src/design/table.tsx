import type { ReactNode } from 'react'

/** A column: what stands in its head and in each cell. */
export interface Column<Row> {
  readonly name: string
  readonly cell: (row: Row) => ReactNode
  /** Numbers stand at the end, in figures of one width. */
  readonly numeric?: boolean
  /** Left out on a phone, where it would push the others away. */
  readonly wideOnly?: boolean
}

interface TableProps<Row> {
  /** Says what the table is, for those who hear it. */
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** A stable name of a row for tests. */
  readonly testIdOf?: (row: Row) => string
  /** Shown below a row, over all columns; null for none. */
  readonly detail?: (row: Row) => ReactNode
  /** The same name on every row, where tests only count them. */
  readonly rowTestId?: string
}

const cellClass = <Row,>({ numeric, wideOnly }: Column<Row>): string =>
  `${numeric === true ? 'cell-number number' : ''}${wideOnly === true ? ' cell-wide' : ''}`

/** A table that scrolls sideways within itself, reachable by keyboard; never the page. */
export const Table = <Row,>({ caption, columns, rows, keyOf, testIdOf, detail, rowTestId }: TableProps<Row>) => (
  <div className="table-frame" tabIndex={0} role="group" aria-label={caption}>
    <table>
      <caption className="hidden-visually">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.name} scope="col" className={cellClass(column)}>
              {column.name}
            </th>
          ))}
        </tr>
      </thead>
      {rows.map((row) => {
        const more = detail?.(row) ?? null
        return (
          <tbody key={keyOf(row)}>
            <tr data-testid={testIdOf?.(row) ?? rowTestId}>
              {columns.map((column) => (
                <td key={column.name} className={cellClass(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
            {more === null ? null : (
              <tr className="table-detail">
                <td colSpan={columns.length}>{more}</td>
              </tr>
            )}
          </tbody>
        )
      })}
    </table>
  </div>
)
