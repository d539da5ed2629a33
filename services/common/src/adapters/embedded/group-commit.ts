import type { DatabaseSync } from 'node:sqlite'
import { PortError } from '../../ports/failure.ts'
import { failureOf } from './sqlite-database.ts'

/** Writes that share commits: all asked for in one turn of the event loop are one transaction, one flush to the disk. */
export interface GroupCommit {
  /**
   * Runs `write` inside the next commit and gives its result once that is durable. A PortError it throws before it has changed
   * anything refuses this write alone; any other failure undoes the whole group.
   * @throws {PortError} `unavailable`: undone, nothing was stored. `unknown`: the commit itself failed and may have happened.
   *   `full`: too much waits. `closed`.
   */
  run<Value>(write: () => Value, bytes?: number): Promise<Value>
  /** Commits what waits and refuses all later writes. */
  close(): Promise<void>
}

/** Bytes of writes that may wait for a commit; beyond it they are refused `full`. */
export const GROUP_BYTES_MAX = 256 * 1024 * 1024

interface Waiting {
  readonly write: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

interface Done {
  readonly waiting: Waiting
  readonly value: unknown
  readonly refusal: PortError | null
}

/** Runs one write; a refusal of its own is kept for it, anything else ends the group. */
const runOne = (waiting: Waiting): Done => {
  try {
    return { waiting, value: waiting.write(), refusal: null }
  } catch (error) {
    if (!(error instanceof PortError)) throw error
    return { waiting, value: undefined, refusal: error }
  }
}

/** Undoes what a failed group did; SQLite has done so itself for some errors. */
const rollBack = (database: DatabaseSync): void => {
  if (database.isTransaction) database.exec('ROLLBACK')
}

/** Runs the writes as one transaction, or none of them. */
const commitTogether = (database: DatabaseSync, group: readonly Waiting[], what: string): readonly Done[] => {
  let isCommitting = false
  try {
    database.exec('BEGIN IMMEDIATE')
    const done = group.map(runOne)
    isCommitting = true
    database.exec('COMMIT')
    return done
  } catch (error) {
    rollBack(database)
    if (isCommitting)
      throw new PortError('unknown', `${what}: the commit failed and may have happened`, { cause: error })
    throw failureOf(error, what)
  }
}

/** Makes a group commit on a connection that nothing else writes through. `what` names the file in errors. */
export const createGroupCommit = (
  database: DatabaseSync,
  what: string,
  afterUndo: () => void = () => undefined,
): GroupCommit => {
  let group: Waiting[] = []
  let groupBytes = 0
  let isClosed = false
  let flushed: Promise<void> = Promise.resolve()

  const flush = (): void => {
    const taken = group
    group = []
    groupBytes = 0
    let done: readonly Done[]
    try {
      done = commitTogether(database, taken, what)
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error))
      afterUndo()
      for (const waiting of taken) waiting.reject(failure)
      return
    }
    for (const { waiting, value, refusal } of done) {
      if (refusal === null) waiting.resolve(value)
      else waiting.reject(refusal)
    }
  }

  /** The end of this turn: what other callbacks of the turn write joins the group. */
  const schedule = (): void => {
    flushed = new Promise((resolve) => {
      setImmediate(() => {
        flush()
        resolve()
      })
    })
  }

  return {
    run: <Value>(write: () => Value, bytes = 0) =>
      new Promise<Value>((resolve, reject) => {
        if (isClosed) return reject(new PortError('closed', `${what} is closed`))
        if (groupBytes + bytes > GROUP_BYTES_MAX) {
          return reject(new PortError('full', `${what}: ${groupBytes} bytes wait already`))
        }
        groupBytes += bytes
        // The value that comes back is the one this very write returned.
        group.push({ write, resolve: resolve as (value: unknown) => void, reject })
        if (group.length === 1) schedule()
      }),
    close: async () => {
      isClosed = true
      await flushed
    },
  }
}
