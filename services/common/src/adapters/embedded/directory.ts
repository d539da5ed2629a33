import type { SQLOutputValue } from 'node:sqlite'
import type { Clock } from '../../ports/clock.ts'
import {
  MANIFEST_CHARACTERS_MAX,
  type AuditRecord,
  type BankKeyRecord,
  type Directory,
  type ManifestRecord,
  type UserRecord,
} from '../../ports/directory.ts'
import { PortError } from '../../ports/failure.ts'
import { createGroupCommit } from './group-commit.ts'
import { openOwnedDatabase, reading, type OpenReport } from './sqlite-database.ts'

/** The directory on SQLite, and what opening it found. */
export interface SqliteDirectory extends Directory {
  readonly opened: OpenReport
}

/** Entries of one page of the audit list. */
export const AUDIT_PAGE_MAX = 1_000
/** Largest setting, in characters. */
export const SETTING_CHARACTERS_MAX = 1_048_576

const TABLES = `
  CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL UNIQUE, passwordHash TEXT NOT NULL, createdAtMs REAL NOT NULL,
    locked INTEGER NOT NULL, sessionsValidFromMs REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS revokedSessions (
    sessionId TEXT PRIMARY KEY NOT NULL, expiresAtMs REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS revokedSessions_expiry ON revokedSessions (expiresAtMs);
  CREATE TABLE IF NOT EXISTS bankKeys (
    keyHash TEXT PRIMARY KEY NOT NULL, bank TEXT NOT NULL, createdAtMs REAL NOT NULL, expiresAtMs REAL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS audit (
    place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, atMs REAL NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
    reason TEXT NOT NULL, idempotencyKey TEXT NOT NULL UNIQUE, requestHash TEXT NOT NULL, detail TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS manifests (
    kind TEXT NOT NULL, name TEXT NOT NULL, generation REAL NOT NULL, document TEXT, fence REAL NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;
`

/** Users and sessions whose last read is kept: they are looked at with every request. */
const KEPT_READS_MAX = 10_000

type Row = Record<string, SQLOutputValue>

/**
 * Reads of one kind kept in memory. The file is this process's alone, so only its own writes make them old: each forgets
 * what it touches, before it is queued and again once it is durable, so that no read in between leaves the old value.
 */
const createKeptReads = <Value>(read: (key: string) => Value) => {
  const kept = new Map<string, Value>()
  return {
    of: (key: string): Value => {
      const known = kept.get(key)
      if (known !== undefined) return known
      const value = read(key)
      const oldest = kept.keys().next().value
      if (kept.size >= KEPT_READS_MAX && oldest !== undefined) kept.delete(oldest)
      kept.set(key, value)
      return value
    },
    forget: (key: string): void => void kept.delete(key),
  }
}

// The tables are STRICT: a column holds what its type says.
const userOf = (row: Row): UserRecord => ({
  id: row['id'] as string,
  email: row['email'] as string,
  passwordHash: row['passwordHash'] as string,
  createdAtMs: row['createdAtMs'] as number,
  locked: row['locked'] === 1,
  sessionsValidFromMs: row['sessionsValidFromMs'] as number,
})
const bankKeyOf = (row: Row): BankKeyRecord => ({
  bank: row['bank'] as string,
  keyHash: row['keyHash'] as string,
  createdAtMs: row['createdAtMs'] as number,
  expiresAtMs: row['expiresAtMs'] as number | null,
})
const auditOf = (row: Row): AuditRecord => ({
  id: row['id'] as string,
  atMs: row['atMs'] as number,
  who: row['who'] as string,
  action: row['action'] as string,
  reason: row['reason'] as string,
  idempotencyKey: row['idempotencyKey'] as string,
  requestHash: row['requestHash'] as string,
  detail: row['detail'] as string,
})
const manifestOf = (row: Row): ManifestRecord => ({
  kind: row['kind'] as ManifestRecord['kind'],
  name: row['name'] as string,
  generation: row['generation'] as number,
  document: row['document'] as string,
  fence: row['fence'] as number,
})

/**
 * Directory on SQLite: WAL, flushed at every commit. Revocations whose session has expired are forgotten when another is made.
 * @throws {PortError} `unavailable` when another process has the file, `corrupt` when it is damaged.
 */
export const openSqliteDirectory = (options: { readonly path: string; readonly clock: Clock }): SqliteDirectory => {
  const { clock } = options
  const owned = openOwnedDatabase(options.path, 'full', (made) => made.exec(TABLES))
  const { database } = owned
  const commits = createGroupCommit(database, 'directory')
  let isClosed = false

  const checkOpen = (): void => {
    if (isClosed) throw new PortError('closed', 'the directory is closed')
  }
  /** A prepared read of rows. */
  const query = (sql: string) => {
    const statement = database.prepare(sql)
    return (...values: (string | number)[]): Row[] => {
      checkOpen()
      return reading('directory', () => statement.all(...values))
    }
  }
  const statements = {
    addUser: database.prepare('INSERT INTO users VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    lockUser: database.prepare('UPDATE users SET locked = ? WHERE id = ?'),
    endSessions: database.prepare('UPDATE users SET sessionsValidFromMs = max(sessionsValidFromMs, ?) WHERE id = ?'),
    revoke: database.prepare(
      'INSERT INTO revokedSessions VALUES (?, ?) ON CONFLICT DO UPDATE SET expiresAtMs = max(expiresAtMs, excluded.expiresAtMs)',
    ),
    forget: database.prepare('DELETE FROM revokedSessions WHERE expiresAtMs < ?'),
    putKey: database.prepare(
      'INSERT OR REPLACE INTO bankKeys (keyHash, bank, createdAtMs, expiresAtMs) VALUES (?, ?, ?, ?)',
    ),
    removeKey: database.prepare('DELETE FROM bankKeys WHERE keyHash = ?'),
    addAudit: database.prepare(
      `INSERT INTO audit (id, atMs, who, action, reason, idempotencyKey, requestHash, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (idempotencyKey) DO NOTHING`,
    ),
    addSetting: database.prepare('INSERT INTO settings VALUES (?, ?) ON CONFLICT DO NOTHING'),
    // A removed manifest stays as a row without a document, for its fence.
    putManifest: database.prepare(
      `INSERT INTO manifests (kind, name, generation, document, fence) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET generation = excluded.generation, document = excluded.document, fence = excluded.fence
       WHERE manifests.fence <= excluded.fence`,
    ),
  }
  const reads = {
    userByEmail: query('SELECT * FROM users WHERE email = ?'),
    userById: query('SELECT * FROM users WHERE id = ?'),
    revoked: query('SELECT 1 FROM revokedSessions WHERE sessionId = ?'),
    bankKeys: query('SELECT * FROM bankKeys ORDER BY bank, createdAtMs, keyHash'),
    auditByKey: query('SELECT * FROM audit WHERE idempotencyKey = ?'),
    newestAudit: query('SELECT * FROM audit ORDER BY place DESC LIMIT ?'),
    auditBefore: query(
      'SELECT * FROM audit WHERE place < (SELECT place FROM audit WHERE id = ?) ORDER BY place DESC LIMIT ?',
    ),
    setting: query('SELECT value FROM settings WHERE name = ?'),
    manifests: query('SELECT * FROM manifests WHERE document IS NOT NULL ORDER BY kind, name'),
  }
  const write = async <Value>(task: () => Value): Promise<Value> => {
    checkOpen()
    return commits.run(task)
  }
  const first = <Value>(rows: readonly Row[], decode: (row: Row) => Value): Value | null => {
    const [row] = rows
    return row === undefined ? null : decode(row)
  }
  const users = createKeptReads((id) => first(reads.userById(id), userOf))
  const revocations = createKeptReads((sessionId) => reads.revoked(sessionId).length > 0)
  /** A write that makes one kept read old. */
  const writeForgetting = async <Value>(
    kept: { forget(key: string): void },
    key: string,
    task: () => Value,
  ): Promise<Value> => {
    try {
      kept.forget(key)
      return await write(task)
    } finally {
      kept.forget(key)
    }
  }
  const settingOf = (name: string): string | null => first(reads.setting(name), (row) => row['value'] as string)

  return {
    opened: owned.report,
    createUser: (user) =>
      writeForgetting(users, user.id, () => {
        const { id, email, passwordHash, createdAtMs, locked, sessionsValidFromMs } = user
        const { changes } = statements.addUser.run(
          id,
          email,
          passwordHash,
          createdAtMs,
          locked ? 1 : 0,
          sessionsValidFromMs,
        )
        return Number(changes) === 1 ? 'created' : 'taken'
      }),
    userByEmail: async (email) => first(reads.userByEmail(email), userOf),
    userById: async (id) => {
      checkOpen()
      return users.of(id)
    },
    setUserLocked: (id, locked) =>
      writeForgetting(users, id, () => Number(statements.lockUser.run(locked ? 1 : 0, id).changes) === 1),
    endSessions: (userId, beforeMs) =>
      writeForgetting(users, userId, () => void statements.endSessions.run(beforeMs, userId)),
    revokeSession: (sessionId, expiresAtMs) =>
      writeForgetting(revocations, sessionId, () => {
        statements.forget.run(clock.nowMs())
        statements.revoke.run(sessionId, expiresAtMs)
      }),
    isSessionRevoked: async (sessionId) => {
      checkOpen()
      return revocations.of(sessionId)
    },
    putBankKey: (key) =>
      write(() => void statements.putKey.run(key.keyHash, key.bank, key.createdAtMs, key.expiresAtMs)),
    removeBankKey: (keyHash) => write(() => void statements.removeKey.run(keyHash)),
    bankKeys: async () => reads.bankKeys().map(bankKeyOf),
    recordAudit: (record) =>
      write(() => {
        const { id, atMs, who, action, reason, idempotencyKey, requestHash, detail } = record
        statements.addAudit.run(id, atMs, who, action, reason, idempotencyKey, requestHash, detail)
        return (
          first(database.prepare('SELECT * FROM audit WHERE idempotencyKey = ?').all(idempotencyKey), auditOf) ?? record
        )
      }),
    listAudit: async (beforeId, limit) => {
      const bounded = Math.min(Math.max(limit, 0), AUDIT_PAGE_MAX)
      return (beforeId === null ? reads.newestAudit(bounded) : reads.auditBefore(beforeId, bounded)).map(auditOf)
    },
    setting: async (name) => settingOf(name),
    setSettingOnce: (name, value) =>
      write(() => {
        if (value.length > SETTING_CHARACTERS_MAX)
          throw new PortError('full', `setting ${name} has ${value.length} characters`)
        statements.addSetting.run(name, value)
        return settingOf(name) ?? value
      }),
    putManifest: ({ kind, name, generation, document, fence }) =>
      write(() => {
        if (document.length > MANIFEST_CHARACTERS_MAX)
          throw new PortError('full', `manifest ${kind} ${name} has ${document.length} characters`)
        const { changes } = statements.putManifest.run(kind, name, generation, document, fence)
        return Number(changes) === 1 ? 'stored' : 'fenced'
      }),
    removeManifest: (kind, name, fence) =>
      write(() =>
        Number(statements.putManifest.run(kind, name, 0, null, fence).changes) === 1 ? 'removed' : 'fenced',
      ),
    manifests: async () => reads.manifests().map(manifestOf),
    close: async () => {
      if (isClosed) return
      isClosed = true
      await commits.close()
      owned.close()
    },
  }
}
