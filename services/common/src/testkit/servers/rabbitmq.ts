import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { startChild, type ChildServer } from './child.ts'
import { freePort, isListening, whenFree } from './free-port.ts'

/** A private RabbitMQ node of a test. */
export interface RabbitMqServer {
  /** `amqp://user:password@127.0.0.1:port`. */
  readonly url: string
  readonly port: number
  /** As the server itself tells, `3.10.8`. */
  readonly version: string
  /** Kills it and removes its data. */
  stop(): Promise<void>
  /** Kills it (SIGKILL) and keeps its data. */
  kill(): Promise<void>
  /** Starts it again on the same data and ports. */
  start(): Promise<void>
  /** Freezes (SIGSTOP) or thaws (SIGCONT) the node. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** Runs `rabbitmqctl`, which takes a second or two, and returns what it prints. */
  control(...args: readonly string[]): Promise<string>
}

/** How the node is set up. */
export interface RabbitMqOptions {
  /** `vm_memory_high_watermark.absolute`, as in `2GB`. */
  readonly memoryWatermark?: string
  /** Further lines of `rabbitmq.conf`. */
  readonly config?: readonly string[]
  /** Plugins to enable, as `rabbitmq_stream`. None by default. */
  readonly plugins?: readonly string[]
}

const FOLDERS = ['/usr/lib/rabbitmq/bin', '/usr/local/lib/rabbitmq/bin', '/opt/rabbitmq/sbin']
const USER = 'bourse'
const PASSWORD = 'bourse-test'
const PROBE_PAUSE_MS = 50
const PROBE_TIMEOUT_MS = 5_000
const START_TIMEOUT_MS = 120_000
const ATTEMPTS_MAX = 3
/** How long `rabbitmqctl` and the node may take to greet each other, s: the default of 7 is short for a busy machine. */
const PATIENCE = '-kernel net_setuptime 120'
/** The AMQP 0-9-1 protocol header; a server that is up answers it with the frame of `connection.start`. */
const PROTOCOL_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1])

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
const folderOfServer = (): string | undefined => FOLDERS.find((folder) => isExecutable(join(folder, 'rabbitmq-server')))
const epmdPath = (): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'epmd'))
    .find(isExecutable)

/** Why no RabbitMQ can be started here and how to change that, or undefined when one can. */
export const rabbitMqMissing = (): string | undefined =>
  folderOfServer() === undefined || epmdPath() === undefined
    ? 'RabbitMQ is not installed (apt-get install rabbitmq-server)'
    : undefined

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs))

/** The version out of the server's first frame, or null when it is not up. */
const probe = (port: number): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const done = (version: string | null): void => {
      socket.destroy()
      resolve(version)
    }
    socket.setTimeout(PROBE_TIMEOUT_MS, () => done(null))
    socket.once('error', () => done(null))
    socket.once('close', () => done(null))
    socket.once('connect', () => socket.write(PROTOCOL_HEADER))
    socket.once('data', (frame: Buffer) => {
      // The field of the server's properties: name, type `S`, four bytes of length, the text.
      const at = frame.indexOf('\u0007versionS', 0, 'latin1')
      const length = at < 0 ? 0 : frame.readUInt32BE(at + 9)
      done(at < 0 ? null : frame.toString('latin1', at + 13, at + 13 + length))
    })
  })

interface Ports {
  readonly amqp: number
  readonly distribution: number
  readonly epmd: number
}

const environmentOf = (home: string, ports: Ports): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  LANG: 'C.UTF-8',
  HOME: home,
  RABBITMQ_NODENAME: `bourse${ports.amqp}@localhost`,
  RABBITMQ_MNESIA_BASE: join(home, 'data'),
  RABBITMQ_LOG_BASE: join(home, 'log'),
  RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
  RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'enabled_plugins'),
  RABBITMQ_PID_FILE: join(home, 'pid'),
  RABBITMQ_CONF_ENV_FILE: '/dev/null',
  RABBITMQ_ADVANCED_CONFIG_FILE: '/nonexistent',
  RABBITMQ_DIST_PORT: String(ports.distribution),
  ERL_EPMD_PORT: String(ports.epmd),
  ERL_EPMD_ADDRESS: '127.0.0.1',
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-kernel inet_dist_use_interface {127,0,0,1} ${PATIENCE} +S 2:2`,
  RABBITMQ_CTL_ERL_ARGS: PATIENCE,
  RUNNING_UNDER_SYSTEMD: 'true',
})

const writeSettings = (home: string, ports: Ports, options: RabbitMqOptions): void => {
  for (const folder of ['data', 'log']) mkdirSync(join(home, folder), { recursive: true })
  const watermark = options.memoryWatermark
  const lines = [
    `listeners.tcp.default = 127.0.0.1:${ports.amqp}`,
    `default_user = ${USER}`,
    `default_pass = ${PASSWORD}`,
    'disk_free_limit.absolute = 50MB',
    ...(watermark === undefined ? [] : [`vm_memory_high_watermark.absolute = ${watermark}`]),
    ...(options.config ?? []),
  ]
  writeFileSync(join(home, 'rabbitmq.conf'), `${lines.join('\n')}\n`)
  writeFileSync(join(home, 'enabled_plugins'), `[${(options.plugins ?? []).join(',')}].\n`)
}

/** One folder and set of ports: what `kill` keeps and `start` takes up again. */
const createNode = async (folder: string, epmd: string, options: RabbitMqOptions) => {
  const home = mkdtempSync(join(tmpdir(), 'bourse-rabbitmq-'))
  const ports: Ports = { amqp: await freePort(), distribution: await freePort(), epmd: await freePort() }
  const env = environmentOf(home, ports)
  const children: ChildServer[] = []
  writeSettings(home, ports, options)

  const kill = async (): Promise<void> => {
    await Promise.all(children.splice(0).map((child) => child.kill()))
  }
  const start = async (): Promise<string> => {
    const logFile = join(home, 'output.log')
    const endMs = performance.now() + START_TIMEOUT_MS
    await Promise.all(Object.values(ports).map((port) => whenFree(port)))
    const mapper = startChild({
      command: epmd,
      args: ['-port', String(ports.epmd), '-address', '127.0.0.1'],
      env,
      logFile,
    })
    children.push(mapper)
    // A node that finds no port mapper starts one of its own, which would outlive it.
    while (mapper.isRunning() && !(await isListening(ports.epmd)) && performance.now() < endMs)
      await pause(PROBE_PAUSE_MS)
    const server = startChild({ command: join(folder, 'rabbitmq-server'), args: [], env, cwd: home, logFile })
    children.push(server)
    while (server.isRunning() && performance.now() < endMs) {
      const version = await probe(ports.amqp)
      if (version !== null && server.isRunning()) return version
      await pause(PROBE_PAUSE_MS)
    }
    const output = server.output()
    await kill()
    throw new Error(`RabbitMQ did not start: ${output}`)
  }
  return {
    port: ports.amqp,
    kill,
    start,
    signal: (name: 'SIGSTOP' | 'SIGCONT') => children.at(-1)?.signal(name),
    remove: async (): Promise<void> => {
      await kill()
      if (existsSync(home)) rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
    },
    control: async (...args: readonly string[]): Promise<string> => {
      const { stdout } = await promisify(execFile)(join(folder, 'rabbitmqctl'), [...args], { env, cwd: home })
      return stdout
    },
  }
}

/**
 * Starts a RabbitMQ node of one's own on free ports of the loopback: as this user, with its own data, cookie and port
 * mapper. It is ready when this resolves, which takes three to ten seconds.
 */
export const startRabbitMq = async (options: RabbitMqOptions = {}): Promise<RabbitMqServer> => {
  const [folder, epmd] = [folderOfServer(), epmdPath()]
  if (folder === undefined || epmd === undefined) throw new Error(rabbitMqMissing())
  for (let attempt = 1; ; attempt++) {
    const node = await createNode(folder, epmd, options)
    try {
      const version = await node.start()
      return {
        url: `amqp://${USER}:${PASSWORD}@127.0.0.1:${node.port}`,
        port: node.port,
        version,
        stop: node.remove,
        kill: node.kill,
        start: async () => void (await node.start()),
        signal: node.signal,
        control: node.control,
      }
    } catch (error) {
      // A port was taken in between; a node that never comes up is the failure of the last attempt.
      await node.remove()
      if (attempt === ATTEMPTS_MAX) throw error
    }
  }
}
