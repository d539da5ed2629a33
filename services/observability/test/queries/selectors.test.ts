import { describe, expect, test } from '@jest/globals'
import { selectorsOf } from '../../src/queries/selectors.ts'

const texts = (expr: string): readonly string[] => selectorsOf(expr).map(({ text }) => text)

describe('selectors of an expression', () => {
  test('functions, aggregations, labels, ranges and offsets are none', () => {
    expect(texts('sum by (le, pod) (rate(a_bucket{x="1"}[5m] offset 1h)) / ignoring(pod) group_left (node) b')).toEqual(
      ['a_bucket{x="1"}', 'b'],
    )
    expect(texts('max by (a) (x) > bool 3e5 and on (namespace) min without (b) (y) unless z == 0x1F')).toEqual([
      'x',
      'y',
      'z',
    ])
  })

  test('a sum before its labels or after them is no series', () => {
    expect(texts('sum(x) by (a)')).toEqual(['x'])
    expect(texts('histogram_quantile(0.99, sum by (le) (rate(y_bucket[30s])))')).toEqual(['y_bucket'])
  })

  test('brackets within texts close nothing', () => {
    expect(texts('a{x="}{[(", y=~"b|c"} or absent(d{z="\\""})')).toEqual(['a{x="}{[(", y=~"b|c"}', 'd{z="\\""}'])
  })

  test('a subquery and a recorded name with colons', () => {
    expect(texts('max_over_time((order_latency:burnrate5m{n="1"})[1h:1m]) + job:x')).toEqual([
      'order_latency:burnrate5m{n="1"}',
      'job:x',
    ])
  })

  test('a selector without a name', () => {
    expect(selectorsOf('count({__name__=~"a.+"})')).toEqual([{ name: null, text: '{__name__=~"a.+"}' }])
  })

  test('what is not closed is an error', () => {
    expect(() => selectorsOf('a{x="1"')).toThrow('} is missing')
    expect(() => selectorsOf('rate(a[5m)')).toThrow('] is missing')
  })
})
