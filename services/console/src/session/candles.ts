import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { divFloor } from '@bourse/common/money/rounding.ts'
import type { Candle, CandleInterval, Price } from '@bourse/client/shapes.ts'
import { LOADING, failed, failureOf, loaded, waitMsAfter, type Loaded } from './loaded.ts'
import type { DeskClock } from './clock.ts'
import { createStores, type Store } from './store.ts'

/** Lengths of bars in ms. */
export const candleIntervalMs: Readonly<Record<CandleInterval, number>> = {
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
}

/** Bars by asset and length: read from the server, the last one grown by every price. */
export interface Candles {
  /** Oldest first. The first reader of a pair has it read and followed; the last one to go ends that. */
  bars(asset: string, interval: CandleInterval): Store<Loaded<readonly Candle[]>>
  /** Reads what is looked at again: prices were missed. */
  refresh(): void
}

/** What candles are made of. */
export interface CandlesDeps {
  readonly read: (asset: string, interval: CandleInterval, limit: number) => Promise<readonly Candle[]>
  readonly listen: (asset: string, listener: (price: Price) => void) => () => void
  readonly clock: Pick<DeskClock, 'schedule'>
}

/** Bars read at once, and the most that are kept while new ones come. */
const BARS_READ = 300
const BARS_MAX = 600
/** Waits after a read that failed: for a reason that passes, and for any other. */
const WAITS_MS = { passing: 3_000, lasting: 60_000 } as const

/** The mid of a price, towards −∞ to the unit, as the platform makes its bars. */
const midOf = ({ bid, ask }: Price): bigint => divFloor(parseAmount(bid) + parseAmount(ask), 2n)

const grown = (bar: Candle, mid: bigint): Candle => {
  const close = formatAmount(mid)
  return {
    ...bar,
    high: mid > parseAmount(bar.high) ? close : bar.high,
    low: mid < parseAmount(bar.low) ? close : bar.low,
    close,
  }
}

/** The bars with a price: the last one grown, or a new one behind it; a price older than the last bar changes none. */
export const withPrice = (bars: readonly Candle[], price: Price, interval: CandleInterval): readonly Candle[] => {
  const lengthMs = candleIntervalMs[interval]
  const timeMs = Date.parse(price.time)
  const openMs = Math.floor(timeMs / lengthMs) * lengthMs
  const last = bars.at(-1)
  const lastMs = last === undefined ? Number.NEGATIVE_INFINITY : Date.parse(last.openTime)
  if (openMs < lastMs) return bars
  const mid = midOf(price)
  if (last !== undefined && openMs === lastMs) return [...bars.slice(0, -1), grown(last, mid)]
  const at = formatAmount(mid)
  const opened = { openTime: new Date(openMs).toISOString(), open: at, high: at, low: at, close: at }
  return [...bars, opened].slice(-BARS_MAX)
}

/** Follows each pair that somebody looks at. */
export const createCandles = ({ read, listen, clock }: CandlesDeps): Candles => {
  const stores = createStores<Loaded<readonly Candle[]>>(() => LOADING)
  const followed = new Map<string, { readonly load: () => void; readonly stop: () => void; readers: number }>()

  const follow = (name: string, asset: string, interval: CandleInterval) => {
    const store = stores.of(name)
    let latest: Price | null = null
    let reading = 0
    let cancel = (): void => undefined
    const load = (): void => {
      cancel()
      reading += 1
      const mine = reading
      read(asset, interval, BARS_READ).then(
        (bars) => {
          if (mine === reading) store.set(loaded(latest === null ? bars : withPrice(bars, latest, interval)))
        },
        (error: unknown) => {
          const failure = failureOf(error)
          if (mine !== reading) return
          store.set(failed(store.getSnapshot(), failure))
          cancel = clock.schedule(waitMsAfter(failure, WAITS_MS), load)
        },
      )
    }
    const unlisten = listen(asset, (price) => {
      latest = price
      const { value } = store.getSnapshot()
      if (value === null) return
      const next = withPrice(value, price, interval)
      if (next === value) return
      store.set(loaded(next))
      // A bar ended: the platform's own is read, because prices that came faster than they were sent are in it too.
      if (next.at(-1)?.openTime !== value.at(-1)?.openTime && value.length > 0) load()
    })
    load()
    return {
      load,
      readers: 0,
      stop: () => {
        reading += 1
        cancel()
        unlisten()
      },
    }
  }

  return {
    bars: (asset, interval) => {
      const name = `${asset}|${interval}`
      const store = stores.of(name)
      return {
        getSnapshot: store.getSnapshot,
        subscribe: (listener) => {
          const entry = followed.get(name) ?? follow(name, asset, interval)
          followed.set(name, entry)
          entry.readers += 1
          const unsubscribe = store.subscribe(listener)
          return () => {
            unsubscribe()
            entry.readers -= 1
            if (entry.readers > 0) return
            entry.stop()
            followed.delete(name)
          }
        },
      }
    },
    refresh: () => {
      for (const { load } of followed.values()) load()
    },
  }
}
