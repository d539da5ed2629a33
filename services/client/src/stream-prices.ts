import type { Schedule } from './environment.ts'
import type { Price } from './shapes.ts'

/** A price as its channel carries it. */
export interface PriceMessage {
  readonly channel: string
  readonly sequence: number
  readonly data: Price
}

/** Asks the server something about channels. */
export type Ask = (op: 'subscribe' | 'unsubscribe', channels: readonly string[], more?: object) => void

/** The `prices:` channels of a stream. */
export interface PriceChannels {
  add(asset: string, listener: (message: PriceMessage) => void): () => void
  /** A connection opened: all channels, in one question. */
  subscribeAll(): void
  /** A list was refused, for one of its channels perhaps: those still read are asked for in halves. */
  askInHalves(channels: readonly string[]): void
  /** One channel was refused by itself: it is asked for by itself from now on, so that no list is refused for it. */
  refusedAlone(channel: string): void
  receive(message: PriceMessage): void
}

/** Most channels that one subscription may name. */
const CHANNELS_PER_QUESTION = 64

interface Channel {
  readonly listeners: Set<(message: PriceMessage) => void>
  /** Of the last price on this connection; after another one the feed may count anew. */
  lastSequence: number
  latest: PriceMessage | null
}

/**
 * Channels with any number of listeners each; a channel is subscribed once. What comes and goes at one moment is one question: a
 * page of many markets would else ask more often than a server takes from one connection, and be cut off.
 */
export const createPriceChannels = (ask: Ask, isOpen: () => boolean, schedule: Schedule): PriceChannels => {
  const channels = new Map<string, Channel>()
  /** What this connection was asked for. */
  const asked = new Set<string>()
  /** What this connection refused when it was asked for by itself. */
  const refused = new Set<string>()
  let isDue = false

  const askInLists = (op: 'subscribe' | 'unsubscribe', names: readonly string[]): void => {
    for (let at = 0; at < names.length; at += CHANNELS_PER_QUESTION)
      ask(op, names.slice(at, at + CHANNELS_PER_QUESTION))
  }
  /** Tells the server what has changed since it was told last. */
  const settle = (): void => {
    isDue = false
    for (const [name, { listeners }] of channels) if (listeners.size === 0) channels.delete(name)
    if (!isOpen()) return
    const left = [...asked].filter((name) => !channels.has(name))
    const missing = [...channels.keys()].filter((name) => !asked.has(name))
    for (const name of left) asked.delete(name)
    for (const name of missing) asked.add(name)
    askInLists('unsubscribe', left)
    askInLists(
      'subscribe',
      missing.filter((name) => !refused.has(name)),
    )
    for (const name of missing) if (refused.has(name)) ask('subscribe', [name])
  }
  const settleSoon = (): void => {
    if (isDue) return
    isDue = true
    schedule(0, settle)
  }

  const add = (asset: string, listener: (message: PriceMessage) => void): (() => void) => {
    const name = `prices:${asset}`
    let channel = channels.get(name)
    if (channel === undefined) {
      channel = { listeners: new Set(), lastSequence: -1, latest: null }
      channels.set(name, channel)
    }
    const { listeners, latest } = channel
    settleSoon()
    // A wrapper of its own, so that the same function added twice is two listeners.
    const own = (message: PriceMessage): void => listener(message)
    listeners.add(own)
    if (latest !== null) own(latest)
    return () => {
      if (listeners.delete(own) && listeners.size === 0) settleSoon()
    }
  }

  return {
    add,
    subscribeAll: () => {
      asked.clear()
      refused.clear()
      for (const channel of channels.values()) channel.lastSequence = -1
      settle()
    },
    askInHalves: (names) => {
      const read = names.filter((name) => channels.has(name))
      const middle = Math.ceil(read.length / 2)
      for (const half of [read.slice(0, middle), read.slice(middle)]) if (half.length > 0) ask('subscribe', half)
    },
    refusedAlone: (name) => {
      refused.add(name)
    },
    receive: (message) => {
      const channel = channels.get(message.channel)
      if (channel === undefined || message.sequence <= channel.lastSequence) return
      channel.lastSequence = message.sequence
      channel.latest = message
      for (const listener of channel.listeners) listener(message)
    },
  }
}
