import { describe, expect, test } from '@jest/globals'
import {
  allOf,
  atLeast,
  atMost,
  everyRunBelow,
  fasterThan,
  median,
  medianRatio,
  ratioAtLeast,
  ratioAtMost,
} from '../src/goals.ts'
import { renderReport } from '../src/report/document.ts'
import { formatFigure } from '../src/report/format.ts'
import type { RowDefinition, Sample } from '../src/row.ts'

const samples = (...values: number[]): Sample[] => values.map((value) => ({ value, peers: {} }))
const beside = (...pairs: [number, number][]): Sample[] => pairs.map(([value, peer]) => ({ value, peers: { peer } }))

describe('goals', () => {
  test('judge the median of the runs', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5])
    expect(atMost(10, 'ns').met(samples(9, 11, 10))).toBe(true)
    expect(atMost(10, 'ns').met(samples(9, 11, 11))).toBe(false)
    expect(atLeast(10, 'ops/s').met(samples(9, 10, 30))).toBe(true)
    expect(atLeast(10, 'ops/s').met(samples(9, 9, 30))).toBe(false)
  })

  test('a ratio is taken within each run, so that a slow run of both does not count', () => {
    const runs = beside([100, 50], [10, 5], [1000, 900])
    expect(medianRatio(runs, 'peer')).toBe(2)
    expect(ratioAtLeast('peer', 2).met(runs)).toBe(true)
    expect(ratioAtLeast('peer', 2.1).met(runs)).toBe(false)
    expect(ratioAtMost('peer', 2).met(runs)).toBe(true)
    expect(ratioAtMost('peer', 1.9).met(runs)).toBe(false)
    expect(fasterThan('peer', 5).met(beside([10, 50]))).toBe(true)
    expect(fasterThan('peer', 5.1).met(beside([10, 50]))).toBe(false)
  })

  test('a peer that was not measured does not decide, one slow run does where every run is promised', () => {
    expect(allOf(ratioAtLeast('absent', 9), atLeast(1, 'ops/s')).met(samples(2))).toBe(true)
    expect(allOf(ratioAtLeast('absent', 9), atLeast(3, 'ops/s')).met(samples(2))).toBe(false)
    expect(everyRunBelow(10, 'ms').met(samples(1, 1, 10))).toBe(false)
    expect(everyRunBelow(10, 'ms').met(samples(1, 1, 9.9))).toBe(true)
  })
})

describe('the report', () => {
  const row: RowDefinition = { name: 'a/b', what: 'w', unit: 'ns', kind: 'core', goal: atMost(1, 'ns') }
  const render = (former: string, machine: string): string =>
    renderReport({
      former,
      rows: [row],
      results: [{ row, samples: samples(1), reason: null }],
      machine,
      date: '2026-01-02',
    })

  test('figures are short and thousands apart', () => {
    expect([0.01234, 1.236, 12.36, 123.6, 1_234_567.8].map(formatFigure)).toEqual([
      '0.0123',
      '1.24',
      '12.4',
      '124',
      '1,234,568',
    ])
  })

  test('a kept row names the machine it was measured on, and a machine of no row is forgotten', () => {
    const other: RowDefinition = { ...row, name: 'c/d' }
    const both = renderReport({
      former: render('', 'old machine'),
      rows: [row, other],
      results: [{ row: other, samples: samples(2), reason: null }],
      machine: 'new machine',
      date: '2026-01-03',
    })
    expect(both).toContain('1. new machine\n2. old machine\n')
    expect(both).toContain('| `a/b` | 1 ns | 1 – 1 | ≤ 1 ns | yes |  | 1 | 2026-01-02, machine 2 |')
    expect(both).toContain('| `c/d` | 2 ns | 2 – 2 | ≤ 1 ns | **no** |  | 1 | 2026-01-03, machine 1 |')
    expect(render(both, 'new machine')).not.toContain('old machine')
  })

  test('writing the same results twice changes nothing', () => {
    const once = render('', 'machine')
    expect(render(once, 'machine')).toBe(once)
  })
})
