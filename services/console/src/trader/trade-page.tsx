import { useCallback, useEffect, useMemo, useState } from 'react'
import type { Market } from '@bourse/client/shapes.ts'
import { Button } from '../design/controls.tsx'
import { Banner, Empty, Loading, Panel } from '../design/surfaces.tsx'
import { formatPrice } from '../format/decimal.ts'
import { refusalWords } from '../format/refusals.ts'
import { useAccount, useDesk, useFreshness, useMarkets, usePrice, useStore } from '../session/hooks.ts'
import { chartLines, type PlannedLevels } from './chart-lines.ts'
import { ChartPanel } from './chart-panel.tsx'
import { useConditions, useTrader } from './hooks.ts'
import { DayChange, MarketBadge, MarketList } from './market-list.tsx'
import { OpenTrades } from './open-trades.tsx'
import { Ticket } from './ticket.tsx'
import './trader.css'
import { nameOf } from './words.ts'

/** The market looked at, with both sides of its price. */
const Heading = ({ market }: { readonly market: Market }) => {
  const price = usePrice(market.symbol)
  return (
    <span className="heading">
      <span>{nameOf(market.symbol)}</span>
      {price === null ? null : (
        <span className="heading-price number">
          {formatPrice(price.bid, market.tickSize)}
          <span className="soft"> / </span>
          {formatPrice(price.ask, market.tickSize)}
        </span>
      )}
      <DayChange symbol={market.symbol} />
      <MarketBadge market={market} />
    </span>
  )
}

/** What holds for the market looked at, in words and with what to do. */
const MarketNotices = ({ market }: { readonly market: Market }) => {
  const freshness = useFreshness(market.symbol)
  const isConnected = useConditions(market).connection === 'open'
  const name = nameOf(market.symbol)
  return (
    <>
      {market.state === 'Halted' ? (
        <Banner tone="warn" title={`${name} is halted`} testId="notice-halted">
          Nothing opens or closes here until it is open again; funding goes on. The first price after that triggers what
          it reaches: stops, targets and liquidations. You can take a stop or target away meanwhile.
        </Banner>
      ) : null}
      {market.state === 'ReduceOnly' ? (
        <Banner tone="warn" title={`${name} takes no new trades`} testId="notice-reduce-only">
          Open trades can be closed and changed as always. Choose another market to open one.
        </Banner>
      ) : null}
      {/* Without a connection every price is old, and that is said above already. */}
      {freshness === 'stale' && isConnected && market.state !== 'Halted' ? (
        <Banner tone="warn" title={`The price of ${name} is old`} testId="notice-stale">
          The last one is older than the {market.maxPriceAgeSeconds} s this market allows, so nothing opens or closes on
          it. It goes on by itself with the next price.
        </Banner>
      ) : null}
    </>
  )
}

const toTicket = (): void => {
  const ticket = document.getElementById('ticket')
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
  ticket?.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'start' })
  ticket?.querySelector<HTMLElement>('[data-testid="ticket-margin"]')?.focus({ preventScroll: true })
}

/** On a phone: the way to the ticket, until the ticket itself is there. */
const TicketJump = ({ market }: { readonly market: Market }) => {
  const [isThere, setIsThere] = useState(false)
  useEffect(() => {
    const ticket = document.getElementById('ticket')
    if (ticket === null) return
    const watch = new IntersectionObserver(([entry]) => setIsThere(entry?.isIntersecting === true))
    watch.observe(ticket)
    return () => watch.disconnect()
  }, [market.symbol])
  if (isThere) return null
  return (
    <div className="ticket-jump">
      <Button tone="primary" onClick={toTicket} data-testid="ticket-jump">
        Order {nameOf(market.symbol)}
      </Button>
    </div>
  )
}

const MarketView = ({ market, markets }: { readonly market: Market; readonly markets: readonly Market[] }) => {
  const { state } = useTrader()
  const interval = useStore(state.interval)
  const trades = useAccount().value?.trades
  const [planned, setPlanned] = useState<PlannedLevels | null>(null)
  const lines = useMemo(() => chartLines(market.symbol, trades ?? [], planned), [market.symbol, trades, planned])
  const choose = useCallback((symbol: string) => state.asset.set(symbol), [state])
  const heading = useMemo(() => <Heading market={market} />, [market])
  return (
    <>
      <MarketNotices market={market} />
      <div className="trade-grid">
        <MarketList markets={markets} chosen={market.symbol} onChoose={choose} />
        <ChartPanel
          market={market}
          interval={interval}
          onInterval={state.interval.set}
          lines={lines}
          heading={heading}
        />
        <Ticket key={market.symbol} market={market} onPlanned={setPlanned} />
        <OpenTrades />
      </div>
      <TicketJump market={market} />
    </>
  )
}

/** Trading: markets, chart, ticket, open trades. */
const Page = () => {
  const desk = useDesk()
  const markets = useMarkets()
  const { state } = useTrader()
  const asset = useStore(state.asset)
  const known = markets.value ?? []
  const market = known.find(({ symbol }) => symbol === asset) ?? known[0]
  return (
    <>
      <h1 className="hidden-visually">Trade</h1>
      {market !== undefined ? <MarketView market={market} markets={known} /> : null}
      {market === undefined && markets.status === 'loading' ? (
        <Panel title="Markets">
          <Loading what="the markets" lines={8} />
        </Panel>
      ) : null}
      {market === undefined && markets.status === 'ready' ? (
        <Panel title="Markets">
          <Empty title="This platform has no markets yet">They appear here as soon as one is opened.</Empty>
        </Panel>
      ) : null}
      {market === undefined && markets.failure !== null ? (
        <Banner
          tone="danger"
          title="The markets could not be read"
          action={<Button onClick={desk.refresh}>Try again</Button>}
        >
          {refusalWords(markets.failure.code, markets.failure).remedy}
        </Banner>
      ) : null}
    </>
  )
}

export default Page
