import { connect, type ChannelModel, type ConfirmChannel, type SocketOptions } from 'amqplib'
import type { Logger } from 'pino'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import { createKeeper, type ChannelUse, type Keeper } from './channel-keeper.ts'

/** How long a heartbeat's period is, s: a connection on which nothing arrives for two of them is given up. */
export const HEARTBEAT_SECONDS = 2
/** A connection that is not open after this long is given up and tried anew, ms. */
export const CONNECT_TIMEOUT_MS = 5_000
/** How long the first connection is tried for before the opening fails, ms. Later ones are tried for ever. */
export const FIRST_CONNECT_MS = 15_000
/** Pause before a lost connection is opened again, ms; it doubles up to RECONNECT_PAUSE_MS_MAX. */
export const RECONNECT_PAUSE_MS = 50
/** Longest such pause, ms. */
export const RECONNECT_PAUSE_MS_MAX = 2_000
/** How long the server may take to answer the closing of a connection before its socket is ended all the same, ms. */
export const CLOSE_TIMEOUT_MS = 2_000
/** Channels of one connection; RabbitMQ's own limit is 2,047. */
export const CHANNELS_MAX = 1_024

/**
 * `blocked`: the server raised an alarm (memory, disk) and reads nothing from connections that publish. `disconnected`: it is
 * being opened again.
 */
export type ConnectionState = 'connected' | 'blocked' | 'disconnected' | 'closed'

/** The version of the server, as it tells itself. */
export interface ServerVersion {
  readonly text: string
  readonly major: number
  readonly minor: number
}

/** What a connection has counted since it was opened. */
export interface ConnectionCounts {
  readonly connects: number
  readonly connectsFailed: number
  readonly disconnects: number
  readonly channelsLost: number
  /** How often and how long an alarm held it up; a time that lasts is included. */
  readonly blocks: number
  readonly blockedMs: number
}

/** One connection to RabbitMQ that comes back by itself. */
export interface RabbitConnection {
  state(): ConnectionState
  /** Why it is blocked or disconnected; null when it is neither. */
  reason(): string | null
  /** Of the server it was last connected to. */
  version(): ServerVersion
  /** What that server says it can do: `publisher_confirms`, `basic.nack`. */
  capabilities(): Readonly<Record<string, boolean>>
  /** Hears of every change of the state, after it; returns what ends the listening. */
  onState(listener: (state: ConnectionState) => void): () => void
  /**
   * Keeps a channel with publisher confirms: `onOpen` gets a fresh one now and after every loss, and what it says is said
   * before the channel is used (declarations, a consumer).
   * @throws PortError `full` when CHANNELS_MAX channels are kept, `closed` after `close`
   */
  keep(use: ChannelUse): Keeper
  /**
   * Runs a task on a channel of its own, closed afterwards.
   * @throws PortError `unavailable` while disconnected, `unknown` when the channel was lost underneath the task
   */
  withChannel<Value>(task: (channel: ConfirmChannel) => Promise<Value>): Promise<Value>
  counts(): ConnectionCounts
  /** Ends it for good; unacknowledged deliveries return to their queues. */
  close(): Promise<void>
}

/** What a connection needs. */
export interface RabbitConnectionOptions {
  /** `amqp://user:password@host:port/vhost`. */
  readonly url: string
  readonly clock: Clock
  readonly logger: Logger
  /** Shown by the server's own tools. */
  readonly name: string
  readonly heartbeatSeconds?: number | undefined
  readonly firstConnectMs?: number | undefined
  readonly connectTimeoutMs?: number | undefined
}

/** A URL as it may be shown: without user and password. */
export const shownUrl = (url: string): string => {
  if (!URL.canParse(url)) return 'an unreadable URL'
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}

/** Reads `3.10.8` or `4.1.0-rc.1`. */
export const parseVersion = (text: string): ServerVersion => {
  const [major = '0', minor = '0'] = text.split('.')
  return { text, major: Number.parseInt(major, 10) || 0, minor: Number.parseInt(minor, 10) || 0 }
}

const capabilitiesOf = (properties: object): Readonly<Record<string, boolean>> => {
  const told: unknown = 'capabilities' in properties ? properties.capabilities : null
  if (typeof told !== 'object' || told === null) return {}
  return Object.fromEntries(Object.entries(told).map(([name, value]) => [name, value === true]))
}

/** The URL as the driver takes it, with our heartbeat; the driver's own errors would show the password. */
const checkedUrl = (url: string, heartbeatSeconds: number): string => {
  if (!URL.canParse(url) || !/^amqps?:$/.test(new URL(url).protocol)) {
    throw new PortError('unavailable', 'the URL of RabbitMQ must look like amqp://user:password@host:5672')
  }
  const checked = new URL(url)
  checked.searchParams.set('heartbeat', String(heartbeatSeconds))
  return checked.href
}

/** Only a server that answered refuses a login: trying again changes nothing. */
const isRefused = (error: unknown): boolean => error instanceof Error && error.message.includes('ACCESS_REFUSED')

const messageOf = (error: unknown): string => (error instanceof Error ? error.message || error.name : String(error))

/** A live connection of the driver and what ends its socket, which the driver leaves half open when the peer is dead. */
interface Live {
  readonly model: ChannelModel
  readonly socket: AbortController
}

const createState = (clock: Clock) => {
  const listeners = new Set<(state: ConnectionState) => void>()
  const counts = { connects: 0, connectsFailed: 0, disconnects: 0, channelsLost: 0, blocks: 0, blockedMs: 0 }
  let state: ConnectionState = 'disconnected'
  let reason: string | null = null
  let blockedSinceMs = 0
  const blockedNowMs = (): number => (state === 'blocked' ? clock.monotonicMs() - blockedSinceMs : 0)
  return {
    counts,
    state: () => state,
    reason: () => reason,
    listen: (listener: (state: ConnectionState) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    snapshot: (): ConnectionCounts => ({ ...counts, blockedMs: counts.blockedMs + blockedNowMs() }),
    set: (next: ConnectionState, why: string | null): void => {
      if (state === 'closed') return
      counts.blockedMs += blockedNowMs()
      if (next === 'blocked') {
        counts.blocks += 1
        blockedSinceMs = clock.monotonicMs()
      }
      ;[state, reason] = [next, why]
      for (const listener of [...listeners]) listener(next)
    },
  }
}

const openLive = async (options: RabbitConnectionOptions): Promise<Live> => {
  const { heartbeatSeconds = HEARTBEAT_SECONDS, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options
  const socket = new AbortController()
  // The signal is for the socket itself: the driver hands its options through.
  const settings: SocketOptions & { readonly signal: AbortSignal } = {
    noDelay: true,
    timeout: connectTimeoutMs,
    signal: socket.signal,
    clientProperties: { connection_name: options.name },
  }
  const model = await connect(checkedUrl(options.url, heartbeatSeconds), settings)
  return { model, socket }
}

/** Ends a connection in order, or without the server's answer: the driver would wait for that even when the peer is dead. */
const closeLive = async ({ model, socket }: Live, clock: Clock): Promise<void> => {
  const waiting = new AbortController()
  const late = clock.sleep(CLOSE_TIMEOUT_MS, waiting.signal).catch(() => undefined)
  // A connection that is lost underneath its closing is closed as well.
  await Promise.race([model.close().catch(() => undefined), late])
  waiting.abort()
  socket.abort()
}

const withChannel = async <Value>(
  live: Live | null,
  task: (channel: ConfirmChannel) => Promise<Value>,
): Promise<Value> => {
  if (live === null) throw new PortError('unavailable', 'RabbitMQ is not connected')
  let channel: ConfirmChannel | null = null
  let lost: Error | null = null
  try {
    channel = await live.model.createConfirmChannel()
    channel.on('error', (error) => (lost = error))
    const value = await task(channel)
    await channel.close()
    return value
  } catch (error) {
    if (error instanceof PortError) {
      await channel?.close().catch(() => undefined)
      throw error
    }
    const cause: unknown = lost ?? error
    throw new PortError(channel === null ? 'unavailable' : 'unknown', `RabbitMQ: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Opens a connection and keeps it open: `noDelay`, a heartbeat of HEARTBEAT_SECONDS, tried again for ever with growing
 * pauses once it stood.
 * @throws PortError `unavailable` when there is none within `firstConnectMs` or the login is refused
 */
export const openRabbitConnection = async (options: RabbitConnectionOptions): Promise<RabbitConnection> => {
  const { clock, firstConnectMs = FIRST_CONNECT_MS } = options
  const where = shownUrl(options.url)
  const logger = options.logger.child({ rabbitmq: where, connection: options.name })
  const status = createState(clock)
  const keepers = new Set<Keeper>()
  const quit = new AbortController()
  let live: Live | null = null
  let version = parseVersion('0.0')
  let capabilities: Readonly<Record<string, boolean>> = {}
  let reconnecting: Promise<void> = Promise.resolve()

  const onClosed = (ended: Live, error: Error | undefined): void => {
    if (live !== ended) return
    live = null
    if (error !== undefined) ended.socket.abort()
    if (quit.signal.aborted) return
    status.counts.disconnects += 1
    const why = error?.message ?? 'closed'
    logger.warn({ why }, 'RabbitMQ is disconnected')
    status.set('disconnected', why)
    reconnecting = tryAgain()
  }

  /** Tries once. @throws what the driver says */
  const open = async (): Promise<void> => {
    const made = await openLive(options)
    if (quit.signal.aborted) {
      made.model.on('error', () => undefined)
      await closeLive(made, clock)
      return
    }
    live = made
    const properties = made.model.connection.serverProperties
    version = parseVersion(String(properties.version))
    capabilities = capabilitiesOf(properties)
    made.model.on('error', () => undefined) // `close` follows with the same error.
    made.model.on('close', (error) => onClosed(made, error))
    made.model.on('blocked', (why) => {
      logger.warn({ why }, 'RabbitMQ takes no messages: an alarm is on')
      status.set('blocked', why)
    })
    made.model.on('unblocked', () => status.set('connected', null))
    status.counts.connects += 1
    status.set('connected', null)
    for (const keeper of keepers) keeper.connected(made.model)
  }

  /** Tries until it stands, is closed, or `endMs` (monotonic) has passed. */
  const tryUntil = async (endMs: number): Promise<void> => {
    for (
      let pauseMs = RECONNECT_PAUSE_MS;
      !quit.signal.aborted;
      pauseMs = Math.min(pauseMs * 2, RECONNECT_PAUSE_MS_MAX)
    ) {
      try {
        await open()
        return
      } catch (error) {
        if (error instanceof PortError) throw error
        status.counts.connectsFailed += 1
        const isLast = isRefused(error) || clock.monotonicMs() + pauseMs > endMs
        if (isLast && endMs !== Infinity) {
          throw new PortError('unavailable', `RabbitMQ at ${where}: ${messageOf(error)}`, { cause: error })
        }
        if (pauseMs === RECONNECT_PAUSE_MS_MAX) logger.warn({ why: messageOf(error) }, 'RabbitMQ is still not reached')
        await clock.sleep(pauseMs, quit.signal).catch(() => undefined)
      }
    }
  }
  const tryAgain = async (): Promise<void> => {
    await clock.sleep(RECONNECT_PAUSE_MS, quit.signal).catch(() => undefined)
    await tryUntil(Infinity)
    if (!quit.signal.aborted) logger.info('RabbitMQ is connected again')
  }

  await tryUntil(clock.monotonicMs() + firstConnectMs)

  return {
    state: status.state,
    reason: status.reason,
    version: () => version,
    capabilities: () => capabilities,
    onState: status.listen,
    keep: (use) => {
      if (quit.signal.aborted) throw new PortError('closed', 'the connection is closed')
      if (keepers.size >= CHANNELS_MAX) throw new PortError('full', `${CHANNELS_MAX} channels are open`)
      const keeper = createKeeper({
        use,
        clock,
        logger,
        onLost: () => void (status.counts.channelsLost += 1),
        onStopped: () => void keepers.delete(keeper),
      })
      keepers.add(keeper)
      if (live !== null) keeper.connected(live.model)
      return keeper
    },
    withChannel: (task) => {
      if (quit.signal.aborted) return Promise.reject(new PortError('closed', 'the connection is closed'))
      return withChannel(live, task)
    },
    counts: status.snapshot,
    close: async () => {
      if (quit.signal.aborted) return
      quit.abort()
      const stopped = Promise.all([...keepers].map((keeper) => keeper.stop()))
      // On a connection that is blocked nothing is answered: its channels end with it.
      if (status.state() === 'connected') await stopped
      const ended = live
      live = null
      status.set('closed', null)
      if (ended !== null) await closeLive(ended, clock)
      await stopped
      await reconnecting
    },
  }
}
