/**
 * The disk of a simulator: one SQLite file (WAL, synchronous FULL), so that neither a kill nor a power cut
 * erases the outside world. Calls of one turn of the event loop share one commit (the sync is what costs),
 * and none is answered before it.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * A simulator's disk. Everything it knows is in `database`, nothing beside it, so a rollback forgets nothing
 * else.
 */
export interface SimulatorStore {
  readonly database: DatabaseSync
  /**
   * Runs `work` inside the open transaction and resolves with its result once that is on disk. `work` is all
   * or nothing: when it throws, the promise rejects with its error and nothing of it stays; when the commit
   * fails, every call that shared it rejects.
   */
  run<T>(work: () => T): Promise<T>
  /** Commits what is open and closes the file; `run` rejects afterwards. */
  close(): void
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Opens (or makes) `<dataDir>/<name>.sqlite` and runs `schema`, which must be repeatable (`IF NOT EXISTS`).
 */
export const openSimulatorStore = (dataDir: string, name: string, schema: string): SimulatorStore => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(join(dataDir, `${name}.sqlite`), { timeout: 5_000 })
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  database.exec(schema)

  let waiting: Waiter[] | undefined

  const refuseAll = (error: unknown): void => {
    const waiters = waiting ?? []
    waiting = undefined
    for (const waiter of waiters) waiter.reject(error)
  }

  const commit = (): void => {
    if (waiting === undefined) return
    try {
      database.exec('COMMIT')
    } catch (error) {
      // A commit that failed (a full disk) promised nothing yet: every call in it is told so.
      if (database.isTransaction) database.exec('ROLLBACK')
      refuseAll(error)
      return
    }
    const waiters = waiting
    waiting = undefined
    for (const waiter of waiters) waiter.resolve()
  }

  const undo = (error: unknown): void => {
    if (database.isTransaction) database.exec('ROLLBACK TO call; RELEASE call')
    // SQLite gave up the whole transaction (a full disk, an I/O error), and with it the calls before this one.
    else refuseAll(error)
  }

  const run = async <T>(work: () => T): Promise<T> => {
    if (!database.isOpen) throw new Error('the simulator has stopped')
    if (waiting === undefined) {
      database.exec('BEGIN IMMEDIATE')
      waiting = []
      setImmediate(commit)
    }
    database.exec('SAVEPOINT call')
    let result: T
    try {
      result = work()
      database.exec('RELEASE call')
    } catch (error) {
      undo(error)
      throw error
    }
    const waiters = waiting
    await new Promise<void>((resolve, reject) => {
      waiters.push({ resolve, reject })
    })
    return result
  }

  const close = (): void => {
    commit()
    if (database.isOpen) database.close()
  }

  return { database, run, close }
}
