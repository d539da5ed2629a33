import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import mongoose from 'mongoose'
import { startChild, type ChildServer } from './child.ts'
import { freePort, isListening, whenFree } from './free-port.ts'

/** What answers: a real server, one of the two stand-ins, or whatever BOURSE_TEST_MONGODB_URL names. */
export type MongoKind = 'given' | 'mongod' | 'ferretdb' | 'mongo-memory'

/** A private server for a test. */
export interface MongoServer {
  readonly kind: MongoKind
  /** What stands in results: `MongoDB`, or `MongoDB (stand-in ferretdb)`. */
  readonly label: string
  /** Without a database. */
  readonly url: string
  /** Whether what was acknowledged is there after `kill` and `start`. */
  readonly keepsData: boolean
  /** The URL of a database on it. */
  urlOf(database: string): string
  /** Kills it and removes its data; once more is no error. */
  stop(): Promise<void>
  /** Kills it as `kill -9` does; its data stay where it keeps any. */
  kill(): Promise<void>
  /** Starts it again after `kill`, on the same port and data. */
  start(): Promise<void>
}

/** How long a server may take until it answers, ms. */
const START_MS_MAX = 120_000
/** How often another port is tried when a server ends or does not answer. */
const ATTEMPTS_MAX = 3
const REPLICA_SET = 'bourse'

const onPath = (name: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))

/** The newest build of a stand-in in the cache that `../shared/cluster/build` fills. */
const standIn = (name: 'ferretdb' | 'mongo-memory'): string | undefined => {
  const cache = process.env['BOURSE_CLUSTER_CACHE'] ?? join(homedir(), '.cache', 'bourse-cluster')
  const folder = join(cache, 'bin')
  if (!existsSync(folder)) return undefined
  return readdirSync(folder)
    .filter((entry) => entry.startsWith(`${name}-`))
    .map((entry) => join(folder, entry, name))
    .filter((path) => existsSync(path))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0]
}

const givenUrl = (): string | undefined => process.env['BOURSE_TEST_MONGODB_URL']

const programOf = (kind: MongoKind): string | undefined => {
  if (kind === 'given') return givenUrl()
  if (kind === 'mongo-memory' && onPath('java') === undefined) return undefined
  return kind === 'mongod' ? onPath('mongod') : standIn(kind)
}

const PREFERRED: readonly MongoKind[] = ['given', 'mongod', 'mongo-memory', 'ferretdb']

const kindFor = (kind?: MongoKind): MongoKind | undefined =>
  kind === undefined
    ? PREFERRED.find((one) => programOf(one) !== undefined)
    : programOf(kind) === undefined
      ? undefined
      : kind

const HOW_TO_INSTALL: Readonly<Record<MongoKind, string>> = {
  given: 'set BOURSE_TEST_MONGODB_URL to a MongoDB for tests',
  mongod: 'install MongoDB so that mongod is on the PATH, or set BOURSE_TEST_MONGODB_URL',
  ferretdb: 'run ../shared/cluster/build --no-packages ferretdb',
  'mongo-memory': 'run ../shared/cluster/build --no-packages mongo-memory (it needs java, javac and mvn)',
}

/** Why no such server (any, when no kind is named) can be started here, and what to install; undefined when one can. */
export const mongoMissing = (kind?: MongoKind): string | undefined => {
  if (kindFor(kind) !== undefined) return undefined
  if (kind !== undefined) return `no ${kind}: ${HOW_TO_INSTALL[kind]}`
  return `no MongoDB: ${HOW_TO_INSTALL.mongod}, or for a stand-in ${HOW_TO_INSTALL['mongo-memory']}`
}

/** What results name a server of this kind. */
export const mongoLabel = (kind: MongoKind): string =>
  kind === 'ferretdb' || kind === 'mongo-memory' ? `MongoDB (stand-in ${kind})` : 'MongoDB'

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs))

/** Resolves when the server listens, which each of them does last. */
const listening = async (child: ChildServer, port: number): Promise<void> => {
  for (const endMs = performance.now() + START_MS_MAX; performance.now() < endMs; await pause(10)) {
    // Who listens may be another one, which is why ours has ended.
    if ((await isListening(port)) && child.isRunning()) return
    if (!child.isRunning()) throw new Error(`the MongoDB server ended: ${child.output()}`)
  }
  throw new Error(`the MongoDB server did not listen within ${START_MS_MAX} ms: ${child.output()}`)
}

/** Makes a lone mongod a replica set of one, since `majority` needs one, and waits until it takes writes. */
const makeReplicaSet = async (port: number): Promise<void> => {
  const client = new mongoose.mongo.MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`)
  try {
    const admin = client.db('admin')
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }]
    try {
      await admin.command({ replSetInitiate: { _id: REPLICA_SET, members } })
    } catch (error) {
      const isInitiated = error instanceof mongoose.mongo.MongoServerError && error.codeName === 'AlreadyInitialized'
      if (!isInitiated) throw error
    }
    for (const endMs = performance.now() + START_MS_MAX; performance.now() < endMs; await pause(50)) {
      const hello = await admin.command({ hello: 1 })
      if (hello['isWritablePrimary'] === true) return
    }
    throw new Error(`mongod on port ${port} did not become primary within ${START_MS_MAX} ms`)
  } finally {
    await client.close()
  }
}

interface Launch {
  readonly args: readonly string[]
  readonly query: string
  readonly afterStart?: () => Promise<void>
}

const launchOf = (kind: Exclude<MongoKind, 'given'>, folder: string, port: number): Launch => {
  if (kind === 'mongo-memory') return { args: [String(port)], query: '' }
  const data = join(folder, 'data')
  mkdirSync(data, { recursive: true })
  if (kind === 'ferretdb') return { args: ['-listen', `127.0.0.1:${port}`, '-data', data], query: '' }
  return {
    args: ['--dbpath', data, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', REPLICA_SET],
    query: `?replicaSet=${REPLICA_SET}`,
    afterStart: () => makeReplicaSet(port),
  }
}

const givenServer = (url: string): MongoServer => {
  const refuse = (): Promise<never> =>
    Promise.reject(new Error('the MongoDB of BOURSE_TEST_MONGODB_URL is not ours to kill or start'))
  return {
    kind: 'given',
    label: mongoLabel('given'),
    url,
    keepsData: true,
    urlOf: (database) => {
      const target = new URL(url)
      target.pathname = `/${database}`
      return target.toString()
    },
    stop: () => Promise.resolve(),
    kill: refuse,
    start: refuse,
  }
}

/** One folder and port, on which a server was started. */
const startOn = async (kind: Exclude<MongoKind, 'given'>, program: string): Promise<MongoServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-mongo-'))
  const port = await freePort()
  const launch = launchOf(kind, folder, port)
  let child: ChildServer | undefined

  const start = async (): Promise<void> => {
    if (child !== undefined) throw new Error('the MongoDB server is running')
    // Its own temporary folder, and no file of the Java machine's beside it: after a kill nothing else is left.
    const env = { ...process.env, TMPDIR: folder, JAVA_TOOL_OPTIONS: '-XX:-UsePerfData' }
    const { args } = launch
    await whenFree(port)
    child = startChild({ command: program, args, env, cwd: folder, logFile: join(folder, 'server.log') })
    await listening(child, port)
    await launch.afterStart?.()
  }
  const kill = async (): Promise<void> => {
    const running = child
    child = undefined
    await running?.kill()
  }
  const stop = async (): Promise<void> => {
    await kill()
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }
  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    kind,
    label: mongoLabel(kind),
    url: `mongodb://127.0.0.1:${port}/${launch.query}`,
    keepsData: kind !== 'mongo-memory',
    urlOf: (database) => `mongodb://127.0.0.1:${port}/${database}${launch.query}`,
    stop,
    kill,
    start,
  }
}

/**
 * Starts a private server on a free loopback port: of the kind asked for, else what BOURSE_TEST_MONGODB_URL names, else `mongod`
 * as a replica set of one, else a stand-in (`mongo-memory` before `ferretdb`: it is the quicker one, and keeps nothing).
 * @throws {Error} when there is none (`mongoMissing` says so before) or it does not start
 */
export const startMongo = async (options: { readonly kind?: MongoKind } = {}): Promise<MongoServer> => {
  const kind = kindFor(options.kind)
  if (kind === undefined) throw new Error(mongoMissing(options.kind))
  const program = programOf(kind)!
  if (kind === 'given') return givenServer(program)
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(kind, program)
    } catch (error) {
      // The port was taken in between; a server that never comes up is the failure of the last attempt.
      if (attempt === ATTEMPTS_MAX) throw error
    }
  }
}
