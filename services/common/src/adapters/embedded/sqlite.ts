import { DatabaseSync } from 'node:sqlite'
import { PortError, type FailureKind } from '../../ports/failure.ts'

/** SQLite's primary result codes that say what to do next. */
const kindsByCode: Readonly<Record<number, FailureKind>> = { 5: 'unavailable', 10: 'unknown', 11: 'corrupt', 13: 'full', 26: 'corrupt' }

/** A driver's error as the port's: what was meant to happen may not have happened only when the kind says so. */
export const portFailure = (error: unknown, what: string): PortError => {
  if (error instanceof PortError) return error
  const code = (error as { errcode?: number }).errcode
  const kind = code === undefined ? 'unknown' : (kindsByCode[code & 0xff] ?? 'unknown')
  return new PortError(kind, `${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}

/**
 * Opens a SQLite file in WAL mode for this process alone to write. A file that is not sound is refused with what was found.
 * 64-bit integers are read as bigint.
 */
export const openDatabase = (options: {
  readonly path: string
  readonly synchronous: 'FULL' | 'NORMAL'
  readonly schema: string
}): DatabaseSync => {
  try {
    const database = new DatabaseSync(options.path, { readBigInts: true, timeout: 5_000 })
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.synchronous}; PRAGMA foreign_keys = ON;`)
    database.exec(options.schema)
    return database
  } catch (error) {
    throw portFailure(error, options.path)
  }
}
