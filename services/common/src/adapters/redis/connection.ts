import { Redis, type RedisOptions } from 'ioredis'
import type { Logger } from 'pino'
import { PortError } from '../../ports/failure.ts'

/** Longest a command may wait for its answer, ms. What Redis does for us is never worth more of a request's time. */
export const COMMAND_TIMEOUT_MS = 250
/** Commands under way at most; one more is refused `full`. */
export const COMMANDS_IN_FLIGHT_MAX = 10_000
/** A connection with a command on it that brings nothing for this long is dead, whatever TCP thinks, ms. */
export const SILENCE_MS_MAX = 1_000
/** Longest a new connection may take, ms. */
export const CONNECT_TIMEOUT_MS = 1_000
/** Pauses between attempts to connect grow from this … */
export const RECONNECT_PAUSE_MS_MIN = 50
/** … to this, ms, and go on for ever. */
export const RECONNECT_PAUSE_MS_MAX = 2_000
/** How long `openRedis` waits for a server before it goes on without one, ms. */
export const OPEN_WAIT_MS = 2_000

/** What happened on a connection since it was opened. */
export interface RedisCounters {
  /** Commands sent. */
  readonly commands: number
  /** Of those, the ones that failed, for whatever reason. */
  readonly failed: number
  /** Of the failed, those nobody answered in time. */
  readonly timedOut: number
  /** Commands refused unsent: no connection, or too many under way. */
  readonly refused: number
  /** Times a connection was made. */
  readonly connects: number
}

/** What a command is made of: its name first. */
export type CommandPart = string | number | Uint8Array

/** One TCP connection that comes back by itself. */
export interface RedisLine {
  /** `ready`: commands are sent. `away`: they fail at once. */
  state(): 'ready' | 'away' | 'closed'
  /**
   * Sends a command and gives its answer: texts as Buffers, numbers, nested arrays, null.
   * Fails with PortError: `unavailable` (not connected, or cut off), `timeout`, `full`, `closed`, and `unavailable` with the
   * server's own error as cause when it refused.
   */
  command(...parts: readonly CommandPart[]): Promise<unknown>
  counters(): RedisCounters
  close(): Promise<void>
}

/** The connection all adapters on Redis share. */
export interface RedisConnection extends RedisLine {
  /** First part of every key we write. */
  readonly prefix: string
  /** Where the server is, without user and password: for logs and findings. */
  readonly address: string
  readonly logger: Logger
  /**
   * A further connection, for commands that block at the server for up to `blockMs`: an answer that is later by SILENCE_MS_MAX
   * ends it and makes a new one. It is closed with this connection at the latest.
   */
  openBlocking(name: string, blockMs: number): RedisLine
}

/** Where Redis is. */
export interface RedisSettings {
  /** `redis://[user:password@]host:port[/database]`, or `rediss://` for TLS. */
  readonly url: string
  readonly logger: Logger
  /** Default `bourse`. */
  readonly prefix?: string
  /** Default COMMAND_TIMEOUT_MS. */
  readonly commandTimeoutMs?: number
  /** Default SILENCE_MS_MAX. */
  readonly silenceMsMax?: number
  /** Default COMMANDS_IN_FLIGHT_MAX. */
  readonly inFlightMax?: number
}

/** The server's address as it may be shown. */
export const shownAddress = (url: string): string => {
  const { protocol, hostname, port, pathname } = new URL(url)
  return `${protocol}//${hostname}:${port === '' ? '6379' : port}${pathname === '/' ? '' : pathname}`
}

const reconnectPauseMs = (attempt: number): number =>
  Math.min(RECONNECT_PAUSE_MS_MAX, RECONNECT_PAUSE_MS_MIN * 2 ** Math.min(attempt - 1, 16))

/** The driver's words for a command nobody answered in time. */
const isTimeout = (error: Error): boolean => error.message.includes('timed out')

/** A promise one waits for no longer than this; `forget` takes the timer away. */
const within = (waitMs: number, promise: Promise<void>): { done: Promise<void>; forget(): void } => {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, waitMs)))
  return { done: Promise.race([promise, patience]), forget: () => clearTimeout(timer) }
}

interface LineSettings {
  readonly url: string
  readonly name: string
  readonly logger: Logger
  readonly inFlightMax: number
  /** How long commands and the socket may be without an answer. */
  readonly limits: Pick<RedisOptions, 'commandTimeout' | 'socketTimeout'>
  readonly onClose: () => void
}

const openLine = (settings: LineSettings): RedisLine & { whenReady(): Promise<void> } => {
  const { url, name, logger, inFlightMax } = settings
  const address = shownAddress(url)
  const counters = { commands: 0, failed: 0, timedOut: 0, refused: 0, connects: 0 }
  let inFlight = 0
  let isClosed = false
  let isSaid = false
  const redis = new Redis(url, {
    connectionName: name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...settings.limits,
    // A command either goes out now or fails: nothing here is worth waiting for, or doing late.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectPauseMs,
    disableClientInfo: true,
    // Answers have one shape on every server from 6.0 on.
    protocol: 2,
  })
  redis.on('ready', () => {
    counters.connects += 1
    isSaid = false
    logger.info({ address, connection: name, connects: counters.connects }, 'Redis is connected')
  })
  redis.on('error', (error: Error) => {
    // Once per absence. The driver's error may carry the arguments of AUTH: its message alone is shown.
    if (!isSaid) logger.warn({ address, connection: name, reason: error.message || error.name }, 'Redis is away')
    isSaid = true
  })

  const refuse = (kind: 'unavailable' | 'full' | 'closed', message: string): PortError => {
    counters.refused += 1
    return new PortError(kind, message)
  }
  return {
    state: () => (isClosed ? 'closed' : redis.status === 'ready' ? 'ready' : 'away'),
    command: async (command, ...parts) => {
      if (isClosed) throw refuse('closed', 'the connection to Redis is closed')
      if (redis.status !== 'ready') throw refuse('unavailable', `no connection to Redis at ${address}`)
      if (inFlight >= inFlightMax) throw refuse('full', `${inFlight} commands to Redis are under way`)
      inFlight += 1
      counters.commands += 1
      try {
        return await redis.callBuffer(String(command), ...parts.map(toArgument))
      } catch (error) {
        counters.failed += 1
        const cause = error instanceof Error ? error : new Error(String(error))
        if (isTimeout(cause)) {
          counters.timedOut += 1
          throw new PortError('timeout', `Redis at ${address} did not answer ${String(command)} in time`, { cause })
        }
        throw new PortError('unavailable', `Redis at ${address}: ${String(command)}: ${cause.message}`, { cause })
      } finally {
        inFlight -= 1
      }
    },
    counters: () => ({ ...counters }),
    whenReady: () =>
      new Promise((resolve) => {
        if (redis.status === 'ready') return resolve()
        redis.once('ready', resolve)
        redis.once('end', resolve)
      }),
    close: async () => {
      if (isClosed) return
      isClosed = true
      settings.onClose()
      // Between two attempts there is no socket, and the driver then says nothing of its end.
      const hasSocket = ['connecting', 'connect', 'ready'].includes(redis.status)
      const ended = within(CONNECT_TIMEOUT_MS, new Promise<void>((resolve) => redis.once('end', () => resolve())))
      // What is under way fails: who closes has stopped asking.
      redis.stream?.destroy()
      redis.disconnect()
      if (hasSocket) await ended.done
      ended.forget()
    },
  }
}

const toArgument = (part: CommandPart): string | number | Buffer =>
  part instanceof Uint8Array ? Buffer.from(part.buffer, part.byteOffset, part.byteLength) : part

/**
 * Opens the connection to Redis. Resolves when it is there, or after OPEN_WAIT_MS without: Redis may be away at any moment, the
 * first one included, and the platform goes on. It reconnects for ever; meanwhile every command fails at once.
 */
export const openRedis = async (settings: RedisSettings): Promise<RedisConnection> => {
  const {
    url,
    logger,
    prefix = 'bourse',
    inFlightMax = COMMANDS_IN_FLIGHT_MAX,
    silenceMsMax = SILENCE_MS_MAX,
  } = settings
  const blocking = new Set<RedisLine>()
  const main = openLine({
    url,
    name: `${prefix}:commands`,
    logger,
    inFlightMax,
    limits: { commandTimeout: settings.commandTimeoutMs ?? COMMAND_TIMEOUT_MS, socketTimeout: silenceMsMax },
    onClose: () => undefined,
  })
  const ready = within(OPEN_WAIT_MS, main.whenReady())
  await ready.done
  ready.forget()
  return {
    prefix,
    address: shownAddress(url),
    logger,
    state: main.state,
    command: main.command,
    counters: main.counters,
    openBlocking: (name, blockMs) => {
      if (main.state() === 'closed') throw new PortError('closed', 'the connection to Redis is closed')
      const line = openLine({
        url,
        name: `${prefix}:${name}`,
        logger,
        inFlightMax,
        limits: { socketTimeout: blockMs + silenceMsMax },
        onClose: () => blocking.delete(line),
      })
      blocking.add(line)
      return line
    },
    close: async () => {
      await Promise.all([...blocking, main].map((line) => line.close()))
    },
  }
}
