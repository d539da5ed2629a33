import { createContext, useContext, useMemo, useSyncExternalStore } from 'react'
import type { Candle, CandleInterval, Market, Price } from '@bourse/client/shapes.ts'
import type { StreamState } from '@bourse/client/stream.ts'
import type { Desk, Me } from './desk.ts'
import type { Loaded } from './loaded.ts'
import type { Freshness } from './prices.ts'
import type { Store } from './store.ts'
import type { AccountView } from './trades.ts'

/** The desk that pages are at; the app provides it. */
export const DeskContext = createContext<Desk | null>(null)

/** The desk. @throws outside of the app: that is a bug */
export const useDesk = (): Desk => {
  const desk = useContext(DeskContext)
  if (desk === null) throw new Error('there is no desk here')
  return desk
}

/** A store's present value; the component is drawn again when it changes. */
export const useStore = <Value>({ subscribe, getSnapshot }: Store<Value>): Value =>
  useSyncExternalStore(subscribe, getSnapshot)

/** The latest price of an asset, at most one change a frame; null while there is none. */
export const usePrice = (asset: string): Price | null => useStore(useDesk().prices.price(asset))

/** Whether an asset's price may be traded on. */
export const useFreshness = (asset: string): Freshness => useStore(useDesk().prices.freshness(asset))

/** Who is signed in. */
export const useMe = (): Me => useStore(useDesk().me)

/** The connection to the stream. */
export const useConnection = (): StreamState => useStore(useDesk().connection)

/** The markets. */
export const useMarkets = (): Loaded<readonly Market[]> => useStore(useDesk().markets)

/** The account: balances and open trades. */
export const useAccount = (): Loaded<AccountView> => useStore(useDesk().account)

/** Bars of an asset, oldest first; the last one grows with every price. */
export const useCandles = (asset: string, interval: CandleInterval): Loaded<readonly Candle[]> => {
  const { candles } = useDesk()
  return useStore(useMemo(() => candles.bars(asset, interval), [candles, asset, interval]))
}
