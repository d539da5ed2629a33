import type { Views } from '@bourse/common/ports/views.ts'
import { tradeEventModel, type TradeEventView } from '@bourse/common/views/models.ts'
import type { PlatformInspector } from '../platform-inspector.ts'

/** A reader's place in its account's trade events. */
export interface TradeFeed {
  /** Sends what is new, as far as the reader takes it; safe to call at any time and as often as one likes. */
  pump(): Promise<void>
  stop(): void
}

/** Parts of a feed. */
export interface TradeFeedOptions {
  readonly views: Views
  readonly platform: PlatformInspector
  readonly account: string
  /** Sequence of the last event the reader has. */
  readonly after: number
  /** Takes a message; false: no more for now, `pump` is called again when there is room. */
  readonly send: (message: string) => boolean
  readonly onError: (error: unknown) => void
}

const PAGE = 100

/** Sequence of the newest event of an account, 0 when there is none. */
export const latestTradeSequence = async (views: Views, account: string): Promise<number> => {
  const [latest] = await views.find(tradeEventModel, {
    filter: { account },
    sortBy: 'sequence',
    direction: 'descending',
    limit: 1,
  })
  return latest?.sequence ?? 0
}

const messageOf = ({ sequence, type, atMs, payload }: TradeEventView): string =>
  `{"channel":"trades","sequence":${sequence},"type":${JSON.stringify(type)},` +
  `"time":"${new Date(atMs).toISOString()}","data":${payload}}`

/**
 * Events of an account in order, each once, none left out: they are read from the view, which keeps them all; a notification
 * only says when to look. What a slow reader does not take stays in the view and costs no memory.
 */
export const createTradeFeed = ({ views, platform, account, after, send, onError }: TradeFeedOptions): TradeFeed => {
  let last = after
  let running = false
  let again = false
  let stopped = false

  /** Sends one page; answers whether there may be more to send now. */
  const sendPage = async (): Promise<boolean> => {
    const events = await views.find(tradeEventModel, {
      filter: { account, sequence: { gt: last } },
      sortBy: 'sequence',
      direction: 'ascending',
      limit: PAGE,
    })
    for (const event of events) {
      // A hole is a view that is still catching up: wait for it rather than leave an event out.
      if (stopped || event.sequence !== last + 1) return false
      last = event.sequence
      if (!send(messageOf(event))) return false
    }
    return events.length === PAGE
  }

  const pump = async (): Promise<void> => {
    if (running) {
      again = true
      return
    }
    running = true
    try {
      let more = true
      while (more && !stopped) {
        again = false
        more = (await sendPage()) || again
      }
    } catch (error) {
      onError(error)
    } finally {
      running = false
    }
  }

  const unwatch = platform.watchTradeEvents(account, () => {
    void pump()
  })
  return {
    pump,
    stop: () => {
      stopped = true
      unwatch()
    },
  }
}
