import { readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { CATALOGUE, type SeriesName } from '@bourse/common/telemetry/catalogue/catalogue.ts'
import { LABEL_BOUNDS, type SeriesDefinition } from '@bourse/common/telemetry/catalogue/definition.ts'
import { generate } from '@bourse/common/telemetry/catalogue/generate-page.ts'
import { CLAMPED, createMetrics, LATENCY_BUCKETS_SECONDS } from '@bourse/common/telemetry/metrics.ts'

const all = Object.entries(CATALOGUE) as [SeriesName, SeriesDefinition][]
const PAGE = new URL('../../../../docs/reference/metrics.md', import.meta.url)

describe('the catalogue', () => {
  test('is what the page of the reference says', async () => {
    expect(await readFile(PAGE, 'utf8')).toBe(generate())
  })

  test('names counters and histograms as Prometheus does: counters end in _total, units come last', () => {
    const foreign = (name: string): boolean => !name.startsWith('bourse_')
    const counters = all.filter(([, { type }]) => type === 'counter')
    expect(counters.filter(([name]) => !name.endsWith('_total'))).toEqual([])
    expect(all.filter(([name, { type }]) => type !== 'counter' && name.endsWith('_total'))).toEqual([])
    const unitless = all.filter(([name, { unit }]) => {
      const words = name.replace(/_total$/, '')
      return !foreign(name) && unit !== 'none' && unit !== 'records' && !words.endsWith(`_${unit}`)
    })
    expect(unitless).toEqual([])
  })

  test('bounds every label, and the buckets of a histogram rise', () => {
    const unbounded = all.filter(([, { labels }]) =>
      Object.values(labels).some((bound) => !(bound > 0 && bound <= 1_024)),
    )
    expect(unbounded).toEqual([])
    const falling = all.filter(([, { type, buckets = LATENCY_BUCKETS_SECONDS }]) => {
      return type === 'histogram' && buckets.some((bound, index) => index > 0 && bound <= buckets[index - 1]!)
    })
    expect(falling).toEqual([])
    expect(all.filter(([, { help }]) => help.length < 10 || !help.endsWith('.'))).toEqual([])
  })
})

describe('labels', () => {
  test('beyond their bound are shown as one, and that is counted; known values go on under their own name', async () => {
    const metrics = createMetrics()
    const quotes = metrics.counter('bourse_market_quotes_total')
    const count = LABEL_BOUNDS.symbol + 3
    for (let index = 0; index < count; index++) quotes.inc({ symbol: `S${index}` })
    quotes.inc({ symbol: 'S0' }, 4)
    const { text } = await metrics.expose()
    const lines = text.split('\n').filter((line) => line.startsWith('bourse_market_quotes_total{'))
    expect(lines).toHaveLength(LABEL_BOUNDS.symbol + 1)
    expect(lines).toContain(`bourse_market_quotes_total{symbol="${CLAMPED}"} 3`)
    expect(lines).toContain('bourse_market_quotes_total{symbol="S0"} 5')
    expect(text).toContain('bourse_series_clamped_total{series="bourse_market_quotes_total"} 3')
  })

  test('of gauges and histograms are bounded too', async () => {
    const metrics = createMetrics()
    const live = metrics.gauge('bourse_market_feed_live')
    const sizes = metrics.histogram('bourse_partition_batch_commands')
    for (let index = 0; index <= LABEL_BOUNDS.symbol; index++) live.set({ symbol: `S${index}` }, 1)
    for (let index = 0; index <= LABEL_BOUNDS.partition; index++) sizes.observe({ partition: `ledger/${index}` }, 1)
    const { text } = await metrics.expose()
    expect(text).toContain(`bourse_market_feed_live{symbol="${CLAMPED}"} 1`)
    expect(text).not.toContain(`symbol="S${LABEL_BOUNDS.symbol}"`)
    expect(text).toContain(`bourse_partition_batch_commands_count{partition="${CLAMPED}"} 1`)
  })
})

describe('a histogram', () => {
  test('adds up its buckets as Prometheus wants them, a value on a bound below it', async () => {
    const metrics = createMetrics()
    const durations = metrics.histogram('bourse_order_duration_seconds')
    const opens = durations.with({ operation: 'open' })
    for (const seconds of [0.05, 0.050001, 0.0002, 31]) opens.observe(seconds)
    durations.observe({ operation: 'open' }, 0.01)
    const { text } = await metrics.expose()
    expect(text).toContain('# TYPE bourse_order_duration_seconds histogram')
    const at = (le: string): string => `bourse_order_duration_seconds_bucket{le="${le}",operation="open"}`
    for (const [le, count] of Object.entries({ '0.001': 1, '0.01': 2, '0.05': 3, '0.1': 4, '30': 4, '+Inf': 5 }))
      expect(text).toContain(`${at(le)} ${count}\n`)
    expect(text).toContain('bourse_order_duration_seconds_count{operation="open"} 5')
    expect(text).toMatch(/bourse_order_duration_seconds_sum\{operation="open"\} 31\.110201/)
  })
})
