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

/** A manifest as its keeper stored it: in a cluster the processes read them from here. */
export interface ManifestRecord {
  readonly kind: 'TradingPair' | 'Bank'
  /** metadata.name */
  readonly name: string
  /** metadata.generation */
  readonly generation: number
  /** JSON of the manifest: apiVersion, kind, metadata { name }, spec. */
  readonly document: string
  /** Epoch of the leader that wrote it. */
  readonly fence: number
}

/** Largest manifest that is stored, in characters of its JSON. */
export const MANIFEST_CHARACTERS_MAX = 1_048_576

/**
 * Directory: users, sessions, bank keys, audit, settings, manifests. Not rebuildable: part of every backup.
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
 * D10 `putManifest` replaces what is stored of that kind and name, and answers `stored`. When something was written about it
 *     under a higher fence it changes nothing and answers `fenced`; so does `removeManifest`. Of a race the highest fence stands.
 * D11 A removed manifest's fence is remembered, also where there never was a manifest: under a lower fence it does not come
 *     back, under the same or a higher one it may.
 * D12 `manifests` answers each stored manifest as it was put, ordered by kind and name, and none that was removed.
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
  /** @throws {PortError} `full` above MANIFEST_CHARACTERS_MAX */
  putManifest(record: ManifestRecord): Promise<'stored' | 'fenced'>
  removeManifest(kind: ManifestRecord['kind'], name: string, fence: number): Promise<'removed' | 'fenced'>
  manifests(): Promise<readonly ManifestRecord[]>
  close(): Promise<void>
}
