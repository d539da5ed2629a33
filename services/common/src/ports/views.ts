import type { Schema } from 'mongoose'

/**
 * A view's model: declared once as a mongoose schema (see `views/models.ts`); both adapters follow it. `_id` is the
 * key, a string.
 */
export interface ViewModel<Document extends { _id: string }> {
  readonly name: string
  readonly schema: Schema
  /** Carries the document type; never set. */
  readonly type?: Document
}

/** A value in a view. Amounts are bigint units; adapters keep all their digits. */
export type ViewValue =
  string | number | bigint | boolean | null | readonly ViewValue[] | { readonly [key: string]: ViewValue }

/** Equality, lists and ranges over top-level indexed fields. */
export type ViewFilter = Readonly<
  Record<
    string,
    | string
    | number
    | bigint
    | boolean
    | null
    | {
        readonly in?: readonly (string | number)[]
        readonly gt?: string | number | bigint
        readonly gte?: string | number | bigint
        readonly lt?: string | number | bigint
        readonly lte?: string | number | bigint
      }
  >
>

/** A stable page: `after` is the sort key of the last document of the page before. */
export interface ViewQuery {
  readonly filter: ViewFilter
  /** Field to sort by, then `_id`. */
  readonly sortBy: string
  readonly direction: 'ascending' | 'descending'
  readonly after?: { readonly sortValue: string | number | bigint; readonly id: string }
  readonly limit: number
}

/**
 * One change to a view. `merge` sets the given fields of a document, creating it when absent; `insert` does nothing
 * when it is there.
 */
export type ViewWrite =
  | {
      readonly kind: 'merge'
      readonly model: ViewModel<{ _id: string }>
      readonly id: string
      readonly fields: Readonly<Record<string, ViewValue>>
    }
  | {
      readonly kind: 'insert'
      readonly model: ViewModel<{ _id: string }>
      readonly id: string
      readonly fields: Readonly<Record<string, ViewValue>>
    }

/**
 * Views: the query side, rebuildable from the journal.
 *
 * V1 `project` applies the writes and then moves the cursor; the same call again (same or lower cursor) leaves the same
 *    documents: writes are idempotent.
 * V2 A crash inside `project` leaves a cursor that is not ahead of the documents.
 * V3 `cursor` is the last projected sequence of (projection, partition), 0 when none.
 * V4 `find` pages are stable: walking with `after` sees each document once that was there all the while, whatever is
 *    written meanwhile.
 * V5 Values round-trip exactly: 64-bit and larger integers, text of any script, null.
 * V6 `get` and `find` see every `project` that had resolved before.
 * V7 A field that the model's schema does not name, a value of another kind than its field, and a filter or sort on a field
 *    without an index are refused `corrupt`.
 * V8 `clear` removes the documents of the given models and the cursors of the projection: a rebuild starts from
 *    nothing.
 * V9 `limit` is at most VIEW_PAGE_MAX; more is refused `corrupt`.
 * V10 Calls after `close` fail `closed`.
 */
export interface Views {
  project(projection: string, partition: number, sequence: bigint, writes: readonly ViewWrite[]): Promise<void>
  cursor(projection: string, partition: number): Promise<bigint>
  get<Document extends { _id: string }>(model: ViewModel<Document>, id: string): Promise<Document | null>
  find<Document extends { _id: string }>(model: ViewModel<Document>, query: ViewQuery): Promise<readonly Document[]>
  clear(projection: string, models: readonly ViewModel<{ _id: string }>[]): Promise<void>
  close(): Promise<void>
}

/** Largest page. */
export const VIEW_PAGE_MAX = 1_000
