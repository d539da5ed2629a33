import type { BourseClient } from '@bourse/client/client.ts'
import type { CloseTradeInput, CommandOptions, CreateTradeInput, UpdateTradeInput } from '@bourse/client/engine.ts'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import type { Account, ClosedTrade, Market, OpenTrade } from '@bourse/client/shapes.ts'
import type { BourseStream, StreamState, TradeMessage } from '@bourse/client/stream.ts'
import { createAccountFeed } from './account.ts'
import { createCandles, type Candles } from './candles.ts'
import { createServerTime, type DeskClock } from './clock.ts'
import type { Loaded } from './loaded.ts'
import { createMarkets } from './markets.ts'
import type { OtherTabs } from './other-tabs.ts'
import { createPrices, type Prices } from './prices.ts'
import { createSession, type Me } from './sign-in.ts'
import { createStore, type Store } from './store.ts'
import type { AccountView } from './trades.ts'

/** Everything the pages show of the running platform, and what they do to it. Made once, at the top of the app. */
export interface Desk {
  readonly me: Store<Me>
  readonly markets: Store<Loaded<readonly Market[]>>
  readonly prices: Pick<Prices, 'price' | 'freshness' | 'listen'>
  /** Balances and open trades; failed with ACCOUNT_NOT_FOUND until an account is opened. */
  readonly account: Store<Loaded<AccountView>>
  readonly connection: Store<StreamState>
  readonly candles: Pick<Candles, 'bars'>
  /** The server's clock as far as it is known, ms. */
  serverNowMs(): number
  /** Hears every trade event of the session, each once, in order. */
  onTradeEvent(listener: (event: TradeMessage) => void): () => void
  /** Reads markets (state, limits) and the account again. */
  refresh(): void
  signUp(email: string, password: string): Promise<void>
  signIn(email: string, password: string): Promise<void>
  /** Ends this session, or all of the user's. */
  signOut(everywhere?: boolean): Promise<void>
  openAccount(): Promise<Account>
  /** The engine's commands; each has the account read again, whatever came of it. */
  createTrade(input: CreateTradeInput, options?: CommandOptions): Promise<OpenTrade>
  closeTrade(input: CloseTradeInput, options?: CommandOptions): Promise<ClosedTrade>
  updateTrade(input: UpdateTradeInput, options?: CommandOptions): Promise<OpenTrade>
  stop(): void
}

/** What a desk is made of. */
export interface DeskDeps {
  readonly client: BourseClient
  readonly stream: BourseStream
  readonly clock: DeskClock
  /** Whoever signs in or out in one of them does so here. Default: there are none. */
  readonly otherTabs?: OtherTabs
}

/** A command, after which the account is read whatever came of it: a refusal too may be of what has changed. */
const createCommand =
  (reading: { readonly refresh: () => void }, feed: { readonly refresh: () => void }, expired: () => void) =>
  async <Data>(given: Promise<Data>): Promise<Data> => {
    try {
      return await given
    } catch (error) {
      if (error instanceof BourseRefusal && error.code.startsWith('MARKET_')) reading.refresh()
      if (error instanceof BourseRefusal && error.code === 'UNAUTHENTICATED') expired()
      throw error
    } finally {
      feed.refresh()
    }
  }

/** The connection's state; `onBack` runs when it is open again after a loss. */
const createConnection = (stream: BourseStream, onBack: () => void) => {
  const connection = createStore<StreamState>({ state: 'connecting' })
  let wasLost = false
  const stop = stream.onState((state) => {
    connection.set(state)
    if (state.state === 'waiting') wasLost = true
    if (state.state !== 'open' || !wasLost) return
    wasLost = false
    onBack()
  })
  return { connection, stop }
}

/** A desk over a client and a stream; it begins to read at once. */
export const createDesk = (deps: DeskDeps): Desk => {
  const { client, stream, clock } = deps
  const serverTime = createServerTime(clock)
  const { markets, ...reading } = createMarkets(client, clock, serverTime)
  const feed = createAccountFeed({
    engine: client.engine,
    stream,
    clock,
    onUnauthenticated: () => session.expired(),
  })
  const { me, ...session } = createSession(deps, feed.begin, feed.end)
  const prices = createPrices({
    stream,
    clock,
    serverNowMs: serverTime.nowMs,
    marketOf: (asset) => markets.getSnapshot().value?.find(({ symbol }) => symbol === asset) ?? null,
  })
  const candles = createCandles({
    listen: prices.listen,
    clock,
    read: async (asset, interval, limit) =>
      (await client.GET('/api/v1/candles', { params: { query: { asset, interval, limit } } })).data.candles,
  })
  const refresh = (): void => {
    reading.refresh()
    feed.refresh()
  }
  // After a loss: prices were missed, and the platform may be another one than before.
  const { connection, stop: unwatch } = createConnection(stream, () => {
    candles.refresh()
    refresh()
  })
  const unjudge = markets.subscribe(prices.judge)
  const command = createCommand(reading, feed, session.expired)

  reading.refresh()
  void session.ask()
  return {
    me,
    markets,
    prices,
    account: feed.account,
    connection,
    candles,
    serverNowMs: serverTime.nowMs,
    onTradeEvent: feed.onEvent,
    refresh,
    signUp: session.signUp,
    signIn: session.signIn,
    signOut: (everywhere = false) => session.signOut(everywhere),
    openAccount: () => command(client.engine.createAccount()),
    createTrade: (input, options) => command(client.engine.createTrade(input, options)),
    closeTrade: (input, options) => command(client.engine.closeTrade(input, options)),
    updateTrade: (input, options) => command(client.engine.updateTrade(input, options)),
    stop: () => {
      unwatch()
      unjudge()
      session.stop()
      feed.end()
      prices.stop()
      reading.stop()
      stream.stop()
    },
  }
}

export type { Me } from './sign-in.ts'
