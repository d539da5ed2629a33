import type { Engine } from '@bourse/client/engine.ts'
import type { BourseStream, TradeMessage } from '@bourse/client/stream.ts'
import type { DeskClock } from './clock.ts'
import { failed, failureOf, loaded, LOADING, waitMsAfter, type Failure, type Loaded } from './loaded.ts'
import { createStore, type Store } from './store.ts'
import { accountAsRead, afterEvent, type AccountView } from './trades.ts'

/** The signed-in user's account, kept true: read whole, then by events, and read again after each. */
export interface AccountFeed {
  readonly account: Store<Loaded<AccountView>>
  /** Hears every trade event, each once, in order. */
  onEvent(listener: (event: TradeMessage) => void): () => void
  /** Asks for the account to be read: at once, or as soon as the last read is a second old. */
  refresh(): void
  /** Begins for a session; what an earlier one had is forgotten. */
  begin(): void
  /** Ends: nobody is signed in. */
  end(): void
}

/** What the feed is made of. */
export interface AccountDeps {
  readonly engine: Pick<Engine, 'balance'>
  readonly stream: Pick<BourseStream, 'trades'>
  readonly clock: DeskClock
  /** Hears that the session has ended. */
  readonly onUnauthenticated: () => void
}

/** Reads begin at most so often. */
const READ_EVERY_MS = 1_000
/** And at least so often: funding and liquidation prices move without an event. */
const READ_AGAIN_MS = 30_000
/** After one that failed for a reason that passes. */
const READ_AFTER_FAILURE_MS = 2_000

/**
 * Reads one after the other, never two at once, not more often than once a second; asked for meanwhile: once more. `read`
 * answers after how many ms it wants to be done again, unless it is asked for before.
 */
const createReads = (clock: DeskClock, read: () => Promise<number>) => {
  let running = false
  let wanted = false
  let stopped = false
  let lastMs = Number.NEGATIVE_INFINITY
  let cancel = (): void => undefined
  const begin = (): void => {
    cancel()
    running = true
    wanted = false
    lastMs = clock.nowMs()
    read().then(next, (error: unknown) => {
      next(READ_AGAIN_MS)
      throw error
    })
  }
  const next = (againMs: number): void => {
    running = false
    if (stopped) return
    if (wanted) ask()
    else cancel = clock.schedule(againMs, begin)
  }
  const ask = (): void => {
    wanted = true
    if (running || stopped) return
    // A clock that was put back must not stop the reading.
    const waitMs = Math.min(READ_EVERY_MS, lastMs + READ_EVERY_MS - clock.nowMs())
    if (waitMs <= 0) begin()
    else {
      cancel()
      cancel = clock.schedule(waitMs, begin)
    }
  }
  return {
    ask,
    stop: (): void => {
      stopped = true
      cancel()
    },
  }
}

/** A feed at rest; `begin` starts it. */
export const createAccountFeed = ({ engine, stream, clock, onUnauthenticated }: AccountDeps): AccountFeed => {
  const account = createStore<Loaded<AccountView>>(LOADING)
  const listeners = new Set<(event: TradeMessage) => void>()
  let stop: (() => void) | null = null
  let ask: (() => void) | null = null

  const fail = (failure: Failure): void => {
    account.set(failed(account.getSnapshot(), failure))
    if (failure.code === 'UNAUTHENTICATED') onUnauthenticated()
  }

  /** One session's reading and hearing; nothing of it touches the next one's. */
  const follow = () => {
    const ended = new AbortController()
    let meanwhile: TradeMessage[] | null = null
    const read = async (): Promise<number> => {
      meanwhile = []
      try {
        const answer = await engine.balance({ signal: ended.signal })
        if (!ended.signal.aborted) account.set(loaded(accountAsRead(answer, meanwhile)))
        return READ_AGAIN_MS
      } catch (error) {
        if (ended.signal.aborted) return READ_AGAIN_MS
        const failure = failureOf(error)
        fail(failure)
        return waitMsAfter(failure, { passing: READ_AFTER_FAILURE_MS, lasting: READ_AGAIN_MS })
      } finally {
        meanwhile = null
      }
    }
    const reads = createReads(clock, read)
    const unsubscribe = stream.trades({
      after: null,
      onEvent: (event) => {
        meanwhile?.push(event)
        const { value } = account.getSnapshot()
        if (value !== null) account.set(loaded({ ...value, trades: afterEvent(value.trades, event) }))
        for (const listener of [...listeners]) listener(event)
        reads.ask()
      },
      onGap: reads.ask,
      onRefused: ({ code, message }) => {
        if (code === 'UNAUTHENTICATED') fail({ code, message, retryAfterSeconds: null })
      },
    })
    ask = reads.ask
    reads.ask()
    return (): void => {
      ended.abort(new Error('the session ended'))
      reads.stop()
      unsubscribe()
    }
  }

  const end = (): void => {
    stop?.()
    stop = null
    ask = null
    account.set(LOADING)
  }
  return {
    account,
    onEvent: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    refresh: () => ask?.(),
    begin: () => {
      end()
      stop = follow()
    },
    end,
  }
}
