import mongoose from 'mongoose'
import { PortError, type FailureKind } from '../../ports/failure.ts'

const { mongo } = mongoose

/** Whether a call changes something: then an answer that did not come leaves open whether it was done. */
export type Intent = 'read' | 'write'

/** Refused by a server that is not, or not any more, the one that takes writes: nothing was done. */
const NOT_PRIMARY: ReadonlySet<number> = new Set([10107, 13435, 13436, 10058])
/** Interrupted, timed out, or not confirmed by a majority in time: done or not. */
const IN_DOUBT: ReadonlySet<number> = new Set([6, 7, 50, 64, 89, 91, 100, 189, 202, 262, 9001, 11600, 11602])
const CREDENTIALS: ReadonlySet<number> = new Set([13, 18])
const DISK_FULL = 14031
const TOO_LARGE = 10334

/** Errors of the driver that say: the command never left. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  'MongoServerSelectionError',
  'MongooseServerSelectionError',
  'MongoWaitQueueTimeoutError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoMissingCredentialsError',
  'MongoCompatibilityError',
])

const DUPLICATE: ReadonlySet<number> = new Set([11000, 11001, 12582])
/** What FerretDB answers to an update that would make a duplicate. */
const FERRETDB_INTERNAL = 1

/** Whether a code and message of a server mean that a unique index refused. */
export const isDuplicateCode = (code: unknown, message: string): boolean =>
  typeof code === 'number' &&
  (DUPLICATE.has(code) || (code === FERRETDB_INTERNAL && /E11000|UNIQUE constraint|duplicate key/iu.test(message)))

/** Whether a write failed because a unique index has its key already. */
export const isDuplicate = (error: unknown): boolean =>
  error instanceof mongo.MongoServerError && isDuplicateCode(error.code, error.message)

interface Verdict {
  readonly kind: FailureKind
  readonly reason: string
}

const ofServer = (error: InstanceType<typeof mongo.MongoServerError>, intent: Intent): Verdict => {
  const code = typeof error.code === 'number' ? error.code : 0
  const inDoubt = intent === 'write' ? 'unknown' : 'unavailable'
  if (error instanceof mongo.MongoWriteConcernError)
    return { kind: inDoubt, reason: 'no majority confirmed it in time' }
  if (NOT_PRIMARY.has(code)) return { kind: 'unavailable', reason: 'the server is not the primary' }
  if (IN_DOUBT.has(code)) return { kind: inDoubt, reason: `the server gave up on it (code ${code})` }
  if (CREDENTIALS.has(code)) return { kind: 'unavailable', reason: 'the server refused our credentials or rights' }
  if (code === DISK_FULL) return { kind: 'unavailable', reason: "the server's disk is full" }
  if (code === TOO_LARGE) return { kind: 'full', reason: 'the server takes no document that large' }
  return { kind: 'unavailable', reason: `the server refused (code ${code})` }
}

const lostConnection = (intent: Intent): Verdict =>
  intent === 'write'
    ? { kind: 'unknown', reason: 'the connection was lost before the answer' }
    : { kind: 'unavailable', reason: 'the connection was lost' }

/** A socket's own error (ECONNRESET, EPIPE): the driver lets one through that comes while a command is being written. */
const isSocketError = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^E[A-Z]+$/u.test(error.code)

const verdictOf = (error: unknown, intent: Intent): Verdict | null => {
  if (isSocketError(error)) return lostConnection(intent)
  if (!(error instanceof Error)) return null
  if (error instanceof mongo.MongoServerError) return ofServer(error, intent)
  if (NEVER_SENT.has(error.name)) return { kind: 'unavailable', reason: 'no server answers' }
  if (error instanceof mongo.MongoNetworkError && 'beforeHandshake' in error && error.beforeHandshake === true) {
    return { kind: 'unavailable', reason: 'no connection could be made' }
  }
  return error instanceof mongo.MongoError ? lostConnection(intent) : null
}

/**
 * What a driver's error means to the caller: `unavailable` for what was not done, `unknown` for a write that may have been. The
 * driver's words stay in the cause; ours name no credentials. An error that is not the driver's is a bug and comes back as it is.
 */
export const failureOf = (error: unknown, what: string, intent: Intent): Error => {
  if (error instanceof PortError) return error
  const verdict = verdictOf(error, intent)
  if (verdict !== null) return new PortError(verdict.kind, `${what}: ${verdict.reason}`, { cause: error })
  return error instanceof Error ? error : new Error(String(error))
}
