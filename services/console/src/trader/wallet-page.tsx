import { useCallback, useMemo, useSyncExternalStore } from 'react'
import { Fact, Facts, Panel } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { formatDecimal, formatMoney, signOf } from '../format/decimal.ts'
import { useAccount, useDesk } from '../session/hooks.ts'
import type { AccountView } from '../session/trades.ts'
import { AccountInstead } from './account-instead.tsx'
import { Signed, SignedNumber } from './ticket-preview.tsx'
import './trader.css'
import { unrealizedOf, worthOf, type Worth } from './wallet.ts'
import { directionWords, nameOf } from './words.ts'

/** Prices of the assets that trades are open in: one snapshot that changes when one of them does. */
const useQuotes = (assets: readonly string[]) => {
  const { prices } = useDesk()
  const names = assets.join(' ')
  const stores = useMemo(
    () => new Map(names.split(' ').flatMap((asset) => (asset === '' ? [] : [[asset, prices.price(asset)] as const]))),
    [names, prices],
  )
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = [...stores.values()].map((store) => store.subscribe(listener))
      return () => {
        for (const end of ends) end()
      }
    },
    [stores],
  )
  // Sequences say whether anything changed; the prices themselves are read where they are needed.
  useSyncExternalStore(subscribe, () =>
    [...stores.values()].map((store) => store.getSnapshot()?.sequence ?? '').join(' '),
  )
  return (asset: string) => stores.get(asset)?.getSnapshot() ?? null
}

const LocksWords = ({ worth }: { readonly worth: Worth }) => {
  const { asset, locked, margins, otherHolds, trades } = worth
  if (signOf(locked) === 0) return <p>Nothing is locked: all of it can be traded with.</p>
  return (
    <p>
      {formatMoney(locked, asset)} is locked: {formatMoney(margins, asset)} as the margin of{' '}
      {trades.length === 1 ? 'one open trade' : `${trades.length} open trades`}
      {signOf(otherHolds) > 0 ? `, ${formatMoney(otherHolds, asset)} held while a trade opens or closes` : ''}. A margin
      comes back when its trade closes, with the gain or less the loss.
    </p>
  )
}

interface CurrencyProps {
  readonly worth: Worth
  readonly account: AccountView
  readonly quoteOf: ReturnType<typeof useQuotes>
}

const Currency = ({ worth, account, quoteOf }: CurrencyProps) => {
  const { asset, available, locked, unrealized, equity } = worth
  const trades = account.trades.filter(({ tradeId }) => worth.trades.some((one) => one.tradeId === tradeId))
  return (
    <Panel title={asset} testId={`wallet-${asset}`}>
      <Facts>
        <Fact name="Available" testId="wallet-available">
          {formatMoney(available, asset)}
        </Fact>
        <Fact name="Locked" testId="wallet-locked">
          {formatMoney(locked, asset)}
        </Fact>
        <Fact name="Gain or loss of open trades" testId="wallet-unrealized">
          {unrealized === null ? (
            <span className="soft">no price yet</span>
          ) : (
            <Signed amount={unrealized} asset={asset} />
          )}
        </Fact>
        <Fact name="Equity" testId="wallet-equity">
          {equity === null ? <span className="soft">no price yet</span> : formatMoney(equity, asset)}
        </Fact>
      </Facts>
      <LocksWords worth={worth} />
      {trades.length === 0 ? null : (
        <Table
          caption={`What locks ${asset}`}
          rows={trades}
          keyOf={({ tradeId }) => tradeId}
          columns={[
            {
              name: 'Open trade',
              cell: (trade) => `${nameOf(trade.asset)} ${directionWords[trade.direction]} ${trade.leverage}×`,
            },
            {
              name: `Margin, ${asset}`,
              numeric: true,
              cell: (trade) => formatDecimal(trade.margin, { minDecimals: 2 }),
            },
            {
              name: `Gain or loss, ${asset}`,
              numeric: true,
              cell: (trade) => {
                const gain = unrealizedOf(trade, quoteOf(trade.asset))
                return gain === null ? '–' : <SignedNumber amount={gain} />
              },
            },
          ]}
        />
      )}
      <p className="soft small">
        Equity is what is available and locked with the gain or loss of open trades at the prices of now, funding
        included; the fees of closing are not. Nothing here is rounded.
      </p>
    </Panel>
  )
}

const Balances = ({ account }: { readonly account: AccountView }) => {
  const assets = useMemo(() => [...new Set(account.trades.map(({ asset }) => asset))].sort(), [account.trades])
  const quoteOf = useQuotes(assets)
  return worthOf(account, quoteOf).map((worth) => (
    <Currency key={worth.asset} worth={worth} account={account} quoteOf={quoteOf} />
  ))
}

/** Balances: what is available, what is locked and by what, what it is all worth now. */
const Page = () => {
  const account = useAccount()
  return (
    <>
      <h1 className="hidden-visually">Wallet</h1>
      {account.value === null || account.value.balances.length === 0 ? (
        <Panel title="Wallet">
          <AccountInstead what="Your balances" lines={5} />
        </Panel>
      ) : (
        <Balances account={account.value} />
      )}
    </>
  )
}

export default Page
