/** What the trader's pages share over the desk: what is being written, what was sent, the maths, what happened. */
import type { CloseTradeInput, CreateTradeInput, UpdateTradeInput } from '@bourse/client/engine.ts'
import type { ClosedTrade, Market, OpenTrade } from '@bourse/client/shapes.ts'
import type { TradeMessage } from '@bourse/client/stream.ts'
import { formatMoney, formatPrice } from '../format/decimal.ts'
import type { RiskPreview } from '../maths/preview.ts'
import type { DeskClock } from '../session/clock.ts'
import type { Desk } from '../session/desk.ts'
import { LOADING, loaded, type Loaded } from '../session/loaded.ts'
import { createStore, type Store } from '../session/store.ts'
import { createClosedTrades, type ClosedPage, type ClosedTradesReader } from './closed-trades.ts'
import { reasonWords } from './history.ts'
import { createIntent, refusedOf, type Intent } from './intent.ts'
import { createTraderState, type Message, type TraderState } from './state.ts'
import { netOf } from './totals.ts'
import { directionWords, nameOf } from './words.ts'

/** What a person signs in or up with. */
export interface Credentials {
  readonly email: string
  readonly password: string
}

/** A trader at a desk. */
export interface Trader {
  readonly state: TraderState
  /** E-mail of who was signed in last, to sign in again with. */
  readonly lastEmail: Store<string | null>
  readonly closed: ClosedTradesReader
  readonly createTrade: Intent<CreateTradeInput, OpenTrade>
  readonly closeTrade: Intent<CloseTradeInput, ClosedTrade>
  readonly updateTrade: Intent<UpdateTradeInput, OpenTrade>
  /** The engine's machine; `loadMaths` fetches it once, and again after it failed. */
  readonly maths: Store<Loaded<RiskPreview>>
  loadMaths(): void
  /** Signs up and opens the trading account. @throws {BourseRefusal} when signing up is refused */
  signUp(credentials: Credentials): Promise<void>
  /** @throws {BourseRefusal} */
  signIn(credentials: Credentials): Promise<void>
  signOut(): Promise<void>
  openAccount(): Promise<void>
  stop(): void
}

/** What a trader is made of. */
export interface TraderDeps {
  readonly desk: Desk
  readonly clock: Pick<DeskClock, 'schedule'>
  readonly makeKey: () => string
  readonly readClosed: (cursor: string | null) => Promise<ClosedPage>
  readonly loadPreview: () => Promise<RiskPreview>
}

const createMaths = (load: TraderDeps['loadPreview']) => {
  const maths = createStore<Loaded<RiskPreview>>(LOADING)
  let begun = false
  return {
    maths,
    loadMaths: (): void => {
      if (begun) return
      begun = true
      maths.set(LOADING)
      load().then(
        (preview) => maths.set(loaded(preview)),
        (error: unknown) => {
          begun = false
          const message = error instanceof Error ? error.message : String(error)
          maths.set({
            status: 'failed',
            value: null,
            failure: { code: 'UNREACHABLE', message, retryAfterSeconds: null },
          })
        },
      )
    },
  }
}

type Said = Omit<Message, 'id'>

/** A loss that was wished for is no success, and a target is one. */
const closedTones = { USER: 'info', STOP_LOSS: 'warn', TAKE_PROFIT: 'good', LIQUIDATION: 'danger' } as const

const closedMessage = (trade: ClosedTrade, name: string, { tickSize, quoteAsset }: Written): Said => {
  const { exitPrice, reason, returned } = trade
  const { name: why, sentence } = reasonWords[reason]
  const net = formatMoney(netOf(trade), quoteAsset, { sign: true })
  const came = `At ${formatPrice(exitPrice, tickSize)}: ${net} in all, ${formatMoney(returned, quoteAsset)} came back.`
  const words = reason === 'USER' ? came : `${sentence} ${came}`
  if (reason === 'LIQUIDATION') return { name: 'liquidated', tone: 'danger', title: `${name} was liquidated`, words }
  return {
    name: 'closed',
    tone: closedTones[reason],
    title: `${name}: ${why.toLowerCase()}`,
    words,
  }
}

/** How a market's amounts are written. */
export type Written = Pick<Market, 'tickSize' | 'quoteAsset'>

/** What is said of a trade event. */
export const messageOfEvent = (event: TradeMessage, writtenOf: (asset: string) => Written): Said => {
  const { direction, leverage, asset } = event.data
  const name = `${directionWords[direction]} ${leverage}× ${nameOf(asset)}`
  const written = writtenOf(asset)
  if (event.type === 'trade.closed') return closedMessage(event.data, name, written)
  if (event.type === 'trade.updated')
    return {
      name: 'updated',
      tone: 'info',
      title: `${name} changed`,
      words: 'Its stop and target are as you set them.',
    }
  const entry = formatPrice(event.data.entryPrice, written.tickSize)
  const margin = formatMoney(event.data.margin, written.quoteAsset)
  return { name: 'opened', tone: 'good', title: `${name} opened`, words: `At ${entry}, with a margin of ${margin}.` }
}

const createIntents = ({ desk, clock, makeKey }: TraderDeps) => {
  const deps = { makeKey, schedule: clock.schedule }
  return {
    createTrade: createIntent<CreateTradeInput, OpenTrade>({
      ...deps,
      send: (input, idempotencyKey, signal) => desk.createTrade(input, { idempotencyKey, signal }),
    }),
    closeTrade: createIntent<CloseTradeInput, ClosedTrade>({
      ...deps,
      send: (input, idempotencyKey, signal) => desk.closeTrade(input, { idempotencyKey, signal }),
    }),
    updateTrade: createIntent<UpdateTradeInput, OpenTrade>({
      ...deps,
      send: (input, idempotencyKey, signal) => desk.updateTrade(input, { idempotencyKey, signal }),
    }),
  }
}

/** A ticket whose order was opened is emptied, so that pressing again opens nothing by mistake. */
const emptyWhenOpened = (intent: Intent<CreateTradeInput, OpenTrade>, state: TraderState): (() => void) =>
  intent.state.subscribe(() => {
    const sent = intent.state.getSnapshot()
    if (sent.kind !== 'done') return
    state.order.set({ ...state.order.getSnapshot(), margin: '' })
    state.levels(sent.answer.asset).set({ stop: '', target: '' })
  })

/** What went well is said for a while; what did not stays until it is closed. */
const SAID_MS = 12_000

/** Says what an account begins with, once it was read. */
const welcome = ({ desk, state }: { readonly desk: Desk; readonly state: TraderState }): void => {
  let unsubscribe = (): void => undefined
  const look = (): void => {
    const { status, value } = desk.account.getSnapshot()
    const first = value?.balances[0]
    if (status !== 'ready' || first === undefined) return
    unsubscribe()
    const isEmpty = /^[0.]*$/.test(first.available)
    state.say({
      name: 'welcome',
      tone: 'good',
      title: 'Your trading account is open',
      words: isEmpty
        ? 'It is empty: money has to come in before you can trade.'
        : `${formatMoney(first.available, first.asset)} of demo money is in it, to trade with at no risk.`,
    })
  }
  unsubscribe = desk.account.subscribe(look)
  look()
}

/** Runs `task` when somebody else is signed in than the last time. */
const onOtherPerson = ({ me }: Pick<Desk, 'me'>, task: () => void): (() => void) => {
  let last: string | null = null
  return me.subscribe(() => {
    const { user } = me.getSnapshot()
    if (user === null) return
    const isOther = last !== null && last !== user.userId
    last = user.userId
    if (isOther) task()
  })
}

/** A trader at a desk; it listens until it is stopped. */
export const createTrader = (deps: TraderDeps): Trader => {
  const { desk } = deps
  const state = createTraderState((id) => deps.clock.schedule(SAID_MS, () => state.unsay(id)))
  const lastEmail = createStore<string | null>(null)
  const writtenOf = (asset: string) =>
    desk.markets.getSnapshot().value?.find(({ symbol }) => symbol === asset) ?? {
      tickSize: '0.01',
      quoteAsset: asset.split('_')[1] ?? '',
    }
  const closed = createClosedTrades(deps.readClosed)
  const intents = createIntents(deps)
  /** Of what one person typed, asked for or read, the next one sees and sends nothing. */
  const forget = (): void => {
    for (const intent of Object.values(intents)) intent.forget()
    state.forget()
    closed.forget()
  }
  const ends = [
    emptyWhenOpened(intents.createTrade, state),
    desk.onTradeEvent((event) => {
      state.say(messageOfEvent(event, writtenOf))
      if (event.type === 'trade.closed') closed.add(event.data)
    }),
    onOtherPerson(desk, () => {
      const { isRead } = closed.state.getSnapshot()
      forget()
      if (isRead) void closed.again()
    }),
    desk.me.subscribe(() => {
      const { user } = desk.me.getSnapshot()
      if (user !== null) lastEmail.set(user.email)
    }),
  ]
  const openAccount = async (): Promise<void> => {
    try {
      const { openedBefore } = await desk.openAccount()
      desk.refresh()
      if (!openedBefore) welcome({ desk, state })
    } catch (error) {
      const { message } = refusedOf(error)
      state.say({
        name: 'account',
        tone: 'danger',
        title: 'Your account could not be opened',
        words: `${message} Try again.`,
      })
    }
  }
  return {
    state,
    lastEmail,
    closed,
    ...intents,
    ...createMaths(deps.loadPreview),
    openAccount,
    signUp: async ({ email, password }) => {
      await desk.signUp(email, password)
      state.dialog.set('closed')
      await openAccount()
    },
    signIn: async ({ email, password }) => {
      await desk.signIn(email, password)
      state.dialog.set('closed')
    },
    signOut: async () => {
      try {
        await desk.signOut()
        forget()
        lastEmail.set(null)
      } catch (error) {
        const { message } = refusedOf(error)
        state.say({
          name: 'sign-out',
          tone: 'danger',
          title: 'You are still signed in',
          words: `${message} Try again.`,
        })
      }
    },
    stop: () => {
      for (const end of ends) end()
    },
  }
}
