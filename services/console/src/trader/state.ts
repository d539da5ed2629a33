/** What a trader is busy with, kept while pages change and dialogs open: the market looked at, the tickets, messages. */
import type { CandleInterval } from '@bourse/client/shapes.ts'
import { createStore, type OwnStore } from '../session/store.ts'
import { EMPTY_DRAFT, type Draft } from './ticket.ts'

/** Which side of the sign-in dialog is open, if any. */
export type SignDialog = 'closed' | 'sign-in' | 'sign-up'

/** Something that happened and is said until it is closed. */
export interface Message {
  readonly id: number
  /** What it is about: `notice-<name>` for tests. */
  readonly name: string
  readonly tone: 'info' | 'good' | 'warn' | 'danger'
  readonly title: string
  readonly words: string
}

/** The trader's own state; nothing of it comes from the server. */
export interface TraderState {
  /** Symbol of the market looked at; null: the first. */
  readonly asset: OwnStore<string | null>
  readonly interval: OwnStore<CandleInterval>
  readonly dialog: OwnStore<SignDialog>
  readonly messages: OwnStore<readonly Message[]>
  /** What of a ticket goes from market to market. */
  readonly order: OwnStore<Order>
  /** Stop and target as typed for a market: prices stay with their market. */
  levels(asset: string): OwnStore<Levels>
  /** Forgets everything typed and said: another person may sit here next. */
  forget(): void
  say(message: Omit<Message, 'id'>): void
  unsay(id: number): void
}

/** What of a ticket goes from market to market. */
export type Order = Omit<Draft, 'stop' | 'target'>
/** Stop and target as typed. */
export type Levels = Pick<Draft, 'stop' | 'target'>

const NO_LEVELS: Levels = { stop: '', target: '' }

/** More messages than these push the oldest out: what happened is in the history. */
const MESSAGES_MAX = 3

/** The trader's state, empty. `passing` hears of each message that need not stay. */
export const createTraderState = (passing: (id: number) => void): TraderState => {
  const levels = new Map<string, OwnStore<Levels>>()
  const messages = createStore<readonly Message[]>([])
  let lastId = 0
  const order = createStore<Order>(EMPTY_DRAFT)

  return {
    asset: createStore<string | null>(null),
    interval: createStore<CandleInterval>('1m'),
    dialog: createStore<SignDialog>('closed'),
    messages,
    order,
    levels: (asset) => {
      const known = levels.get(asset) ?? createStore<Levels>(NO_LEVELS)
      levels.set(asset, known)
      return known
    },
    forget: () => {
      order.set(EMPTY_DRAFT)
      for (const known of levels.values()) known.set(NO_LEVELS)
      messages.set([])
    },
    say: (message) => {
      lastId += 1
      messages.set([...messages.getSnapshot(), { ...message, id: lastId }].slice(-MESSAGES_MAX))
      if (message.tone === 'good' || message.tone === 'info') passing(lastId)
    },
    unsay: (id) => {
      messages.set(messages.getSnapshot().filter((message) => message.id !== id))
    },
  }
}
