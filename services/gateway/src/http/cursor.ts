import { invalid } from './api-error.ts'

/** Where a page ended: the sort value and id of its last document. */
export interface PageEnd {
  readonly sortValue: string
  readonly id: string
}

const PARTS = 3

/** An opaque cursor bound to what was asked (`scope`), so that it cannot be used with another filter. */
export const encodeCursor = (scope: string, end: PageEnd): string =>
  Buffer.from(JSON.stringify([scope, end.sortValue, end.id])).toString('base64url')

/** Reads a cursor. @throws {ApiError} when it is none, or one of another list or filter */
export const decodeCursor = (scope: string, cursor: string): PageEnd => {
  const refused = invalid('cursor is not one that this list gave; start again without it')
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw refused
  }
  if (!Array.isArray(parts) || parts.length !== PARTS || parts.some((part) => typeof part !== 'string')) throw refused
  const [cursorScope, sortValue, id] = parts as [string, string, string]
  if (cursorScope !== scope) throw refused
  return { sortValue, id }
}

/** Cuts a page that was read with one document more than asked. */
export const cutPage = <Item>(
  found: readonly Item[],
  limit: number,
  scope: string,
  endOf: (item: Item) => PageEnd,
): {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
} => {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: found.length > limit && last !== undefined ? encodeCursor(scope, endOf(last)) : null }
}
