/** What the trader's components read. */
import { createContext, useCallback, useContext, useEffect, useMemo, useSyncExternalStore } from 'react'
import type { Market } from '@bourse/client/shapes.ts'
import type { RiskPreview } from '../maths/preview.ts'
import { useAccount, useConnection, useDesk, useFreshness, useMe, useStore } from '../session/hooks.ts'
import type { Loaded } from '../session/loaded.ts'
import { dayChangeBps } from './bars.ts'
import type { Conditions } from './readiness.ts'
import type { Trader } from './trader.ts'

/** The trader that pages are for; the app provides it. */
export const TraderContext = createContext<Trader | null>(null)

/** The trader. @throws outside of the app: that is a bug */
export const useTrader = (): Trader => {
  const trader = useContext(TraderContext)
  if (trader === null) throw new Error('there is no trader here')
  return trader
}

/** The engine's machine, fetched by the first component that asks for it. */
export const useMaths = (): Loaded<RiskPreview> & { readonly retry: () => void } => {
  const { maths, loadMaths } = useTrader()
  const state = useStore(maths)
  useEffect(loadMaths, [loadMaths])
  return useMemo(() => ({ ...state, retry: loadMaths }), [state, loadMaths])
}

/** What is available in an asset, decimal string; null while it is not known. */
export const useAvailable = (asset: string): string | null =>
  useAccount().value?.balances.find((balance) => balance.asset === asset)?.available ?? null

const onNetwork = (listener: () => void): (() => void) => {
  window.addEventListener('online', listener)
  window.addEventListener('offline', listener)
  return () => {
    window.removeEventListener('online', listener)
    window.removeEventListener('offline', listener)
  }
}

/** Whether this device has a network at all: known at once, where a broken connection takes a while to be noticed. */
export const useHasNetwork = (): boolean => useSyncExternalStore(onNetwork, () => navigator.onLine)

/** What acting on a market depends on. */
export const useConditions = (market: Market): Conditions => {
  const { status } = useMe()
  const account = useAccount()
  const { state } = useConnection()
  return {
    connection: useHasNetwork() || state !== 'open' ? state : 'waiting',
    signedIn: status,
    account:
      account.value !== null
        ? 'open'
        : account.failure?.code === 'ACCOUNT_NOT_FOUND'
          ? 'none'
          : account.status === 'failed'
            ? 'failed'
            : 'loading',
    marketState: market.state,
    freshness: useFreshness(market.symbol),
  }
}

/** Change of a market's price since the day (UTC) began, basis points; null while unknown. Drawn anew only when it changes. */
export const useDayChange = (asset: string): number | null => {
  const { candles } = useDesk()
  const bars = useMemo(() => candles.bars(asset, '1d'), [candles, asset])
  const change = useCallback(() => dayChangeBps(bars.getSnapshot().value?.at(-1)), [bars])
  return useSyncExternalStore(bars.subscribe, change)
}
