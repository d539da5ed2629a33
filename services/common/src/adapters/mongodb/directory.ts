import type { mongo } from 'mongoose'
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
import { READ_MS_MAX, type MongoConnection } from './connection.ts'
import { isDuplicate } from './failures.ts'

/** Entries of one page of the audit list. */
export const AUDIT_PAGE_MAX = 1_000
/** Largest setting, in characters. */
export const SETTING_CHARACTERS_MAX = 1_048_576
/** Expired revocations are removed at most this often, ms. */
export const FORGET_INTERVAL_MS = 60_000

/** A record as a document: its key as `_id`. */
type Keyed<Record, Key extends keyof Record> = Omit<Record, Key> & { readonly _id: string }
interface RevocationDocument {
  readonly _id: string
  readonly expiresAtMs: number
}
interface SettingDocument {
  readonly _id: string
  readonly value: string
}
/** `_id` is kind and name. A removed manifest stays without its document, for its fence. */
interface ManifestDocument extends Omit<ManifestRecord, 'document'> {
  readonly _id: string
  readonly document: string | null
}

type UserDocument = Keyed<UserRecord, 'id'>
type BankKeyDocument = Keyed<BankKeyRecord, 'keyHash'>
type AuditDocument = Keyed<AuditRecord, 'idempotencyKey'>

const userOf = ({ _id, email, passwordHash, createdAtMs, locked, sessionsValidFromMs }: UserDocument): UserRecord => ({
  id: _id,
  email,
  passwordHash,
  createdAtMs,
  locked,
  sessionsValidFromMs,
})
const bankKeyOf = ({ _id, bank, createdAtMs, expiresAtMs }: BankKeyDocument): BankKeyRecord => ({
  bank,
  keyHash: _id,
  createdAtMs,
  expiresAtMs,
})
const auditOf = ({ _id, id, atMs, who, action, reason, requestHash, detail }: AuditDocument): AuditRecord => ({
  id,
  atMs,
  who,
  action,
  reason,
  idempotencyKey: _id,
  requestHash,
  detail,
})

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0)
const byAge = (a: BankKeyRecord, b: BankKeyRecord): number =>
  compare(a.bank, b.bank) || compare(a.createdAtMs, b.createdAtMs) || compare(a.keyHash, b.keyHash)

const collectionsOf = ({ database }: MongoConnection) => ({
  users: database.collection<UserDocument>('directory_users'),
  revocations: database.collection<RevocationDocument>('directory_revocations'),
  bankKeys: database.collection<BankKeyDocument>('directory_bank_keys'),
  audit: database.collection<AuditDocument>('directory_audit'),
  settings: database.collection<SettingDocument>('directory_settings'),
  manifests: database.collection<ManifestDocument>('directory_manifests'),
})
type Collections = ReturnType<typeof collectionsOf>

/** Makes a unique index and looks whether the server has it: without it two users could share an e-mail. */
const makeUnique = async (collection: mongo.Collection<never>, field: string): Promise<void> => {
  const name = `${field}_unique`
  const refusal = `${collection.collectionName} has no unique index on ${field}; remove what is there twice, then start again`
  try {
    await collection.createIndex({ [field]: 1 }, { unique: true, name })
  } catch (error) {
    if (!isDuplicate(error)) throw error
    throw new PortError('corrupt', refusal, { cause: error })
  }
  const indexes = await collection.indexes()
  if (!indexes.some((index) => index.name === name && index.unique === true)) throw new PortError('corrupt', refusal)
}

const openIndexes = async (collections: Collections): Promise<void> => {
  await makeUnique(collections.users as unknown as mongo.Collection<never>, 'email')
  await makeUnique(collections.audit as unknown as mongo.Collection<never>, 'id')
  await collections.audit.createIndex({ atMs: -1, id: -1 })
  await collections.revocations.createIndex({ expiresAtMs: 1 })
}

/** Inserts; false when a unique index has the key already. */
const insertOnce = async <Document extends { readonly _id: string }>(
  collection: mongo.Collection<Document>,
  document: Document,
): Promise<boolean> => {
  try {
    await collection.insertOne(document as mongo.OptionalUnlessRequiredId<Document>)
    return true
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}

/** Runs an upsert again when somebody else made the document at the same moment. */
const upserting = async (upsert: () => Promise<unknown>): Promise<void> => {
  try {
    await upsert()
  } catch (error) {
    if (!isDuplicate(error)) throw error
    await upsert()
  }
}

const bounded = { maxTimeMS: READ_MS_MAX } as const
type Attempt = <Value>(intent: 'read' | 'write', what: string, task: () => Promise<Value>) => Promise<Value>

const createUsers = ({ users }: Collections, attempt: Attempt) => {
  const find = (filter: mongo.Filter<UserDocument>) =>
    attempt('read', 'a user', async () => {
      const found = await users.findOne(filter, bounded)
      return found === null ? null : userOf(found)
    })
  return {
    createUser: ({ id, ...rest }: UserRecord) =>
      attempt('write', 'creating a user', async (): Promise<'created' | 'taken'> =>
        (await insertOnce(users, { _id: id, ...rest })) ? 'created' : 'taken',
      ),
    userByEmail: (email: string) => find({ email }),
    userById: (id: string) => find({ _id: id }),
    setUserLocked: (id: string, locked: boolean) =>
      attempt('write', 'locking a user', async () => {
        const { matchedCount } = await users.updateOne({ _id: id }, { $set: { locked } })
        return matchedCount === 1
      }),
    endSessions: (userId: string, beforeMs: number) =>
      attempt('write', 'ending sessions', async () => {
        await users.updateOne({ _id: userId }, { $max: { sessionsValidFromMs: beforeMs } })
      }),
  }
}

const createRevocations = ({ revocations }: Collections, attempt: Attempt, clock: Clock) => {
  let forgottenAtMs = Number.NEGATIVE_INFINITY
  return {
    revokeSession: (sessionId: string, expiresAtMs: number) =>
      attempt('write', 'revoking a session', async () => {
        await upserting(() => revocations.updateOne({ _id: sessionId }, { $max: { expiresAtMs } }, { upsert: true }))
        if (clock.monotonicMs() - forgottenAtMs < FORGET_INTERVAL_MS) return
        forgottenAtMs = clock.monotonicMs()
        await revocations.deleteMany({ expiresAtMs: { $lt: clock.nowMs() } })
      }),
    isSessionRevoked: (sessionId: string) =>
      attempt('read', 'a session', async () => (await revocations.findOne({ _id: sessionId }, bounded)) !== null),
  }
}

const createBankKeys = ({ bankKeys }: Collections, attempt: Attempt) => ({
  putBankKey: ({ keyHash, bank, createdAtMs, expiresAtMs }: BankKeyRecord) =>
    attempt('write', 'a bank key', () =>
      upserting(() =>
        bankKeys.updateOne({ _id: keyHash }, { $set: { bank, createdAtMs, expiresAtMs } }, { upsert: true }),
      ),
    ),
  removeBankKey: (keyHash: string) =>
    attempt('write', 'a bank key', async () => {
      await bankKeys.deleteOne({ _id: keyHash })
    }),
  bankKeys: () =>
    attempt('read', 'bank keys', async () => (await bankKeys.find({}, bounded).toArray()).map(bankKeyOf).sort(byAge)),
})

/** Audit records keyed by their idempotency key, newest first by moment and id. */
const createAudit = ({ audit }: Collections, attempt: Attempt) => ({
  recordAudit: ({ idempotencyKey, ...rest }: AuditRecord) =>
    attempt('write', 'an audit record', async () => {
      if (await insertOnce(audit, { _id: idempotencyKey, ...rest })) return { idempotencyKey, ...rest }
      const first = await audit.findOne({ _id: idempotencyKey }, bounded)
      if (first === null) throw new PortError('corrupt', `audit id ${rest.id} belongs to another record`)
      return auditOf(first)
    }),
  listAudit: (beforeId: string | null, limit: number) =>
    attempt('read', 'the audit list', async () => {
      const size = Math.min(Math.max(limit, 0), AUDIT_PAGE_MAX)
      if (size === 0) return []
      let filter: mongo.Filter<AuditDocument> = {}
      if (beforeId !== null) {
        const before = await audit.findOne({ id: beforeId }, bounded)
        if (before === null) return []
        const { atMs, id } = before
        filter = { $or: [{ atMs: { $lt: atMs } }, { atMs, id: { $lt: id } }] }
      }
      return (await audit.find(filter, bounded).sort({ atMs: -1, id: -1 }).limit(size).toArray()).map(auditOf)
    }),
})

const createSettings = ({ settings }: Collections, attempt: Attempt) => {
  const read = async (name: string): Promise<string | null> =>
    (await settings.findOne({ _id: name }, bounded))?.value ?? null
  return {
    setting: (name: string) => attempt('read', `setting ${name}`, () => read(name)),
    setSettingOnce: (name: string, value: string) =>
      attempt('write', `setting ${name}`, async () => {
        if (value.length > SETTING_CHARACTERS_MAX)
          throw new PortError('full', `setting ${name} has ${value.length} characters`)
        if (await insertOnce(settings, { _id: name, value })) return value
        return (await read(name)) ?? value
      }),
  }
}

/** Manifests: one document each, changed only where its fence is not higher. */
const createManifests = ({ manifests }: Collections, attempt: Attempt) => {
  /** False when something was written under a higher fence. */
  const write = async (fields: Omit<ManifestDocument, '_id'>): Promise<boolean> => {
    const _id = `${fields.kind}/${fields.name}`
    const replace = async (): Promise<boolean> => {
      const { matchedCount } = await manifests.updateOne({ _id, fence: { $lte: fields.fence } }, { $set: fields })
      return matchedCount === 1
    }
    // Where somebody else made it in between, the fences decide.
    return (await replace()) || (await insertOnce(manifests, { _id, ...fields })) || replace()
  }
  return {
    putManifest: (record: ManifestRecord) =>
      attempt('write', 'a manifest', async (): Promise<'stored' | 'fenced'> => {
        const { kind, name, generation, document, fence } = record
        if (document.length > MANIFEST_CHARACTERS_MAX)
          throw new PortError('full', `manifest ${kind} ${name} has ${document.length} characters`)
        return (await write({ kind, name, generation, document, fence })) ? 'stored' : 'fenced'
      }),
    removeManifest: (kind: ManifestRecord['kind'], name: string, fence: number) =>
      attempt('write', 'removing a manifest', async (): Promise<'removed' | 'fenced'> =>
        (await write({ kind, name, generation: 0, document: null, fence })) ? 'removed' : 'fenced',
      ),
    manifests: () =>
      attempt('read', 'the manifests', async (): Promise<readonly ManifestRecord[]> =>
        (await manifests.find({}, bounded).toArray())
          .flatMap(({ kind, name, generation, document, fence }) =>
            document === null ? [] : [{ kind, name, generation, document, fence }],
          )
          .sort((a, b) => compare(a.kind, b.kind) || compare(a.name, b.name)),
      ),
  }
}

/**
 * Directory on MongoDB, for any number of processes: every read goes to the primary, none is kept. Expired revocations are
 * removed when another is made. The connection stays its owner's.
 * @throws {PortError} `unavailable` when the server can't be reached, `corrupt` when a unique index can't be made
 */
export const openMongoDirectory = async (
  connection: MongoConnection,
  options: { readonly clock: Clock },
): Promise<Directory> => {
  const collections = collectionsOf(connection)
  let isClosed = false
  const attempt: Attempt = async (intent, what, task) => {
    if (isClosed) throw new PortError('closed', 'the directory is closed')
    return connection.run(intent, `directory: ${what}`, task)
  }
  await attempt('write', 'its indexes', () => openIndexes(collections))
  return {
    ...createUsers(collections, attempt),
    ...createRevocations(collections, attempt, options.clock),
    ...createBankKeys(collections, attempt),
    ...createAudit(collections, attempt),
    ...createSettings(collections, attempt),
    ...createManifests(collections, attempt),
    close: async () => {
      isClosed = true
    },
  }
}
