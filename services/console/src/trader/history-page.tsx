import { useEffect, useMemo, useState } from 'react'
import type { ListedClosedTrade, Market } from '@bourse/client/shapes.ts'
import { Button, SelectField } from '../design/controls.tsx'
import { Badge, Banner, Empty, Fact, Facts, Loading, Panel } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { formatDecimal, formatMoney, formatPrice } from '../format/decimal.ts'
import { refusalWords } from '../format/refusals.ts'
import { formatDateTime, userZone } from '../format/time.ts'
import { useMarkets, useMe, useStore } from '../session/hooks.ts'
import { UntilKnown } from './account-instead.tsx'
import { ExplanationOf } from './explanation.tsx'
import { csvOf, EVERYTHING, filtered, reasonWords, type HistoryFilter } from './history.ts'
import { useTrader } from './hooks.ts'
import { Signed, SignedNumber } from './ticket-preview.tsx'
import { netOf, totalsOf } from './totals.ts'
import './trader.css'
import { directionWords, nameOf } from './words.ts'

const ANY = ''

const chosen = <Value extends string>(value: string, known: readonly Value[]): Value | null =>
  known.find((one) => one === value) ?? null

const REASONS = ['USER', 'STOP_LOSS', 'TAKE_PROFIT', 'LIQUIDATION'] as const
const DIRECTIONS = ['LONG', 'SHORT'] as const

interface FilterProps {
  readonly filter: HistoryFilter
  readonly assets: readonly string[]
  readonly onFilter: (filter: HistoryFilter) => void
}

const Filters = ({ filter, assets, onFilter }: FilterProps) => (
  <div className="field-row">
    <SelectField
      label="Market"
      value={filter.asset ?? ANY}
      options={[{ value: ANY, label: 'All' }, ...assets.map((value) => ({ value, label: nameOf(value) }))]}
      data-testid="filter-asset"
      onValue={(value) => onFilter({ ...filter, asset: chosen(value, assets) })}
    />
    <SelectField
      label="Direction"
      value={filter.direction ?? ANY}
      options={[{ value: ANY, label: 'Both' }, ...DIRECTIONS.map((value) => ({ value, label: directionWords[value] }))]}
      data-testid="filter-direction"
      onValue={(value) => onFilter({ ...filter, direction: chosen(value, DIRECTIONS) })}
    />
    <SelectField
      label="How it ended"
      value={filter.reason ?? ANY}
      options={[{ value: ANY, label: 'All' }, ...REASONS.map((value) => ({ value, label: reasonWords[value].name }))]}
      data-testid="filter-reason"
      onValue={(value) => onFilter({ ...filter, reason: chosen(value, REASONS) })}
    />
  </div>
)

const Totals = ({
  trades,
  asset,
  isAll,
}: {
  readonly trades: readonly ListedClosedTrade[]
  readonly asset: string
  readonly isAll: boolean
}) => {
  const totals = useMemo(() => totalsOf(trades), [trades])
  return (
    <Facts>
      <Fact name={isAll ? 'Trades' : 'Trades loaded so far'} testId="total-count">
        {totals.count}
        {totals.liquidations > 0 ? <span className="soft small"> {totals.liquidations} liquidated</span> : null}
      </Fact>
      <Fact name="Gain or loss of prices" testId="total-pnl">
        <Signed amount={totals.pnl} asset={asset} />
      </Fact>
      <Fact name="Fees" testId="total-fees">
        {formatMoney(totals.fees, asset)}
      </Fact>
      <Fact name="Funding" testId="total-funding">
        {formatMoney(totals.funding, asset)}
      </Fact>
      <Fact name="In all" testId="total-net">
        <Signed amount={totals.net} asset={asset} />
      </Fact>
    </Facts>
  )
}

/** Hands the browser a file made here; nothing leaves the page. */
const download = (trades: readonly ListedClosedTrade[]): void => {
  const url = URL.createObjectURL(new Blob([csvOf(trades)], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = url
  link.download = 'closed-trades.csv'
  link.click()
  // The browser has taken the file once the click is over.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

interface ListProps {
  readonly trades: readonly ListedClosedTrade[]
  readonly markets: readonly Market[]
}

const List = ({ trades, markets }: ListProps) => {
  const [open, setOpen] = useState<string | null>(null)
  const quote = trades[0] === undefined ? '' : quoteOf(trades[0])
  const marketOf = ({ asset }: ListedClosedTrade) => markets.find(({ symbol }) => symbol === asset)
  const price = (trade: ListedClosedTrade, text: string): string =>
    formatPrice(text, marketOf(trade)?.tickSize ?? '0.01')
  return (
    <Table
      caption="Closed trades, newest opened first"
      rows={trades}
      keyOf={(trade) => trade.tradeId}
      rowTestId="history-row"
      columns={[
        {
          name: 'Trade',
          cell: (trade) => (
            <>
              <strong>{nameOf(trade.asset)}</strong> {directionWords[trade.direction]} {trade.leverage}×{' '}
              <Badge tone={trade.reason === 'LIQUIDATION' ? 'danger' : 'plain'}>{reasonWords[trade.reason].name}</Badge>
              <div className="soft small">{formatDateTime(trade.closedAt)}</div>
            </>
          ),
        },
        { name: `In all, ${quote}`, numeric: true, cell: (trade) => <SignedNumber amount={netOf(trade)} /> },
        { name: 'Entry', numeric: true, wideOnly: true, cell: (trade) => price(trade, trade.entryPrice) },
        { name: 'Exit', numeric: true, wideOnly: true, cell: (trade) => price(trade, trade.exitPrice) },
        {
          name: 'Margin',
          numeric: true,
          wideOnly: true,
          cell: (trade) => formatDecimal(trade.margin, { minDecimals: 2 }),
        },
        { name: 'Fees', numeric: true, wideOnly: true, cell: (trade) => formatDecimal(trade.fees, { minDecimals: 2 }) },
        {
          name: 'Returned',
          numeric: true,
          wideOnly: true,
          cell: (trade) => formatDecimal(trade.returned, { minDecimals: 2 }),
        },
        {
          name: 'Why',
          cell: (trade) => (
            <Button
              small
              aria-expanded={open === trade.tradeId}
              aria-label={`${open === trade.tradeId ? 'Hide' : 'Explain'} ${whichOf(trade)}`}
              data-testid="history-explain"
              onClick={() => setOpen(open === trade.tradeId ? null : trade.tradeId)}
            >
              {open === trade.tradeId ? 'Hide' : 'Explain'}
            </Button>
          ),
        },
      ]}
      detail={(trade) => {
        const market = marketOf(trade)
        if (open !== trade.tradeId) return null
        return market === undefined ? (
          'This market is no longer listed.'
        ) : (
          <ExplanationOf trade={trade} market={market} />
        )
      }}
    />
  )
}

/** Tells one trade from another for those who hear it. */
const whichOf = ({ asset, closedAt }: ListedClosedTrade): string =>
  `${nameOf(asset)} closed ${formatDateTime(closedAt)}`

const quoteOf = ({ asset }: ListedClosedTrade): string => asset.split('_')[1] ?? ''

const Body = () => {
  const { closed } = useTrader()
  const { trades, reading, isRead, hasMore, failure } = useStore(closed.state)
  const markets = useMarkets().value ?? []
  const [filter, setFilter] = useState(EVERYTHING)
  useEffect(() => {
    void closed.again()
  }, [closed])
  const shown = useMemo(() => filtered(trades, filter), [trades, filter])
  const assets = useMemo(() => [...new Set(trades.map(({ asset }) => asset))].sort(), [trades])
  const refused = failure === null ? null : refusalWords(failure.code, failure)
  return (
    <>
      {isRead && trades.length > 0 ? (
        <>
          <Filters filter={filter} assets={assets} onFilter={setFilter} />
          <Totals trades={shown} asset={quoteOf(trades[0]!)} isAll={!hasMore} />
          {shown.length > 0 ? (
            <List trades={shown} markets={markets} />
          ) : (
            <Empty title="None of these trades">Choose another filter, or load more.</Empty>
          )}
        </>
      ) : null}
      {isRead && trades.length === 0 && !reading ? (
        <Empty title="No closed trades yet">
          A trade comes here when it is closed: by you, its stop, its target, or a liquidation.
        </Empty>
      ) : null}
      {refused === null ? null : (
        <Banner
          tone="danger"
          title="The history could not be read"
          action={<Button onClick={() => void closed.more()}>Try again</Button>}
        >
          {refused.what} {refused.remedy}
        </Banner>
      )}
      {!isRead && failure === null ? <Loading what="the history" lines={6} /> : null}
      <div className="row">
        {isRead && hasMore ? (
          <Button busy={reading} onClick={() => void closed.more()} data-testid="history-more">
            Load more
          </Button>
        ) : null}
        {shown.length > 0 ? (
          <Button onClick={() => download(shown)} data-testid="history-csv">
            {hasMore ? 'Download what is loaded (CSV)' : 'Download (CSV)'}
          </Button>
        ) : null}
      </div>
      {trades.length > 0 ? (
        <p className="soft small">Times are of your zone, {userZone()}; in the file they are UTC.</p>
      ) : null}
    </>
  )
}

/** Closed trades: what they came to, why each ended, how its money came about. */
const Page = () => {
  const { status } = useMe()
  const { state } = useTrader()
  return (
    <>
      <h1 className="hidden-visually">History</h1>
      <Panel title="Closed trades" testId="history">
        {status === 'signed-in' ? <Body /> : null}
        <UntilKnown what="the history" lines={6} />
        {status === 'anonymous' || status === 'expired' ? (
          <Empty title="Not signed in">
            <p>Your closed trades stand here once you are.</p>
            <Button tone="primary" onClick={() => state.dialog.set('sign-in')}>
              Sign in
            </Button>
          </Empty>
        ) : null}
      </Panel>
    </>
  )
}

export default Page
