import { describe, expect, test } from '@jest/globals'
import {
  amount,
  increase,
  labelValues,
  max,
  mean,
  money,
  observed,
  quantile,
  rate,
  select,
  sum,
} from '../../src/dashboards/promql.ts'

describe('expressions of dashboards', () => {
  test('a selector asks for the namespace first, then for labels', () => {
    expect(select('bourse_partition_serving')).toBe('bourse_partition_serving{namespace="$namespace"}')
    expect(select('bourse_partition_serving', { partition: '=~$partition', pod: '!=a' })).toBe(
      'bourse_partition_serving{namespace="$namespace", partition=~"$partition", pod!="a"}',
    )
  })

  test('rates, rises and sums', () => {
    expect(rate('bourse_orders_total', { outcome: 'failed' })).toBe(
      'rate(bourse_orders_total{namespace="$namespace", outcome="failed"}[$__rate_interval])',
    )
    expect(increase('bourse_orders_total', {}, '1h')).toBe('increase(bourse_orders_total{namespace="$namespace"}[1h])')
    expect(sum(['operation', 'pod'], 'x')).toBe('sum by (operation, pod) (x)')
    expect(max([], 'x')).toBe('max(x)')
    expect(money('x')).toBe('x / 1e8')
  })

  test('histograms are asked for their buckets, counts and sums', () => {
    const rateOf = (part: string): string =>
      `rate(nodejs_gc_duration_seconds_${part}{namespace="$namespace"}[$__rate_interval])`
    expect(quantile(0.99, 'nodejs_gc_duration_seconds', ['kind'])).toBe(
      `histogram_quantile(0.99, sum by (le, kind) (${rateOf('bucket')}))`,
    )
    expect(observed('nodejs_gc_duration_seconds')).toBe(rateOf('count'))
    expect(amount('nodejs_gc_duration_seconds')).toBe(rateOf('sum'))
    expect(mean('nodejs_gc_duration_seconds', ['pod'])).toBe(
      `sum by (pod) (${rateOf('sum')}) / sum by (pod) (${rateOf('count')})`,
    )
  })

  test('the values of a label', () => {
    expect(labelValues('bourse_market_feed_live', 'symbol')).toBe(
      'label_values(bourse_market_feed_live{namespace="$namespace"}, symbol)',
    )
  })

  test('a name that nobody shows, a label that a series has not, and a rate of a gauge do not compile', () => {
    // @ts-expect-error: no such series
    expect(select('bourse_partition_servin')).toContain('servin')
    // @ts-expect-error: no such label
    expect(select('bourse_partition_serving', { symbol: 'x' })).toContain('symbol')
    // @ts-expect-error: a gauge
    expect(rate('bourse_partition_serving')).toContain('rate')
    // @ts-expect-error: a histogram has no value of its own
    expect(select('bourse_order_duration_seconds')).toContain('order')
  })
})
