import { onNetwork, scheduleByTimer, type Schedule } from './environment.ts'
import { createLine, type LineState, type StreamSocket } from './stream-line.ts'
import { createPriceChannels, type PriceMessage } from './stream-prices.ts'
import { createTradeChannel, type TradeMessage, type TradesOptions } from './stream-trades.ts'

/** The connection as it is: `retryAtMs` is wall-clock time (ms since the epoch). */
export type StreamState = LineState

/** A refusal of the stream: a channel that does not exist, or `trades` without a session. */
export interface StreamRefusal {
  readonly code: string
  readonly message: string
  readonly channels: readonly string[]
}

/** What a stream is made of. */
export interface BourseStreamOptions {
  /** `wss://bourse.example/ws`. */
  readonly url: string
  /** Makes a connection; default: the environment's WebSocket. In Node, one that sends the session's cookie. */
  readonly webSocket?: (url: string) => StreamSocket
  /** Wall-clock time in ms; default: the environment's. */
  readonly now?: () => number
  readonly schedule?: Schedule
  /** Chance from 0 to 1 (jitter). */
  readonly random?: () => number
  /** Calls back whenever there is a network again; default: the browser's `online`. */
  readonly onNetwork?: (task: () => void) => () => void
  /** Hears of channels that were refused; the stream goes on with the others. */
  readonly onRefusal?: (refusal: StreamRefusal) => void
}

/**
 * A connection to `/ws` that comes back by itself: with a jittered, bounded wait, at once when the network returns, and with
 * every channel subscribed again.
 *
 * Prices: the latest wins; a price older than one already heard on the same connection is not handed on.
 * Trades: every event after `after`, in order, each exactly once, over any number of broken connections.
 */
export interface BourseStream {
  /** Hears the prices of an asset until the returned function is called. */
  prices(asset: string, listener: (message: PriceMessage) => void): () => void
  /** Hears the session's trade events until the returned function is called; one listener at a time. */
  trades(options: TradesOptions): () => void
  /** Hears the state now and each time it changes. */
  onState(listener: (state: StreamState) => void): () => void
  /** Drops the connection and makes another at once: a session began or ended. */
  reconnect(): void
  /** Ends it for good. */
  stop(): void
}

interface Asked {
  readonly op: 'subscribe' | 'unsubscribe'
  readonly channels: readonly string[]
}

interface Incoming {
  readonly op?: string
  readonly channel?: string
  readonly errorCode?: string
  readonly message?: string
}

const parsed = (text: string): Incoming | null => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : null
  } catch {
    // A frame that is no JSON cannot be a channel's: it counts as a sign of life and nothing else.
    return null
  }
}

/** Answers come in the order of the questions, each exactly once: that is how one is matched to its channels. */
const createQuestions = (send: (message: object) => void) => {
  let asked: Asked[] = []
  return {
    ask: (op: Asked['op'], channels: readonly string[], more: object = {}): void => {
      if (channels.length === 0) return
      asked.push({ op, channels })
      send({ op, channels, ...more })
    },
    answered: (): Asked | undefined => asked.shift(),
    forget: (): void => {
      asked = []
    },
  }
}

/** Opens a stream; it connects at once. */
export const createBourseStream = (options: BourseStreamOptions): BourseStream => {
  const { schedule = scheduleByTimer, onRefusal } = options
  const states = new Set<(state: StreamState) => void>()

  const handle = (text: string): void => {
    const message = parsed(text)
    if (message === null) return
    if (message.op === 'subscribed' || message.op === 'unsubscribed') {
      const question = questions.answered()
      if (question?.op === 'subscribe' && question.channels.includes('trades')) trades.subscribed()
    } else if (message.op === 'error') refused(message)
    else if (message.channel === 'trades') trades.receive(message as TradeMessage)
    else if (message.channel?.startsWith('prices:') === true) prices.receive(message as PriceMessage)
  }

  const line = createLine({
    url: options.url,
    webSocket: options.webSocket ?? ((url) => new WebSocket(url)),
    now: options.now ?? Date.now,
    schedule,
    random: options.random ?? Math.random,
    onOpen: () => {
      questions.forget()
      prices.subscribeAll()
      trades.connected()
    },
    onMessage: handle,
    onState: (state) => {
      for (const listener of states) listener(state)
    },
  })
  const questions = createQuestions((message) => line.send(JSON.stringify(message)))
  const prices = createPriceChannels(questions.ask, line.isOpen, schedule)
  const trades = createTradeChannel(questions.ask, line.isOpen)

  const refused = ({ errorCode = 'VALIDATION_ERROR', message = '' }: Incoming): void => {
    const question = questions.answered()
    const channels = question?.channels ?? []
    // One unknown asset refuses the whole list: the others are asked for in halves, which takes few messages.
    if (question?.op === 'subscribe' && channels.length > 1) prices.askInHalves(channels)
    else {
      for (const channel of channels) prices.refusedAlone(channel)
      onRefusal?.({ code: errorCode, message, channels })
    }
    if (channels.includes('trades')) trades.refused({ code: errorCode, message })
  }

  const unwatch = (options.onNetwork ?? onNetwork)(() => line.hurry())
  line.start()

  return {
    prices: prices.add,
    trades: trades.listen,
    onState: (listener) => {
      states.add(listener)
      listener(line.state())
      return () => {
        states.delete(listener)
      }
    },
    reconnect: () => line.reconnect(),
    stop: () => {
      unwatch()
      line.stop()
      states.clear()
    },
  }
}

export type { PriceMessage } from './stream-prices.ts'
export type { TradeMessage, TradesOptions } from './stream-trades.ts'
export type { StreamSocket } from './stream-line.ts'
