import { describe, expect, test } from '@jest/globals'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { ask, askAll, filled, valuesOf, type Verdict } from '../../src/queries/ask.ts'
import { queriesOfDashboard, queriesOfRules, type AskedQuery, type DashboardJson } from '../../src/queries/collect.ts'
import { judge } from '../../src/queries/run.ts'
import { SILENT, silentEntry } from '../../src/queries/silent.ts'
import { DASHBOARDS } from '../../src/dashboards/dashboards.ts'
import { renderRules } from '../../src/rules/rules.ts'

const panel = (expr: string): AskedQuery => ({ kind: 'panel', where: 'x / y / A', expr })
const answering = (answers: Readonly<Record<string, readonly number[]>>) => ({
  query: (expr: string) =>
    expr in answers
      ? Promise.resolve(answers[expr]!.map((value) => ({ metric: {}, value })))
      : Promise.reject(new Error(`refused ${expr}`)),
})

const DASHBOARD: DashboardJson = {
  templating: {
    list: [
      { name: 'datasource', type: 'datasource', query: 'prometheus' },
      { name: 'namespace', type: 'query', query: { query: 'label_values(info, namespace)' } },
      { name: 'pair', type: 'query', query: { query: 'label_values(live{namespace="$namespace"}, symbol)' } },
      { name: 'runbooks', type: 'constant', query: 'docs/runbooks' },
    ],
  },
  panels: [
    { type: 'row', title: 'Row' },
    {
      type: 'timeseries',
      title: 'P',
      targets: [{ refId: 'A', expr: 'rate(x{n="$namespace",s=~"$pair"}[$__rate_interval])' }],
    },
  ],
}

describe('asking', () => {
  test('a number is data; nothing, or not-a-number everywhere, is not; a refusal is an error', async () => {
    const prometheus = answering({ one: [Number.NaN, 0], none: [], nan: [Number.NaN] })
    expect((await ask(panel('one'), prometheus)).end).toBe('data')
    expect((await ask(panel('none'), prometheus)).end).toBe('empty')
    expect((await ask(panel('nan'), prometheus)).end).toBe('empty')
    expect(await ask(panel('other'), prometheus)).toMatchObject({ end: 'error', reason: 'refused other' })
  })

  test('an alert may be empty and may not be refused', async () => {
    const prometheus = answering({ none: [] })
    expect((await ask({ ...panel('none'), kind: 'alert' }, prometheus)).end).toBe('data')
    expect((await ask({ ...panel('bad'), kind: 'alert' }, prometheus)).end).toBe('error')
  })

  test('variables are filled in as Grafana does: all values there are', async () => {
    const prometheus = {
      query: (expr: string) => {
        expect(expr).toBe('count by (symbol) (live{namespace="n1"})')
        return Promise.resolve(['A_B', 'C.D'].map((symbol) => ({ metric: { symbol }, value: 1 })))
      },
    }
    const values = await valuesOf(DASHBOARD, prometheus, { namespace: 'n1', rateInterval: '30s' })
    const asked = queriesOfDashboard({ uid: 'bourse-node', file: 'f', json: DASHBOARD }).map((query) =>
      filled(query, values),
    )
    expect(asked.map(({ kind, where, expr }) => [kind, where, expr])).toEqual([
      ['choice', 'bourse-node / $namespace', 'count by (namespace) (info)'],
      ['choice', 'bourse-node / $pair', 'count by (symbol) (live{namespace="n1"})'],
      ['panel', 'bourse-node / P / A', 'rate(x{n="n1",s=~"A_B|C\\\\.D"}[30s])'],
    ])
  })

  test('what gives nothing is asked again until it does or the time is over', async () => {
    const clock = createManualClock(0)
    let calls = 0
    const prometheus = {
      query: (expr: string) => Promise.resolve(expr === 'late' && ++calls > 3 ? [{ metric: {}, value: 1 }] : []),
    }
    const queries = ['late', 'never'].map((expr) => ({ ...panel(expr), where: expr }))
    const running = askAll(() => Promise.resolve(queries), { prometheus, clock, withinMs: 10_000 })
    await clock.advance(20_000)
    expect((await running).map(({ query, end }) => [query.where, end])).toEqual([
      ['late', 'data'],
      ['never', 'empty'],
    ])
  })
})

describe('queries of rules', () => {
  const rules = (text: string): readonly AskedQuery[] => queriesOfRules(`groups: [{ name: g, rules: [${text}] }]`)

  test('a recording rule is asked for its expression and for what it wrote', () => {
    expect(rules('{ record: "a:b", expr: "sum(x)" }').map(({ kind, expr }) => [kind, expr])).toEqual([
      ['record', 'sum(x)'],
      ['recorded', 'a:b'],
    ])
  })

  test('an alert is asked as it is, and for each series that it looks at, once', () => {
    expect(rules('{ alert: A, expr: "x > 1 and x < 3 or y == 0" }').map(({ kind, expr }) => [kind, expr])).toEqual([
      ['alert', 'x > 1 and x < 3 or y == 0'],
      ['series', 'count(x)'],
      ['series', 'count(y)'],
    ])
  })

  test('the list of the silent names a query by its kind and place', () => {
    const entry = { kind: 'series', where: 'A', reason: 'r', hasDataInOneProcess: false } as const
    expect(silentEntry({ kind: 'series', where: 'A', expr: 'count(x)' }, [entry])).toBe(entry)
    expect(silentEntry({ kind: 'panel', where: 'A', expr: 'x' }, [entry])).toBeUndefined()
    expect(silentEntry({ kind: 'series', where: 'B', expr: 'x' }, [entry])).toBeUndefined()
  })
})

describe('the verdict on all queries', () => {
  const [silent] = SILENT
  const verdict = (query: Pick<AskedQuery, 'kind' | 'where'>, end: Verdict['end']): Verdict => ({
    query: { ...query, expr: 'x' },
    end,
    reason: end === 'error' ? 'why' : null,
  })

  test('data is counted; an error, and nothing without a reason, are faults', () => {
    const { withData, faults } = judge([
      verdict({ kind: 'panel', where: 'a' }, 'data'),
      verdict({ kind: 'panel', where: 'b' }, 'empty'),
      verdict({ kind: 'alert', where: 'c' }, 'error'),
    ])
    expect(withData).toBe(1)
    expect(faults).toEqual(['no data: panel b: x', 'refused: alert c: x: why'])
  })

  test('a query on the list of the silent may be empty, and must be', () => {
    expect(judge([verdict(silent!, 'empty')]).faults).toEqual([])
    expect(judge([verdict(silent!, 'data')]).faults).toEqual([
      `has data, though it is on the list of the silent: ${silent!.kind} ${silent!.where}: x`,
    ])
  })

  test('every entry of the list is a query that is asked', () => {
    const rules = queriesOfRules(renderRules({ selector: 'namespace="x"' }))
    const asked = [...DASHBOARDS.flatMap(queriesOfDashboard), ...rules]
    const gone = SILENT.filter(
      ({ kind, where }) => !asked.some((query) => query.kind === kind && query.where === where),
    )
    expect(gone).toEqual([])
  })
})
