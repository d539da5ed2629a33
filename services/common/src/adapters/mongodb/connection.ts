import mongoose, { type Connection, type ConnectOptions, type mongo } from 'mongoose'
import type { Logger } from 'pino'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import { failureOf, type Intent } from './failures.ts'

/** How long a call looks for a server that takes it, ms. */
export const SERVER_SELECTION_MS_MAX = 5_000
/** How long making a connection may take, ms. */
export const CONNECT_MS_MAX = 2_000
/** How long a call that was sent waits for its answer, ms; then it is given up as `unknown`. */
export const ANSWER_MS_MAX = 10_000
/** How long the server waits for a majority to confirm a write, ms. */
export const MAJORITY_MS_MAX = 5_000
/** How long the server may work on a read, ms. */
export const READ_MS_MAX = 8_000
/** How often the driver looks after the servers, ms. */
export const HEARTBEAT_MS = 2_000
/** Connections to one server. */
export const POOL_CONNECTIONS_MAX = 32
/** Calls under way at most; one more is refused `full`. */
export const CALLS_IN_FLIGHT_MAX = 10_000
/** The database when the URL names none. */
export const DEFAULT_DATABASE = 'bourse'

/** Confirmed by a majority and in its journal: survives any crash that leaves a majority. */
const DURABLE = { w: 'majority', journal: true, wtimeoutMS: MAJORITY_MS_MAX } as const

/** What happened on a connection since it was opened. */
export interface MongoCounters {
  readonly reads: number
  readonly writes: number
  /** Calls that failed with certainty: nothing was done. */
  readonly failed: number
  /** Writes whose end nobody heard. */
  readonly inDoubt: number
  /** Calls refused because CALLS_IN_FLIGHT_MAX were under way. */
  readonly refused: number
}

/** The connection that all adapters on MongoDB share. */
export interface MongoConnection {
  /** Hosts and database, without user and password: for logs and findings. */
  readonly address: string
  readonly clock: Clock
  readonly logger: Logger
  /** For models; it neither buffers calls nor makes collections or indexes by itself. */
  readonly mongoose: Connection
  /** The driver's database: majority, journaled, read from the primary, 64-bit integers as bigint, binaries as Buffer. */
  readonly database: mongo.Db
  /**
   * Runs a call of the driver; its errors become PortErrors (`failureOf`).
   * @throws {PortError} `closed` after `close`, `full` with CALLS_IN_FLIGHT_MAX under way
   */
  run<Value>(intent: Intent, what: string, task: () => Promise<Value>): Promise<Value>
  counters(): MongoCounters
  /** Whether a server answers, as far as the driver knows: it learns of a lost one with the next call or heartbeat. */
  isConnected(): boolean
  /** Closes it; calls under way fail. Once more is no error. */
  close(): Promise<void>
}

/** What a connection is made of. */
export interface MongoOptions {
  /** `mongodb://` or `mongodb+srv://`, with or without a database. */
  readonly url: string
  readonly clock: Clock
  readonly logger: Logger
  /** Default ANSWER_MS_MAX. */
  readonly answerMsMax?: number
  /** Default SERVER_SELECTION_MS_MAX. */
  readonly serverSelectionMsMax?: number
  /** Default CONNECT_MS_MAX. A look after the servers may take as long. */
  readonly connectMsMax?: number
}

/** Hosts and database; whatever stands before the last @ is somebody's secret. */
const URL_PATTERN = /^mongodb(?:\+srv)?:\/\/(?:.*@)?([^/?@]+)(?:\/([^?@]*))?(?:\?|$)/u
const UNREADABLE =
  'the URL of MongoDB can not be read: mongodb://user:password@host:port/database, special characters as %40'

const placeOf = (url: string): { readonly hosts: string; readonly database: string } => {
  const [, hosts, database = ''] = URL_PATTERN.exec(url) ?? []
  // The URL itself is not shown: it may hold a password.
  if (hosts === undefined)
    throw new PortError('unavailable', 'the URL of MongoDB is none: mongodb://host:port/database')
  return { hosts, database: database === '' ? DEFAULT_DATABASE : decodeURIComponent(database) }
}

const settingsOf = (options: MongoOptions, database: string): ConnectOptions => ({
  dbName: database,
  appName: 'bourse',
  bufferCommands: false,
  autoCreate: false,
  autoIndex: false,
  // The driver's own repeat may end in an error that hides that the first try was sent: who calls decides on repeating.
  retryWrites: false,
  serverSelectionTimeoutMS: options.serverSelectionMsMax ?? SERVER_SELECTION_MS_MAX,
  waitQueueTimeoutMS: options.serverSelectionMsMax ?? SERVER_SELECTION_MS_MAX,
  connectTimeoutMS: options.connectMsMax ?? CONNECT_MS_MAX,
  socketTimeoutMS: options.answerMsMax ?? ANSWER_MS_MAX,
  heartbeatFrequencyMS: HEARTBEAT_MS,
  maxPoolSize: POOL_CONNECTIONS_MAX,
  noDelay: true,
  readPreference: 'primary',
  readConcernLevel: 'majority',
  writeConcern: DURABLE,
  useBigInt64: true,
  promoteBuffers: true,
})

const isAnswerOfNetwork = (error: unknown): boolean =>
  error instanceof mongoose.mongo.MongoServerError ||
  error instanceof mongoose.mongo.MongoNetworkError ||
  (error instanceof Error && /ServerSelectionError$/u.test(error.name))

const connect = async (options: MongoOptions, address: string, database: string): Promise<Connection> => {
  const { logger } = options
  const connection = mongoose.createConnection()
  try {
    await connection.openUri(options.url, settingsOf(options, database))
  } catch (error) {
    await connection.close(true)
    // What the driver says about a URL that it can't read may quote it.
    if (!isAnswerOfNetwork(error)) throw new PortError('unavailable', UNREADABLE)
    throw failureOf(error, `MongoDB at ${address}`, 'read')
  }
  connection.on('error', (error) => logger.warn({ err: error, address }, 'MongoDB: the connection reports an error'))
  connection.on('disconnected', () => logger.warn({ address }, 'MongoDB: no server answers'))
  connection.on('reconnected', () => logger.info({ address }, 'MongoDB: answers again'))
  return connection
}

/**
 * Connects to MongoDB on a mongoose connection of its own. What it promises for every call: writes are confirmed by a majority
 * and journaled, reads come from the primary and were confirmed by a majority, each ends within the named times.
 * @throws {PortError} `unavailable` when no server answers or the credentials are refused
 */
export const openMongo = async (options: MongoOptions): Promise<MongoConnection> => {
  const { hosts, database: name } = placeOf(options.url)
  const address = `${hosts}/${name}`
  const connection = await connect(options, address, name)
  const counters = { reads: 0, writes: 0, failed: 0, inDoubt: 0, refused: 0 }
  let inFlight = 0
  let isClosed = false

  return {
    address,
    clock: options.clock,
    logger: options.logger,
    mongoose: connection,
    database: connection.getClient().db(name),
    run: async (intent, what, task) => {
      if (isClosed) throw new PortError('closed', `${what}: the connection to MongoDB is closed`)
      if (inFlight >= CALLS_IN_FLIGHT_MAX) {
        counters.refused += 1
        throw new PortError(
          'full',
          `${what}: ${inFlight} calls to MongoDB are under way; at most ${CALLS_IN_FLIGHT_MAX}`,
        )
      }
      counters[intent === 'read' ? 'reads' : 'writes'] += 1
      inFlight += 1
      try {
        return await task()
      } catch (error) {
        const failure = failureOf(error, what, intent)
        counters[failure instanceof PortError && failure.kind === 'unknown' ? 'inDoubt' : 'failed'] += 1
        throw failure
      } finally {
        inFlight -= 1
      }
    },
    counters: () => ({ ...counters }),
    isConnected: () => connection.readyState === mongoose.ConnectionStates.connected,
    close: async () => {
      if (isClosed) return
      isClosed = true
      connection.removeAllListeners('disconnected')
      await connection.close(true)
    },
  }
}
