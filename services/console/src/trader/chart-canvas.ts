/** The chart's canvas over lightweight-charts; loaded when there is a chart to draw. Floats here are places on the screen. */
import {
  CandlestickSeries,
  createChart,
  CrosshairMode,
  LineStyle,
  type IPriceLine,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts'
import { decimalsOfStep, parseAmount } from '@bourse/common/money/amount.ts'
import type { Candle } from '@bourse/client/shapes.ts'
import { formatPrice } from '../format/decimal.ts'
import { barsChange, drawnBar, placeOf } from './bars.ts'
import type { ChartLine } from './chart-lines.ts'

/** Colours of a chart, from the page's own tokens. */
interface Colours {
  readonly text: string
  readonly line: string
  readonly up: string
  readonly down: string
  readonly accent: string
  readonly warn: string
}

const coloursOf = (element: HTMLElement): Colours => {
  const style = getComputedStyle(element)
  const token = (name: string): string => style.getPropertyValue(name).trim()
  return {
    text: token('--text-soft'),
    line: token('--line'),
    up: token('--up'),
    down: token('--down'),
    accent: token('--accent'),
    warn: token('--warn'),
  }
}

const clockOf = (seconds: number, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(undefined, options).format(seconds * 1_000)

const tickWords = (time: Time, kind: number): string => {
  const seconds = Number(time)
  // Kinds of the library: 0 year, 1 month, 2 day, 3 time, 4 time with seconds.
  if (kind === 0) return clockOf(seconds, { year: 'numeric' })
  if (kind === 1) return clockOf(seconds, { month: 'short' })
  if (kind === 2) return clockOf(seconds, { day: 'numeric', month: 'short' })
  return clockOf(seconds, { hour: '2-digit', minute: '2-digit' })
}

/** A chart in an element. */
export interface ChartCanvas {
  /** Brings the bars to these: only what changed is drawn. */
  setBars(bars: readonly Candle[]): void
  setLines(lines: readonly ChartLine[]): void
  setTick(tickSize: string): void
  /** The page's colours changed. */
  recolour(): void
  /** Shows the newest bars again. */
  toNow(): void
  remove(): void
}

const layoutOf = ({ text, line }: Colours) => ({
  layout: { background: { color: 'transparent' }, textColor: text, attributionLogo: false },
  grid: { vertLines: { color: line }, horzLines: { color: line } },
  rightPriceScale: { borderColor: line },
  timeScale: { borderColor: line },
})

const seriesColours = ({ up, down }: Colours) => ({
  upColor: up,
  borderUpColor: up,
  wickUpColor: up,
  downColor: down,
  borderDownColor: down,
  wickDownColor: down,
})

/** Draws into an element, whose size it follows. */
export const createChartCanvas = (element: HTMLElement): ChartCanvas => {
  let colours = coloursOf(element)
  const chart = createChart(element, {
    autoSize: true,
    ...layoutOf(colours),
    crosshair: { mode: CrosshairMode.Normal },
    localization: {
      timeFormatter: (time: Time) => clockOf(Number(time), { dateStyle: 'medium', timeStyle: 'short' }),
    },
    timeScale: {
      borderColor: colours.line,
      timeVisible: true,
      secondsVisible: false,
      rightOffset: 4,
      barSpacing: 8,
      tickMarkFormatter: tickWords,
    },
    // A finger that goes up or down moves the page, not the chart.
    handleScroll: { vertTouchDrag: false },
  })
  const series = chart.addSeries(CandlestickSeries, { ...seriesColours(colours), borderVisible: true })
  let drawn: readonly Candle[] = []
  let lines: readonly ChartLine[] = []
  let shown: IPriceLine[] = []

  const colourOf = (kind: ChartLine['kind']): string =>
    ({ entry: colours.accent, liquidation: colours.down, stop: colours.warn, target: colours.up })[kind]

  const drawLines = (): void => {
    for (const line of shown) series.removePriceLine(line)
    shown = lines.map((line) =>
      series.createPriceLine({
        price: placeOf(line.price),
        title: line.title,
        color: colourOf(line.kind),
        lineWidth: line.planned ? 1 : 2,
        lineStyle: line.planned ? LineStyle.Dashed : line.kind === 'entry' ? LineStyle.Solid : LineStyle.LargeDashed,
        axisLabelVisible: true,
      }),
    )
  }
  const barOf = (candle: Candle) => {
    const bar = drawnBar(candle)
    return { ...bar, time: bar.time as UTCTimestamp }
  }

  return {
    setBars: (bars) => {
      const change = barsChange(drawn, bars)
      const isFirst = drawn.length === 0
      drawn = bars
      if (change.kind === 'all') {
        series.setData(bars.map(barOf))
        if (isFirst) chart.timeScale().scrollToRealTime()
      } else if (change.kind === 'tail') for (const bar of change.bars) series.update(barOf(bar))
    },
    setLines: (next) => {
      lines = next
      drawLines()
    },
    setTick: (tickSize) => {
      const tick = parseAmount(tickSize)
      series.applyOptions({
        priceFormat: {
          type: 'custom',
          minMove: placeOf(tickSize),
          // What stands on the axis is a place on the screen: a price to read exactly stands beside the chart.
          formatter: (place: number) => formatPrice(place.toFixed(decimalsOfStep(tick)), tickSize),
        },
      })
    },
    recolour: () => {
      colours = coloursOf(element)
      chart.applyOptions(layoutOf(colours))
      series.applyOptions(seriesColours(colours))
      drawLines()
    },
    toNow: () => chart.timeScale().scrollToRealTime(),
    remove: () => chart.remove(),
  }
}
