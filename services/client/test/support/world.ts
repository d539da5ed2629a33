import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { StreamSocket } from '../../src/stream.ts'

/** Time that goes only when told to, with whatever was planned in it. */
export interface World {
  now(): number
  schedule(delayMs: number, task: () => void): () => void
  /** Lets so much time pass; what is planned happens at its moment, in order. */
  pass(ms: number): void
}

/** A world at a moment like any other. */
export const createWorld = (): World => {
  let nowMs = 1_700_000_000_000
  let order = 0
  const plans = new Set<{ readonly atMs: number; readonly order: number; readonly task: () => void }>()
  const nextBefore = (endMs: number) =>
    [...plans].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
  return {
    now: () => nowMs,
    schedule: (delayMs, task) => {
      const plan = { atMs: nowMs + delayMs, order: (order += 1), task }
      plans.add(plan)
      return () => {
        plans.delete(plan)
      }
    },
    pass: (ms) => {
      const endMs = nowMs + ms
      for (let plan = nextBefore(endMs); plan !== undefined; plan = nextBefore(endMs)) {
        plans.delete(plan)
        nowMs = plan.atMs
        plan.task()
      }
      nowMs = endMs
    },
  }
}

interface Message {
  readonly op: string
  readonly channels?: readonly string[]
  readonly after?: { readonly trades: number }
}

/** A server of the stream's wire, as `services/gateway/src/stream` speaks it, over a network that breaks. */
export interface FakeServer {
  connect(): StreamSocket
  /** One more trade event of the user; goes to whoever reads. */
  happen(): void
  quote(asset: string, sequence: number): void
  /** Breaks all connections; with `told` the client hears of it, without it only silence. */
  cut(told: boolean): void
  /** Percentage of attempts that fail, of events that get lost on the way, once, and of messages that come twice. */
  readonly faults: { refusing: number; losing: number; doubling: number }
  readonly sockets: readonly FakeSocket[]
  /** What clients sent, in order. */
  readonly received: readonly Message[]
  hasSession: boolean
  /** Events that it does not have any more. */
  readonly forgotten: Set<number>
  knownAssets: ReadonlySet<string>
  events(): number
}

/** One connection. */
export interface FakeSocket extends StreamSocket {
  isUp(): boolean
  closedByClient(): boolean
}

type Listener = (event: { readonly data?: unknown }) => void

/** The two ends of a connection: what is sent arrives a little later and in order, unless it was cut before. */
const createConnection = (world: World, random: SeededRandom, receive: (message: Message, reply: Reply) => void) => {
  const listeners = new Map<string, Listener[]>()
  let up = false
  let closed = false
  let lastArrivalMs = 0
  const emit = (type: string, event: { readonly data?: unknown } = {}): void => {
    for (const listener of listeners.get(type) ?? []) listener(event)
  }
  const inOrder = (task: () => void): void => {
    lastArrivalMs = Math.max(lastArrivalMs, world.now() + random.between(1, 40))
    world.schedule(lastArrivalMs - world.now(), task)
  }
  const reply: Reply = (message) => {
    if (up) inOrder(() => up && emit('message', { data: JSON.stringify(message) }))
  }
  const socket: FakeSocket = {
    send: (text) => {
      if (up) inOrder(() => up && receive(JSON.parse(text) as Message, reply))
    },
    close: () => {
      closed = true
      up = false
    },
    addEventListener: (type, listener) => {
      listeners.set(type, [...(listeners.get(type) ?? []), listener])
    },
    isUp: () => up,
    closedByClient: () => closed,
  }
  const open = (): void => {
    if (closed) return
    up = true
    emit('open')
  }
  const end = (told: boolean): void => {
    up = false
    if (told && !closed) {
      emit('error')
      emit('close')
    }
  }
  return { socket, open, end, reply, isUp: () => up }
}

type Reply = (message: object) => void

/** A server at rest. */
export const createFakeServer = (world: World, random: SeededRandom): FakeServer => {
  const faults = { refusing: 0, losing: 0, doubling: 0 }
  const connections: { connection: ReturnType<typeof createConnection>; feed: number | null; assets: Set<string> }[] =
    []
  const received: Message[] = []
  /** Lost on the way once; the second time they come. */
  const lost = new Set<number>()
  let count = 0

  const pump = (entry: (typeof connections)[number]): void => {
    while (entry.feed !== null && entry.feed < count) {
      entry.feed += 1
      if (server.forgotten.has(entry.feed)) continue
      if (random.chance(faults.losing) && !lost.has(entry.feed)) {
        lost.add(entry.feed)
        continue
      }
      const message = {
        channel: 'trades',
        sequence: entry.feed,
        type: 'trade.opened',
        time: new Date(world.now()).toISOString(),
        data: { tradeId: `t${entry.feed}` },
      }
      entry.connection.reply(message)
      if (random.chance(faults.doubling)) entry.connection.reply(message)
    }
  }
  const server: FakeServer = {
    faults,
    received,
    hasSession: true,
    forgotten: new Set(),
    knownAssets: new Set(['BTC_USDC', 'SOL_USDC']),
    sockets: [],
    events: () => count,
    connect: () => {
      const assets = new Set<string>()
      const entry = {
        connection: createConnection(world, random, (message, reply) => {
          received.push(message)
          if (message.op === 'ping') {
            reply({ op: 'pong' })
            return
          }
          const channels = message.channels ?? []
          const unknown = channels.find((name) => name !== 'trades' && !server.knownAssets.has(name.slice(7)))
          if (message.op === 'subscribe' && unknown !== undefined)
            reply({ op: 'error', errorCode: 'VALIDATION_ERROR', message: `channel "${unknown}" is not known` })
          else if (message.op === 'subscribe' && channels.includes('trades') && !server.hasSession)
            reply({ op: 'error', errorCode: 'UNAUTHENTICATED', message: 'the channel trades needs a session' })
          else if (message.op === 'subscribe') {
            if (channels.includes('trades')) entry.feed = message.after?.trades ?? count
            for (const name of channels) if (name !== 'trades') assets.add(name.slice(7))
            reply({ op: 'subscribed', channels })
            pump(entry)
          } else {
            if (channels.includes('trades')) entry.feed = null
            for (const name of channels) assets.delete(name.slice(7))
            reply({ op: 'unsubscribed', channels })
          }
        }),
        feed: null as number | null,
        assets,
      }
      connections.push(entry)
      ;(server.sockets as FakeSocket[]).push(entry.connection.socket)
      const fails = random.chance(faults.refusing)
      world.schedule(random.between(5, 300), () => (fails ? entry.connection.end(true) : entry.connection.open()))
      return entry.connection.socket
    },
    happen: () => {
      count += 1
      for (const entry of connections) if (entry.connection.isUp()) pump(entry)
    },
    quote: (asset, sequence) => {
      for (const { connection, assets } of connections)
        if (assets.has(asset)) connection.reply({ channel: `prices:${asset}`, sequence, data: { asset, sequence } })
    },
    cut: (told) => {
      for (const { connection } of connections) if (connection.isUp()) connection.end(told)
    },
  }
  return server
}
