import { memo } from 'react'
import type { Market } from '@bourse/client/shapes.ts'
import { Badge, Panel } from '../design/surfaces.tsx'
import { formatPrice } from '../format/decimal.ts'
import { useFreshness, usePrice } from '../session/hooks.ts'
import { useDayChange } from './hooks.ts'
import { percentText } from './levels.ts'
import { freshnessWords, nameOf, stateWords } from './words.ts'

interface RowProps {
  readonly market: Market
  readonly chosen: boolean
  readonly onChoose: (symbol: string) => void
}

/** Bid and ask of a market; the only thing that a tick draws anew. */
const Quote = ({ market }: { readonly market: Market }) => {
  const price = usePrice(market.symbol)
  if (price === null) return <span className="soft small">no price yet</span>
  return (
    <span className="market-quote number" data-testid={`price-${market.symbol}`}>
      <span className="hidden-visually">bid </span>
      <span>{formatPrice(price.bid, market.tickSize)}</span>
      <span className="soft" aria-hidden="true">
        {' / '}
      </span>
      <span className="hidden-visually"> ask </span>
      <span>{formatPrice(price.ask, market.tickSize)}</span>
    </span>
  )
}

/** The change since the day's first bar, with its sign: the colour only repeats it. */
export const DayChange = ({ symbol }: { readonly symbol: string }) => {
  const bps = useDayChange(symbol)
  if (bps === null) return <span className="soft small">–</span>
  const tone = bps > 0 ? 'up' : bps < 0 ? 'down' : 'soft'
  return (
    <span className={`number small ${tone}`} title="Against the first bar of the day (UTC)">
      {percentText(bps)}
    </span>
  )
}

/** Whether a market's price can be traded on, in a word. */
export const MarketBadge = ({ market }: { readonly market: Market }) => {
  const freshness = useFreshness(market.symbol)
  if (market.state !== 'Open') return <Badge tone="warn">{stateWords[market.state]}</Badge>
  if (freshness === 'fresh') return <Badge tone="good">Live</Badge>
  return <Badge tone="warn">{freshnessWords[freshness]}</Badge>
}

const Row = memo(({ market, chosen, onChoose }: RowProps) => (
  <li>
    <button
      type="button"
      className="market-row"
      aria-current={chosen ? 'true' : undefined}
      data-testid={`market-${market.symbol}`}
      onClick={() => onChoose(market.symbol)}
    >
      <span className="market-name">
        <strong>{nameOf(market.symbol)}</strong>
        <MarketBadge market={market} />
      </span>
      <span className="market-name">
        <Quote market={market} />
        <DayChange symbol={market.symbol} />
      </span>
    </button>
  </li>
))
Row.displayName = 'MarketRow'

interface ListProps {
  readonly markets: readonly Market[]
  readonly chosen: string
  readonly onChoose: (symbol: string) => void
}

/** The markets with their live prices: a column beside the chart, a strip above it on a phone. */
export const MarketList = ({ markets, chosen, onChoose }: ListProps) => (
  <Panel title="Markets" area="markets">
    <ul className="market-list">
      {markets.map((market) => (
        <Row key={market.symbol} market={market} chosen={market.symbol === chosen} onChoose={onChoose} />
      ))}
    </ul>
  </Panel>
)
