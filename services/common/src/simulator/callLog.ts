/**
 * The log of calls a simulator has received: what was asked and what was answered, in the order of arrival.
 */
import type { DatabaseSync } from 'node:sqlite'

/** Entries kept; older ones are forgotten. */
export const LOG_ENTRIES_MAX = 100_000
const PRUNE_EVERY = 1_000

/**
 * Tables of the log; part of every simulator's schema. `AUTOINCREMENT`: a sequence number is never given
 * twice.
 */
export const CALL_LOG_SCHEMA = `
  CREATE TABLE IF NOT EXISTS call_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    body TEXT NOT NULL, answer TEXT NOT NULL) STRICT;`

/** One call. `body` and `answer` are JSON texts; `null` is a body that was no JSON, or no answer at all. */
export interface LoggedCall {
  readonly atMs: number
  readonly method: string
  readonly path: string
  readonly body: string
  readonly answer: string
}

/** The log: `append` inside a transaction of the store; `read` as the JSON text of the contract's array. */
export interface CallLog {
  append(call: LoggedCall): void
  /** Entries with a sequence number above `after`, oldest first, at most `limit`. */
  read(after: number, limit: number): string
}

/**
 * Makes the log on a database that has `CALL_LOG_SCHEMA`. Keeps the newest `entriesMax` (checked every
 * 1,000).
 */
export const createCallLog = (database: DatabaseSync, entriesMax: number = LOG_ENTRIES_MAX): CallLog => {
  const insert = database.prepare('INSERT INTO call_log (at, method, path, body, answer) VALUES (?, ?, ?, ?, ?)')
  const prune = database.prepare('DELETE FROM call_log WHERE seq <= ?')
  const select = database.prepare('SELECT * FROM call_log WHERE seq > ? ORDER BY seq LIMIT ?')

  const append = (call: LoggedCall): void => {
    const seq = Number(insert.run(call.atMs, call.method, call.path, call.body, call.answer).lastInsertRowid)
    if (seq % Math.min(PRUNE_EVERY, entriesMax) === 0) prune.run(seq - entriesMax)
  }

  const read = (after: number, limit: number): string => {
    const entries: string[] = []
    for (const row of select.iterate(after, limit)) {
      // Bodies and answers are spliced in as the texts they are: a long log is not parsed to be printed again.
      entries.push(
        `{"seq":${String(row['seq'])},"at":${String(row['at'])},` +
          `"method":${JSON.stringify(row['method'])},"path":${JSON.stringify(row['path'])},` +
          `"body":${String(row['body'])},"answer":${String(row['answer'])}}`,
      )
    }
    return `[${entries.join(',')}]`
  }

  return { append, read }
}
