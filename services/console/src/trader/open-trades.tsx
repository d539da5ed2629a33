import { memo, useCallback, useLayoutEffect, useRef, useState, type RefObject } from 'react'
import type { Market } from '@bourse/client/shapes.ts'
import { Bar } from '../design/bar.tsx'
import { Button } from '../design/controls.tsx'
import { Badge, Empty, Fact, Facts, Panel } from '../design/surfaces.tsx'
import { formatDateTime } from '../format/time.ts'
import { formatDecimal, formatMoney, formatPrice } from '../format/decimal.ts'
import { valuationOf } from '../maths/valuation.ts'
import { CloseDialog } from './close-dialog.tsx'
import { useAccount, useFreshness, useMarkets, usePrice } from '../session/hooks.ts'
import type { DeskTrade } from '../session/trades.ts'
import { AccountInstead } from './account-instead.tsx'
import { EditDialog } from './edit-dialog.tsx'
import { healthOf, type HealthState } from './health.ts'
import { distanceBps, percentText } from './levels.ts'
import { Signed } from './ticket-preview.tsx'
import { directionWords, nameOf } from './words.ts'

const BAR_TONES: Readonly<Record<HealthState, 'good' | 'warn' | 'danger' | 'info'>> = {
  none: 'info',
  good: 'good',
  watch: 'warn',
  danger: 'danger',
  gone: 'danger',
}

interface TradeProps {
  readonly trade: DeskTrade
  readonly market: Market
}

/** What a tick changes of a trade: its worth, its room. Nothing else is drawn again. */
const Live = ({ trade, market }: TradeProps) => {
  const quote = usePrice(trade.asset)
  const freshness = useFreshness(trade.asset)
  const { pnl, closingPrice, wayLeft } = valuationOf(trade, quote)
  const health = healthOf(wayLeft, trade.liquidationPrice !== null)
  const away =
    closingPrice === null || trade.liquidationPrice === null ? null : distanceBps(trade.liquidationPrice, closingPrice)
  return (
    <>
      <Facts>
        <Fact name="Gain or loss now" testId="trade-pnl" title="Of the price alone: before fees and funding">
          {pnl === null ? <span className="soft">no price</span> : <Signed amount={pnl} asset={market.quoteAsset} />}
        </Fact>
        <Fact name="Would close at" testId="trade-closing">
          {closingPrice === null ? '–' : formatPrice(closingPrice, market.tickSize)}
          {freshness === 'stale' ? <span className="soft small"> (old)</span> : null}
        </Fact>
        <Fact name="Liquidated at" testId="trade-liquidation">
          {trade.liquidationPrice === null ? 'never' : formatPrice(trade.liquidationPrice, market.tickSize)}
          {away === null ? null : <span className="soft small"> {percentText(away)} away</span>}
        </Fact>
      </Facts>
      <Bar label="Margin health" percent={health.percent} words={health.words} tone={BAR_TONES[health.state]} />
    </>
  )
}

const price = (text: string | null, market: Market): string =>
  text === null ? 'none' : formatPrice(text, market.tickSize)

const Fixed = ({ trade, market }: TradeProps) => (
  <Facts>
    <Fact name="Entry" testId="trade-entry">
      {price(trade.entryPrice, market)}
    </Fact>
    <Fact name="Margin">{formatMoney(trade.margin, market.quoteAsset)}</Fact>
    <Fact name="Quantity" testId="trade-quantity">
      {formatMoney(trade.quantity, market.baseAsset)}
    </Fact>
    <Fact name="Stop" testId="trade-stop">
      {price(trade.stopLossPrice, market)}
    </Fact>
    <Fact name="Target" testId="trade-target">
      {price(trade.takeProfitPrice, market)}
    </Fact>
    <Fact name="Fees · funding so far">
      {trade.fees === null || trade.funding === null
        ? 'being read'
        : `${formatDecimal(trade.fees, { minDecimals: 2 })} · ${formatDecimal(trade.funding, { minDecimals: 2 })}`}
    </Fact>
  </Facts>
)

interface CardProps extends TradeProps {
  readonly onEdit: (tradeId: string) => void
  readonly onClose: (tradeId: string) => void
}

/** A trade that closes takes its buttons with it: focus that was among them goes to the page, not nowhere. */
const useFocusKept = (): RefObject<HTMLLIElement | null> => {
  const card = useRef<HTMLLIElement>(null)
  useLayoutEffect(() => {
    const element = card.current
    return () => {
      if (element?.contains(document.activeElement) === true)
        document.getElementById('main')?.focus({ preventScroll: true })
    }
  }, [])
  return card
}

const TradeCard = memo(({ trade, market, onEdit, onClose }: CardProps) => {
  const card = useFocusKept()
  const title = `${directionWords[trade.direction]} ${trade.leverage}× ${nameOf(trade.asset)}`
  return (
    <li ref={card} className="trade" data-testid={`trade-${trade.tradeId}`} data-trade={trade.tradeId}>
      <div className="row-between">
        <h3 className="row">
          <Badge tone={trade.direction === 'LONG' ? 'good' : 'danger'}>
            {directionWords[trade.direction]} {trade.leverage}×
          </Badge>
          {nameOf(trade.asset)}
          <span className="soft small">since {formatDateTime(trade.openedAt)}</span>
        </h3>
        <div className="row">
          <Button
            small
            onClick={() => onEdit(trade.tradeId)}
            aria-label={`Stop · target of ${title}`}
            data-testid="trade-edit"
          >
            Stop · target
          </Button>
          <Button
            small
            tone="danger"
            onClick={() => onClose(trade.tradeId)}
            aria-label={`Close ${title}`}
            data-testid="trade-close"
          >
            Close
          </Button>
        </div>
      </div>
      <Live trade={trade} market={market} />
      <Fixed trade={trade} market={market} />
    </li>
  )
})
TradeCard.displayName = 'TradeCard'

type Asked = { readonly kind: 'edit' | 'close'; readonly tradeId: string } | null

const List = ({ trades }: { readonly trades: readonly DeskTrade[] }) => {
  const markets = useMarkets()
  const [asked, setAsked] = useState<Asked>(null)
  const onEdit = useCallback((tradeId: string) => setAsked({ kind: 'edit', tradeId }), [])
  const onClose = useCallback((tradeId: string) => setAsked({ kind: 'close', tradeId }), [])
  const end = useCallback(() => setAsked(null), [])
  const known = markets.value ?? []
  const marketOf = (trade: DeskTrade): Market | undefined => known.find(({ symbol }) => symbol === trade.asset)
  const trade = trades.find(({ tradeId }) => tradeId === asked?.tradeId)
  const market = trade === undefined ? undefined : marketOf(trade)
  return (
    <>
      <ul className="trades" data-testid="open-trades">
        {trades.map((shown) => {
          const its = marketOf(shown)
          return its === undefined ? null : (
            <TradeCard key={shown.tradeId} trade={shown} market={its} onEdit={onEdit} onClose={onClose} />
          )
        })}
      </ul>
      {trade !== undefined && market !== undefined && asked?.kind === 'edit' ? (
        <EditDialog trade={trade} market={market} onEnd={end} />
      ) : null}
      {trade !== undefined && market !== undefined && asked?.kind === 'close' ? (
        <CloseDialog trade={trade} market={market} onEnd={end} />
      ) : null}
    </>
  )
}

/** What stands where trades would be while there are none to show. */
const Instead = () => (
  <AccountInstead what="Your open trades">
    <Empty title="No open trades">
      Fill in the ticket to open one. It stands here with its gain or loss as the price moves.
    </Empty>
  </AccountInstead>
)

/** The trades that are open, in every market, with what they are worth now. */
export const OpenTrades = () => {
  const trades = useAccount().value?.trades ?? []
  return (
    <Panel title={trades.length === 0 ? 'Open trades' : `Open trades (${trades.length})`} area="trades">
      {trades.length === 0 ? <Instead /> : <List trades={trades} />}
    </Panel>
  )
}
