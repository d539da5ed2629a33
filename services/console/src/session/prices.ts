import type { Market, Price } from '@bourse/client/shapes.ts'
import type { BourseStream, PriceMessage } from '@bourse/client/stream.ts'
import type { DeskClock } from './clock.ts'
import { createStores, type Store } from './store.ts'

/** Whether a price may be traded on: `stale` is older than the market allows, by the server's clock. */
export type Freshness = 'fresh' | 'stale' | 'none'

/** Live prices by asset. */
export interface Prices {
  /** The latest price, told once a frame at most; null while there is none. Reading it subscribes its channel. */
  price(asset: string): Store<Price | null>
  freshness(asset: string): Store<Freshness>
  /** Hears every price as it comes, before any frame: for what must not miss one (bars). */
  listen(asset: string, listener: (price: Price) => void): () => void
  /** Judges ages again; the desk calls it when markets were read. */
  judge(): void
  stop(): void
}

/** What prices are made of. */
export interface PricesDeps {
  readonly stream: Pick<BourseStream, 'prices'>
  readonly clock: DeskClock
  readonly serverNowMs: () => number
  readonly marketOf: (asset: string) => Market | null
}

/** How often ages are looked at: a price is called stale at most so late. */
const JUDGE_MS = 250

/** How old the newest prices are, looked at again and again: no event says that a price has become stale. */
const createAges = (
  { clock, serverNowMs, marketOf }: Omit<PricesDeps, 'stream'>,
  newest: ReadonlyMap<string, Price>,
) => {
  const ages = createStores<Freshness>(() => 'none')
  let cancel = (): void => undefined
  const freshnessOf = (asset: string): Freshness => {
    const price = newest.get(asset)
    if (price === undefined) return 'none'
    const market = marketOf(asset)
    if (market === null) return 'stale'
    return serverNowMs() - Date.parse(price.time) > market.maxPriceAgeSeconds * 1_000 ? 'stale' : 'fresh'
  }
  const judge = (asset: string): void => ages.of(asset).set(freshnessOf(asset))
  const judgeAll = (): void => {
    for (const [asset] of ages.entries()) judge(asset)
  }
  const again = (): void => {
    judgeAll()
    cancel = clock.schedule(JUDGE_MS, again)
  }
  again()
  return {
    of: ages.of,
    judge,
    judgeAll,
    stop: (): void => {
      cancel()
    },
  }
}

/** Prices over a stream: however many come, each asset's readers are told once a frame. */
export const createPrices = (deps: PricesDeps): Prices => {
  const { stream, clock } = deps
  const prices = createStores<Price | null>(() => null)
  const newest = new Map<string, Price>()
  const ages = createAges(deps, newest)
  const listeners = new Map<string, Set<(price: Price) => void>>()
  const unsubscribes = new Map<string, () => void>()
  const due = new Set<string>()
  let cancelFrame: (() => void) | null = null

  const show = (): void => {
    cancelFrame = null
    const assets = [...due]
    due.clear()
    for (const asset of assets) {
      prices.of(asset).set(newest.get(asset) ?? null)
      ages.judge(asset)
    }
  }
  const receive = (asset: string, { data }: PriceMessage): void => {
    newest.set(asset, data)
    for (const listener of listeners.get(asset) ?? []) listener(data)
    due.add(asset)
    cancelFrame ??= clock.frame(show)
  }
  const follow = (asset: string): void => {
    if (unsubscribes.has(asset)) return
    unsubscribes.set(asset, () => undefined)
    unsubscribes.set(
      asset,
      stream.prices(asset, (message) => receive(asset, message)),
    )
  }

  return {
    price: (asset) => {
      follow(asset)
      return prices.of(asset)
    },
    freshness: (asset) => {
      follow(asset)
      return ages.of(asset)
    },
    listen: (asset, listener) => {
      follow(asset)
      const own = (price: Price): void => listener(price)
      const known = listeners.get(asset) ?? new Set()
      listeners.set(asset, known)
      known.add(own)
      return () => {
        known.delete(own)
      }
    },
    judge: ages.judgeAll,
    stop: () => {
      ages.stop()
      cancelFrame?.()
      for (const unsubscribe of unsubscribes.values()) unsubscribe()
      unsubscribes.clear()
    },
  }
}
