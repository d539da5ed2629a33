/** The closed trades, read page by page, kept true by the events of trades that close meanwhile. */
import type { ClosedTrade, ListedClosedTrade } from '@bourse/client/shapes.ts'
import { failureOf, type Failure } from '../session/loaded.ts'
import { createStore, type Store } from '../session/store.ts'

/** A page of the list, newest opened first. */
export interface ClosedPage {
  readonly trades: readonly ListedClosedTrade[]
  readonly nextCursor: string | null
}

/** What was read so far. */
export interface ClosedTrades {
  readonly trades: readonly ListedClosedTrade[]
  /** Whether nothing was read yet, or something is being read. */
  readonly reading: boolean
  readonly isRead: boolean
  readonly hasMore: boolean
  readonly failure: Failure | null
}

/** Reads the list on. */
export interface ClosedTradesReader {
  readonly state: Store<ClosedTrades>
  /** Reads the first page, or the next one; nothing while one is being read or all is. */
  more(): Promise<void>
  /** Forgets everything and reads the first page again. */
  again(): Promise<void>
  /** A trade closed. */
  add(trade: ClosedTrade): void
  /** Forgets everything; who reads next begins anew. */
  forget(): void
}

const EMPTY: ClosedTrades = { trades: [], reading: false, isRead: false, hasMore: true, failure: null }

type Placed = Pick<ListedClosedTrade, 'openedAt' | 'tradeId'>

/** The server's order: by opening, newest first; then by id as text. */
const compare = (a: Placed, b: Placed): number =>
  Date.parse(b.openedAt) - Date.parse(a.openedAt) || (a.tradeId < b.tradeId ? 1 : a.tradeId > b.tradeId ? -1 : 0)

/** Both lists as one in the server's order, each trade once: pages overlap while trades close. */
export const merged = (
  before: readonly ListedClosedTrade[],
  more: readonly ListedClosedTrade[],
): readonly ListedClosedTrade[] => {
  const byId = new Map([...before, ...more].map((trade) => [trade.tradeId, trade]))
  return [...byId.values()].sort(compare)
}

/** A reader that has read nothing yet. */
export const createClosedTrades = (read: (cursor: string | null) => Promise<ClosedPage>): ClosedTradesReader => {
  const state = createStore<ClosedTrades>(EMPTY)
  let cursor: string | null = null
  let reads = 0

  const more = async (): Promise<void> => {
    const before = state.getSnapshot()
    if (before.reading || (before.isRead && !before.hasMore)) return
    const mine = ++reads
    state.set({ ...before, reading: true, failure: null })
    try {
      const page = await read(cursor)
      if (mine !== reads) return
      cursor = page.nextCursor
      state.set({
        trades: merged(state.getSnapshot().trades, page.trades),
        reading: false,
        isRead: true,
        hasMore: page.nextCursor !== null,
        failure: null,
      })
    } catch (error) {
      if (mine === reads) state.set({ ...state.getSnapshot(), reading: false, failure: failureOf(error) })
    }
  }

  const forget = (): void => {
    reads += 1
    cursor = null
    state.set(EMPTY)
  }

  return {
    state,
    more,
    forget,
    again: async () => {
      forget()
      await more()
    },
    add: (trade) => {
      const now = state.getSnapshot()
      const last = now.trades.at(-1)
      const listed: ListedClosedTrade = { ...trade, status: 'closed' }
      // One that stands behind what was read comes with its own page.
      const isWithin = now.isRead && (!now.hasMore || (last !== undefined && compare(listed, last) < 0))
      if (isWithin) state.set({ ...now, trades: merged(now.trades, [listed]) })
    },
  }
}
