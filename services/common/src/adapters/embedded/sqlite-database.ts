import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PortError } from '../../ports/failure.ts'

/** How safe a commit is: `full` survives the machine's crash, `normal` never tears but may lose the newest commits. */
export type Durability = 'full' | 'normal'

/** What opening found. */
export interface OpenReport {
  /** Whether the last user closed it in order. */
  readonly wasClosedCleanly: boolean
  /** Whether its pages were checked: they are after an unclean end. */
  readonly wasChecked: boolean
}

/** An open database file that nobody else has open. */
export interface OwnedDatabase {
  readonly database: DatabaseSync
  readonly report: OpenReport
  /** Closes it in order; once more is no error. */
  close(): void
}

const SQLITE_BUSY = 5
const SQLITE_FULL = 13
const SQLITE_CORRUPT = 11
const SQLITE_NOT_A_DATABASE = 26

/** SQLite's primary result code of a driver error, 0 when it is no such error. */
const codeOf = (error: unknown): number => {
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : 0
  return typeof code === 'number' ? code & 0xff : 0
}

/**
 * What a driver's error means to a caller whose transaction was rolled back: nothing was stored.
 * An error that is not SQLite's is a bug and comes back as it is.
 */
export const failureOf = (error: unknown, what: string): Error => {
  if (error instanceof PortError) return error
  const code = codeOf(error)
  if (code === 0) return error instanceof Error ? error : new Error(String(error))
  if (code === SQLITE_CORRUPT || code === SQLITE_NOT_A_DATABASE) {
    return new PortError('corrupt', `${what}: the file is damaged`, { cause: error })
  }
  const reason = code === SQLITE_FULL ? 'the disk is full' : 'the disk or database refused'
  return new PortError('unavailable', `${what}: ${reason}`, { cause: error })
}

/** Runs a read; a driver's error becomes a PortError. */
export const reading = <Value>(what: string, read: () => Value): Value => {
  try {
    return read()
  } catch (error) {
    throw failureOf(error, what)
  }
}

/**
 * Takes the lock beside the file: an exclusive transaction of a database of its own, which the operating system ends with the
 * process however it dies. The file itself stays readable for tools and backups.
 */
const lock = (path: string): DatabaseSync => {
  const holder = new DatabaseSync(`${path}.lock`)
  try {
    holder.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
    return holder
  } catch (error) {
    holder.close()
    if (codeOf(error) !== SQLITE_BUSY) throw failureOf(error, path)
    const message = `${path} is in use by another process: stop it first, or give this one a folder of its own`
    throw new PortError('unavailable', message, { cause: error })
  }
}

const markOpen = (database: DatabaseSync): boolean => {
  database.exec(
    'CREATE TABLE IF NOT EXISTS shutdown (only INTEGER PRIMARY KEY CHECK (only = 1), clean INTEGER NOT NULL)',
  )
  const row = database.prepare('SELECT clean FROM shutdown').get()
  database.exec('INSERT INTO shutdown VALUES (1, 0) ON CONFLICT DO UPDATE SET clean = 0')
  return row === undefined || row['clean'] === 1
}

const checkPages = (database: DatabaseSync, path: string): void => {
  const found = database.prepare('PRAGMA quick_check(1)').get()
  const answer = found === undefined ? 'no answer' : String(Object.values(found)[0])
  if (answer !== 'ok') throw new PortError('corrupt', `${path} is damaged: ${answer}`)
}

/**
 * Opens (or creates) a database for this process alone, in WAL mode. After an unclean end its pages are checked first; then
 * `setUp` makes its tables. `:memory:` gives a private one without a lock.
 * @throws {PortError} `unavailable` when another process has it, `corrupt` when it is damaged.
 */
export const openOwnedDatabase = (
  path: string,
  durability: Durability,
  setUp: (database: DatabaseSync) => void,
): OwnedDatabase => {
  const isFile = path !== ':memory:'
  if (isFile) mkdirSync(dirname(path), { recursive: true })
  const holder = isFile ? lock(path) : null
  let database: DatabaseSync | null = null
  try {
    database = new DatabaseSync(path)
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`)
    const wasClosedCleanly = markOpen(database)
    if (!wasClosedCleanly) checkPages(database, path)
    setUp(database)
    return owned(database, holder, { wasClosedCleanly, wasChecked: !wasClosedCleanly })
  } catch (error) {
    database?.close()
    holder?.close()
    throw failureOf(error, path)
  }
}

const owned = (database: DatabaseSync, holder: DatabaseSync | null, report: OpenReport): OwnedDatabase => ({
  database,
  report,
  close: () => {
    if (!database.isOpen) return
    try {
      database.exec('UPDATE shutdown SET clean = 1')
    } finally {
      database.close()
      holder?.close()
    }
  },
})
