import type { ClosedTrade, OpenTrade } from './shapes.ts'
import type { Ask } from './stream-prices.ts'

/** An event of the channel `trades`; sequences count the session's events 1, 2, 3 … */
export type TradeMessage = {
  readonly channel: 'trades'
  readonly sequence: number
  /** ISO 8601. */
  readonly time: string
} & (
  | { readonly type: 'trade.opened' | 'trade.updated'; readonly data: OpenTrade }
  | { readonly type: 'trade.closed'; readonly data: ClosedTrade }
)

/** How the trade events are read. */
export interface TradesOptions {
  /**
   * The sequence of the last event that is known: those after it come. 0: all there ever were. null: from now on; what
   * happened before the subscription has to be read otherwise, and `onGap` says when.
   */
  readonly after: number | null
  readonly onEvent: (message: TradeMessage) => void
  /**
   * What happened until now has to be read again (GET_BALANCE): the channel begins here, because no sequence was known yet, or
   * because the server no longer has what came between. Called after the subscription stands, so that nothing falls between.
   */
  readonly onGap: () => void
  /** The channel was refused: `UNAUTHENTICATED` without a session. The next connection asks again. */
  readonly onRefused?: (refusal: { readonly code: string; readonly message: string }) => void
}

/** The `trades` channel of a stream. */
export interface TradeChannel {
  listen(options: TradesOptions): () => void
  /** A connection opened. */
  connected(): void
  /** The server has answered the subscription. */
  subscribed(): void
  refused(refusal: { readonly code: string; readonly message: string }): void
  receive(message: TradeMessage): void
}

/** Reads the events in order, each exactly once, whatever the connections do. */
export const createTradeChannel = (ask: Ask, isOpen: () => boolean): TradeChannel => {
  let reader: TradesOptions | null = null
  let last: number | null = null
  /** Subscriptions that the server has not answered yet; until then only what follows `last` directly is known to be in place. */
  let unanswered = 0
  /** The last event before a hole that was asked for again. */
  let askedAfter: number | null = null

  const subscribe = (): void => {
    unanswered += 1
    ask('subscribe', ['trades'], last === null ? {} : { after: { trades: last } })
  }
  const handOn = (message: TradeMessage): void => {
    last = message.sequence
    askedAfter = null
    reader?.onEvent(message)
  }
  /** Events are missing: they are asked for once, and this one comes again behind them; else they are gone for good. */
  const fillHole = (message: TradeMessage): void => {
    if (askedAfter !== last) {
      askedAfter = last
      subscribe()
      return
    }
    handOn(message)
    reader?.onGap()
  }

  return {
    listen: (options) => {
      if (reader !== null) throw new Error('the trade events have a reader; stop that one first')
      reader = options
      last = options.after
      askedAfter = null
      if (isOpen()) subscribe()
      return () => {
        if (reader !== options) return
        reader = null
        if (isOpen()) ask('unsubscribe', ['trades'])
      }
    },
    connected: () => {
      unanswered = 0
      askedAfter = null
      if (reader !== null) subscribe()
    },
    subscribed: () => {
      unanswered -= 1
      if (last === null && unanswered === 0) reader?.onGap()
    },
    refused: (refusal) => {
      unanswered -= 1
      reader?.onRefused?.(refusal)
    },
    receive: (message) => {
      if (reader === null) return
      if (last === null) {
        if (unanswered === 0) handOn(message)
      } else if (message.sequence === last + 1) handOn(message)
      else if (message.sequence > last + 1 && unanswered === 0) fillHole(message)
    },
  }
}
