import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import { CATALOGUE, type LabelOf, type SeriesName, type SeriesOfType } from './catalogue/catalogue.ts'
import type { SeriesDefinition } from './catalogue/definition.ts'
import { createHistogram, type Observed } from './histogram.ts'

/** Seconds at which latency histograms have their bounds: from an in-memory read to the 15 s wait of a bank trade. */
export const LATENCY_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30,
] as const

/** What a label shows once its series had as many values as its bound allows. */
export const CLAMPED = 'other'

/** Values of a series' labels. */
export type Labels<Name extends SeriesName> = Readonly<Record<LabelOf<Name>, string>>

/** A number that only rises. */
export interface CounterSeries<Name extends SeriesName> {
  /** Default: 1. */
  inc(labels: Labels<Name>, value?: number): void
}
/** A number that comes and goes. */
export interface GaugeSeries<Name extends SeriesName> {
  set(labels: Labels<Name>, value: number): void
  inc(labels: Labels<Name>, value?: number): void
  /** The series with these labels is not shown any more. */
  remove(labels: Labels<Name>): void
}
/** Observations in buckets. */
export interface HistogramSeries<Name extends SeriesName> {
  observe(labels: Labels<Name>, value: number): void
  /** These labels for whoever observes often: nothing is looked up any more. */
  with(labels: Labels<Name>): Observed
}

/** One registry of a process. It shows what the catalogue names; asking twice for a series gives the same one. */
export interface Metrics {
  counter<Name extends SeriesOfType<'counter'>>(name: Name): CounterSeries<Name>
  gauge<Name extends SeriesOfType<'gauge'>>(name: Name): GaugeSeries<Name>
  histogram<Name extends SeriesOfType<'histogram'>>(name: Name): HistogramSeries<Name>
  /** A gauge without labels that is read when the series are, and costs nothing between. */
  sampled(name: SeriesOfType<'gauge'>, read: () => number): void
  /** Everything in the text format of Prometheus. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>
}

type Values = Readonly<Record<string, string>>

/** Keeps each label within its bound: what comes after the last allowed value is `other`. */
const createClamp = ({ labels }: SeriesDefinition, onClamped: () => void): ((values: Values) => Values) => {
  const bounds = Object.entries(labels)
  const known = new Map(bounds.map(([label]) => [label, new Set<string>()]))
  return (values) => {
    let clamped: Record<string, string> | null = null
    for (const [label, bound] of bounds) {
      const seen = known.get(label)!
      const value = values[label] ?? ''
      if (seen.has(value)) continue
      if (seen.size < bound) seen.add(value)
      else (clamped ??= { ...values })[label] = CLAMPED
    }
    if (clamped !== null) onClamped()
    return clamped ?? values
  }
}

/** A registry with the process's own metrics (memory, event loop, garbage collection) already in it. */
export const createMetrics = (): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const made = new Map<string, unknown>()

  const configurationOf = (name: SeriesName) => {
    const { help, labels } = CATALOGUE[name]
    return { name, help, labelNames: Object.keys(labels), registers }
  }
  let clamped: Counter | null = null
  const clampOf = (name: SeriesName) =>
    createClamp(CATALOGUE[name], () => {
      clamped ??= new Counter(configurationOf('bourse_series_clamped_total'))
      clamped.inc({ series: name })
    })
  const once = <Series>(name: SeriesName, make: () => Series): Series => {
    const known = made.get(name)
    if (known !== undefined) return known as Series
    const series = make()
    made.set(name, series)
    return series
  }

  return {
    counter: (name) =>
      once(name, () => {
        const [series, clamp] = [new Counter(configurationOf(name)), clampOf(name)]
        return { inc: (labels, value = 1) => series.inc(clamp(labels), value) }
      }),
    gauge: (name) =>
      once(name, () => {
        const [series, clamp] = [new Gauge(configurationOf(name)), clampOf(name)]
        return {
          set: (labels, value) => series.set(clamp(labels), value),
          inc: (labels, value = 1) => series.inc(clamp(labels), value),
          remove: (labels) => series.remove(clamp(labels)),
        }
      }),
    histogram: (name) =>
      once(name, () => {
        const { buckets = LATENCY_BUCKETS_SECONDS, help }: SeriesDefinition = CATALOGUE[name]
        const series = createHistogram({ name, help, bounds: buckets, registry })
        const clamp = clampOf(name)
        const withLabels = (labels: Values): Observed => series(clamp(labels))
        return { with: withLabels, observe: (labels, value) => withLabels(labels).observe(value) }
      }),
    sampled: (name, read) =>
      void new Gauge({
        ...configurationOf(name),
        collect() {
          this.set(read())
        },
      }),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}
