/** A user of the trading platform. */
export interface UserRecord {
  readonly id: string
  /** Normalised (NFKC, lower case, trimmed). */
  readonly email: string
  readonly passwordHash: string
  readonly createdAtMs: number
  readonly locked: boolean
  /** Sessions issued before this moment are void. */
  readonly sessionsValidFromMs: number
}

/** A bank's key or secret as kept: API keys only as SHA-256. */
export interface BankKeyRecord {
  readonly bank: string
  /** SHA-256 of the API key, hex. */
  readonly keyHash: string
  readonly createdAtMs: number
  readonly expiresAtMs: number | null
}

/** One administrative act. */
export interface AuditRecord {
  readonly id: string
  readonly atMs: number
  readonly who: string
  readonly action: string
  readonly reason: string
  readonly idempotencyKey: string
  readonly requestHash: string
  readonly detail: string
}

/**
 * Directory: users, sessions, bank keys, audit, settings. Not rebuildable: part of every backup.
 *
 * D1 `createUser` refuses (`taken`) an e-mail that exists, also in a race: exactly one wins.
 * D2 Reads see every write that had resolved before, in this process and others.
 * D3 `revokeSession` is remembered until the session would have expired anyway.
 * D4 `endSessions` voids every session of the user issued before the moment given.
 * D5 `recordAudit` with a known idempotency key answers the first record and stores nothing.
 * D6 `setting` values are kept whole; `setSettingOnce` keeps the first and answers it.
 * D7 Writes are durable when they resolve.
 * D8 `listAudit` pages are stable, newest first.
 * D9 Calls after `close` fail `closed`.
 */
export interface Directory {
  createUser(user: UserRecord): Promise<'created' | 'taken'>
  userByEmail(email: string): Promise<UserRecord | null>
  userById(id: string): Promise<UserRecord | null>
  setUserLocked(id: string, locked: boolean): Promise<boolean>
  endSessions(userId: string, beforeMs: number): Promise<void>
  revokeSession(sessionId: string, expiresAtMs: number): Promise<void>
  isSessionRevoked(sessionId: string): Promise<boolean>
  putBankKey(key: BankKeyRecord): Promise<void>
  removeBankKey(keyHash: string): Promise<void>
  bankKeys(): Promise<readonly BankKeyRecord[]>
  recordAudit(record: AuditRecord): Promise<AuditRecord>
  listAudit(beforeId: string | null, limit: number): Promise<readonly AuditRecord[]>
  setting(name: string): Promise<string | null>
  setSettingOnce(name: string, value: string): Promise<string>
  close(): Promise<void>
}
