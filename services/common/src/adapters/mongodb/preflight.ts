import mongoose from 'mongoose'
import type { Clock } from '../../ports/clock.ts'
import type { Finding } from '../../ports/finding.ts'
import { MAJORITY_MS_MAX, type MongoConnection } from './connection.ts'

/** The oldest server we rely on: its majority reads and writes are what the journal promises. */
export const MONGODB_VERSION_MIN = [6, 0] as const

/** What a server says about itself; undefined where it says nothing. */
export interface MongoFacts {
  readonly version: string | undefined
  /** A server that speaks the protocol and is no MongoDB, by its name. */
  readonly standIn: 'ferretdb' | 'mongo-memory' | undefined
  /** Member of a replica set, or a router in front of some. */
  readonly isReplicated: boolean
  /** Whether the storage engine keeps a journal. */
  readonly isJournaled: boolean
  /** Whether a majority's confirmation includes its journals. */
  readonly isMajorityJournaled: boolean
  /** Why a write was not confirmed by a majority in time; undefined when it was. */
  readonly majorityFailure: string | undefined
  /** The server's clock minus ours, and by how much that may be wrong, ms; undefined when it tells no time. */
  readonly clock: { readonly differenceMs: number; readonly doubtMs: number } | undefined
}

const isOld = (version: string | undefined): boolean => {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number)
  const [majorMin, minorMin] = MONGODB_VERSION_MIN
  return major < majorMin || (major === majorMin && minor < minorMin)
}

const finding = (code: string, message: string, remedy: string): Finding => ({
  service: 'mongodb',
  code,
  message,
  remedy,
  losesData: true,
})

const standInFinding = (name: string): Finding =>
  finding(
    'stand-in',
    `the server is the stand-in ${name}: it proves the protocol and promises nothing about durability`,
    'give the URL of a MongoDB replica set; a stand-in is for development and tests only',
  )

const replicationFindings = (facts: MongoFacts): readonly (Finding | false)[] => [
  !facts.isReplicated &&
    finding(
      'standalone',
      'the server is standalone, so no majority can confirm a write',
      'run MongoDB as a replica set, of three members for production: start mongod with --replSet and call rs.initiate()',
    ),
  !facts.isJournaled &&
    finding(
      'journaling-off',
      'the server keeps no journal: what it acknowledged is lost when it crashes',
      'start mongod with the WiredTiger storage engine and without storage.journal.enabled: false',
    ),
  !facts.isMajorityJournaled &&
    finding(
      'majority-not-journaled',
      'the replica set counts members towards a majority before their journals have the write',
      'set writeConcernMajorityJournalDefault to true with rs.reconfig()',
    ),
  facts.isReplicated &&
    facts.majorityFailure !== undefined &&
    finding(
      'majority-unavailable',
      `no majority confirmed a write within ${MAJORITY_MS_MAX} ms: ${facts.majorityFailure}`,
      'bring the other members of the replica set back (rs.status() names them), and see that they are not far behind',
    ),
]

const clockFinding = ({ clock }: MongoFacts, clockDifferenceMsMax: number): Finding | false =>
  clock !== undefined &&
  Math.abs(clock.differenceMs) - clock.doubtMs > clockDifferenceMsMax && {
    service: 'clock',
    code: 'clocks-apart',
    message: `the clock of MongoDB is ${Math.round(clock.differenceMs)} ms from ours, allowed are ${clockDifferenceMsMax} ms`,
    remedy: 'synchronise the clocks of all machines (chrony or another NTP client) and start again',
    losesData: true,
  }

/** What is wrong with a server that says this about itself. */
export const judgeMongo = (facts: MongoFacts, clockDifferenceMsMax: number): readonly Finding[] => {
  const found = [
    // Of a stand-in nothing else is asked: it claims versions and settings that mean nothing.
    ...(facts.standIn === undefined ? replicationFindings(facts) : [standInFinding(facts.standIn)]),
    facts.standIn === undefined &&
      isOld(facts.version) &&
      finding(
        'server-too-old',
        `the server is MongoDB ${facts.version ?? 'of unknown version'}; at least ${MONGODB_VERSION_MIN.join('.')} is needed`,
        `upgrade it to ${MONGODB_VERSION_MIN.join('.')} or later, one major version after the other`,
      ),
    clockFinding(facts, clockDifferenceMsMax),
  ]
  return found.filter((one): one is Finding => one !== false)
}

type Answer = Readonly<Record<string, unknown>>

/** Commands whose refusal means only that the server does not tell. */
const createAsking = ({ database, run }: MongoConnection) => {
  const admin = database.client.db('admin')
  return (command: Answer): Promise<Answer | undefined> =>
    run('read', `the command ${Object.keys(command)[0]!}`, async () => {
      try {
        return await admin.command(command)
      } catch (error) {
        if (error instanceof mongoose.mongo.MongoServerError) return undefined
        throw error
      }
    })
}

const part = (answer: Answer | undefined, ...names: readonly string[]): unknown =>
  names.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    answer,
  )

const textAt = (answer: Answer | undefined, ...names: readonly string[]): string | undefined => {
  const value = part(answer, ...names)
  return typeof value === 'string' ? value : undefined
}

/** A MongoDB of a version that we take knows the command `hello`; mongo-java-server does not, whatever version it claims. */
const standInOf = (build: Answer | undefined, hello: Answer | undefined): MongoFacts['standIn'] => {
  if (part(build, 'ferretdbVersion') !== undefined) return 'ferretdb'
  return hello === undefined ? 'mongo-memory' : undefined
}

/** Writes to see whether a majority confirms it. */
const majorityFailureOf = async ({ database, run, clock }: MongoConnection): Promise<string | undefined> =>
  run('write', 'a write for a majority', async () => {
    const probe = database.collection<{ _id: string }>('preflight')
    try {
      await probe.updateOne({ _id: 'majority' }, { $set: { atMs: clock.nowMs() } }, { upsert: true })
      return undefined
    } catch (error) {
      if (error instanceof mongoose.mongo.MongoServerError) return error.message
      throw error
    }
  })

/** Asks a server for its facts. @throws {PortError} `unavailable` when it does not answer */
export const readMongoFacts = async (connection: MongoConnection, clock: Clock): Promise<MongoFacts> => {
  const ask = createAsking(connection)
  const askedAtMs = clock.nowMs()
  const askedAtMonotonicMs = clock.monotonicMs()
  const hello = await ask({ hello: 1 })
  // The answer was made somewhere between asking and hearing it; clocks here and there count whole milliseconds.
  const halfMs = (clock.monotonicMs() - askedAtMonotonicMs) / 2
  const build = await ask({ buildInfo: 1 })
  const status = await ask({ serverStatus: 1 })
  const options = await ask({ getCmdLineOpts: 1 })
  const config = await ask({ replSetGetConfig: 1 })
  const localTime = part(hello, 'localTime')
  return {
    version: textAt(build, 'version'),
    standIn: standInOf(build, hello),
    isReplicated: textAt(hello, 'setName') !== undefined || textAt(hello, 'msg') === 'isdbgrid',
    isJournaled:
      part(status, 'storageEngine', 'persistent') !== false &&
      part(options, 'parsed', 'storage', 'journal', 'enabled') !== false,
    isMajorityJournaled: part(config, 'config', 'writeConcernMajorityJournalDefault') !== false,
    majorityFailure: await majorityFailureOf(connection),
    clock:
      localTime instanceof Date
        ? { differenceMs: localTime.getTime() - askedAtMs - halfMs, doubtMs: halfMs + 1 }
        : undefined,
  }
}

/**
 * Looks at MongoDB before it is trusted: standalone, without journaling or majority, too old, a clock apart, a stand-in.
 * @throws {PortError} `unavailable` when it does not answer
 */
export const checkMongo = async (deps: {
  readonly connection: MongoConnection
  readonly clock: Clock
  /** How far its clock may be from ours, ms. */
  readonly clockDifferenceMsMax: number
}): Promise<readonly Finding[]> =>
  judgeMongo(await readMongoFacts(deps.connection, deps.clock), deps.clockDifferenceMsMax)
