import type { SQLInputValue } from 'node:sqlite'
import type { FailureKind } from '../../ports/failure.ts'

/** One thing for the views' thread to do. Texts of statements are named by number once they were sent. */
export type ViewsJob =
  | {
      readonly id: number
      readonly projection: string
      readonly partition: number
      /** A 64-bit integer in digits. */
      readonly sequence: string
      /** Each: the number of its text, then what to bind. */
      readonly statements: readonly (readonly SQLInputValue[])[]
    }
  | { readonly id: number; readonly projection: string; readonly clear: readonly string[] }

/** What the thread is sent, as JSON: much cheaper to copy between threads than objects. */
export interface ViewsRequest {
  /** Texts that are new, by number. */
  readonly texts: readonly (readonly [number, string])[]
  readonly jobs: readonly ViewsJob[]
  /** Ends the thread once all is done. */
  readonly isLast: boolean
}

/** What became of jobs, by id: done, or why not. */
export type ViewsReply = readonly (readonly [
  number,
  null | { readonly kind: FailureKind | 'bug'; readonly message: string },
])[]
