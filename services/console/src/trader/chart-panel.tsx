import { memo, useEffect, useRef, useState, type ReactNode } from 'react'
import type { Candle, CandleInterval, Market } from '@bourse/client/shapes.ts'
import { Button } from '../design/controls.tsx'
import { Banner, Empty, Loading, Panel } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { formatPrice } from '../format/decimal.ts'
import { refusalWords } from '../format/refusals.ts'
import { formatDateTime } from '../format/time.ts'
import { intervals } from './bars.ts'
import type { ChartCanvas } from './chart-canvas.ts'
import type { ChartLine } from './chart-lines.ts'
import { useCandles, useDesk } from '../session/hooks.ts'
import type { Loaded } from '../session/loaded.ts'
import { nameOf } from './words.ts'

interface CanvasProps {
  readonly market: Market
  readonly bars: readonly Candle[]
  readonly lines: readonly ChartLine[]
}

/** Tells when the page's colours change: by the system, or by the choice in the foot. */
const onColours = (task: () => void): (() => void) => {
  const system = matchMedia('(prefers-color-scheme: dark)')
  const chosen = new MutationObserver(task)
  system.addEventListener('change', task)
  chosen.observe(document.documentElement, { attributeFilter: ['data-scheme'] })
  return () => {
    system.removeEventListener('change', task)
    chosen.disconnect()
  }
}

/** The canvas: drawn by the library, which is loaded here and nowhere before. */
const Canvas = ({ market, bars, lines }: CanvasProps) => {
  const element = useRef<HTMLDivElement>(null)
  const [canvas, setCanvas] = useState<ChartCanvas | null>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    let made: ChartCanvas | null = null
    let left = false
    import('./chart-canvas.ts').then(
      ({ createChartCanvas }) => {
        if (left || element.current === null) return
        made = createChartCanvas(element.current)
        setCanvas(made)
      },
      () => setFailed(true),
    )
    return () => {
      left = true
      made?.remove()
      setCanvas(null)
    }
  }, [])
  useEffect(() => {
    canvas?.setTick(market.tickSize)
  }, [canvas, market.tickSize])
  useEffect(() => {
    canvas?.setBars(bars)
  }, [canvas, bars])
  useEffect(() => {
    canvas?.setLines(lines)
  }, [canvas, lines])
  useEffect(() => (canvas === null ? undefined : onColours(canvas.recolour)), [canvas])
  if (failed)
    return (
      <Empty title="The chart could not be loaded">
        Everything else works without it; the table has the same bars. Load the page again to try once more.
      </Empty>
    )
  return (
    <div className="chart-frame">
      <div ref={element} className="chart-canvas" aria-hidden="true" data-testid="chart" />
      {canvas === null ? (
        <div className="chart-wait">
          <Loading what="the chart" lines={6} />
        </div>
      ) : null}
    </div>
  )
}

/** The newest bar in a sentence; not announced by itself, or it would speak with every tick. */
const LastBar = ({ market, bar, interval }: { market: Market; bar: Candle; interval: CandleInterval }) => {
  const price = (text: string): string => formatPrice(text, market.tickSize)
  const length = intervals.find(({ value }) => value === interval)?.words ?? interval
  return (
    <p className="soft small" data-testid="last-bar">
      Last bar of {length}, from {formatDateTime(bar.openTime)}: open <span className="number">{price(bar.open)}</span>,
      high <span className="number">{price(bar.high)}</span>, low <span className="number">{price(bar.low)}</span>, now{' '}
      <span className="number">{price(bar.close)}</span>.
    </p>
  )
}

const TABLE_BARS = 30

const BarTable = ({ market, bars }: { readonly market: Market; readonly bars: readonly Candle[] }) => {
  const price = (text: string): string => formatPrice(text, market.tickSize)
  return (
    <Table
      caption={`The newest ${TABLE_BARS} bars of ${nameOf(market.symbol)}, newest first`}
      keyOf={(bar) => bar.openTime}
      rows={bars.slice(-TABLE_BARS).reverse()}
      columns={[
        { name: 'From', cell: (bar) => formatDateTime(bar.openTime) },
        { name: 'Open', numeric: true, cell: (bar) => price(bar.open) },
        { name: 'High', numeric: true, cell: (bar) => price(bar.high) },
        { name: 'Low', numeric: true, cell: (bar) => price(bar.low) },
        { name: 'Close', numeric: true, cell: (bar) => price(bar.close) },
      ]}
    />
  )
}

interface IntervalProps {
  readonly interval: CandleInterval
  readonly onInterval: (interval: CandleInterval) => void
  readonly asTable: boolean
  readonly onAsTable: (asTable: boolean) => void
}

const Controls = ({ interval, onInterval, asTable, onAsTable }: IntervalProps) => (
  <div className="row chart-controls">
    <div className="segments" role="group" aria-label="Length of a bar">
      {intervals.map(({ value, label, words }) => (
        <button
          key={value}
          type="button"
          className="segment"
          aria-pressed={value === interval}
          aria-label={`${label}: ${words}`}
          onClick={() => onInterval(value)}
        >
          {label}
        </button>
      ))}
    </div>
    <Button small aria-pressed={asTable} onClick={() => onAsTable(!asTable)} data-testid="chart-table">
      {asTable ? 'As a chart' : 'As a table'}
    </Button>
  </div>
)

interface BarsProps {
  readonly state: Loaded<readonly Candle[]>
  readonly children: (bars: readonly Candle[]) => ReactNode
}

/** Bars once there are any. Older ones stay while newer are read, and when that fails. */
const Bars = ({ state, children }: BarsProps) => {
  const desk = useDesk()
  if (state.value !== null && state.value.length > 0) return children(state.value)
  if (state.status === 'loading') return <Loading what="the bars" lines={8} />
  if (state.failure !== null) {
    const { title, remedy } = refusalWords(state.failure.code, state.failure)
    return (
      <Banner
        tone="warn"
        title={`No bars: ${title.toLowerCase()}`}
        action={<Button onClick={desk.refresh}>Try again</Button>}
      >
        The bars could not be read. {remedy}
      </Banner>
    )
  }
  return (
    <Empty title="No bars yet">This market has had no price since the server started. Bars begin with the first.</Empty>
  )
}

interface PanelProps {
  readonly market: Market
  readonly interval: CandleInterval
  readonly onInterval: (interval: CandleInterval) => void
  readonly lines: readonly ChartLine[]
  readonly heading: ReactNode
}

/** Bars of a market: a chart with the trader's prices across it, the newest bar in words, a table for whoever prefers one. */
export const ChartPanel = memo(({ market, interval, onInterval, lines, heading }: PanelProps) => {
  const bars = useCandles(market.symbol, interval)
  const [asTable, setAsTable] = useState(false)
  const last = bars.value?.at(-1)
  return (
    <Panel
      title={heading}
      area="chart"
      aside={<Controls interval={interval} onInterval={onInterval} asTable={asTable} onAsTable={setAsTable} />}
    >
      <Bars state={bars}>
        {(value) =>
          asTable ? (
            <BarTable market={market} bars={value} />
          ) : (
            <Canvas key={`${market.symbol} ${interval}`} market={market} bars={value} lines={lines} />
          )
        }
      </Bars>
      {last === undefined ? null : <LastBar market={market} bar={last} interval={interval} />}
    </Panel>
  )
})
ChartPanel.displayName = 'ChartPanel'
