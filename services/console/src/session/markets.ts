import type { BourseClient } from '@bourse/client/client.ts'
import type { Market } from '@bourse/client/shapes.ts'
import type { DeskClock, ServerTime } from './clock.ts'
import { failed, failureOf, loaded, LOADING, type Loaded } from './loaded.ts'
import { createStore } from './store.ts'

/** Markets change rarely, and are halted without an event. */
const MARKETS_EVERY_MS = 10_000

/** Markets, read again and again; each answer also tells the server's clock. */
export const createMarkets = (client: Pick<BourseClient, 'GET'>, clock: DeskClock, serverTime: ServerTime) => {
  const markets = createStore<Loaded<readonly Market[]>>(LOADING)
  let text = ''
  let cancel = (): void => undefined
  let stopped = false
  const read = async (): Promise<void> => {
    const startedMs = clock.nowMs()
    try {
      const { data, response } = await client.GET('/api/v1/markets')
      serverTime.observe(response.headers, startedMs, clock.nowMs())
      const next = JSON.stringify(data.markets)
      // The same markets stay the same value, so that nothing is drawn anew.
      if (next !== text || markets.getSnapshot().status !== 'ready') markets.set(loaded(data.markets))
      text = next
    } catch (error) {
      markets.set(failed(markets.getSnapshot(), failureOf(error)))
    }
  }
  const refresh = (): void => {
    cancel()
    void read().finally(() => {
      if (!stopped) cancel = clock.schedule(MARKETS_EVERY_MS, refresh)
    })
  }
  return {
    markets,
    refresh,
    stop: (): void => {
      stopped = true
      cancel()
    },
  }
}
