import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { CATALOGUE } from '@bourse/common/telemetry/catalogue/catalogue.ts'
import { DASHBOARDS } from '../../src/dashboards/dashboards.ts'
import { MONITOR_SERIES, NODE_SERIES, RABBITMQ_SERIES } from '../../src/dashboards/series.ts'
import { DASHBOARD_UIDS, UNITS } from '../../src/dashboards/specification.ts'
import { OBJECTIVES, BURN_WINDOWS, budgetRemainingSeries, burnRateSeries } from '../../src/objectives/objectives.ts'
import { selectorsOf } from '../../src/queries/selectors.ts'
import { ALERTS } from '../../src/rules/rules.ts'

interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}
interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: Place
  readonly datasource?: unknown
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly links?: readonly { readonly title: string; readonly url: string }[]
  readonly targets?: readonly {
    readonly refId: string
    readonly expr: string
    readonly datasource: unknown
    readonly legendFormat: string
  }[]
}
interface Variable {
  readonly name: string
  readonly type: string
  readonly query?: unknown
  readonly datasource?: unknown
}
interface Json {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
  readonly annotations: { readonly list: readonly { readonly expr?: string; readonly datasource: unknown }[] }
}

const DATA_SOURCE = { type: 'prometheus', uid: '$datasource' }
const root = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url))
const all = DASHBOARDS.map(({ uid, file, json }) => ({ uid, file, json: json as Json }))
const panelsOf = ({ panels }: Json): readonly Panel[] => panels.filter(({ type }) => type !== 'row')
const everyPanel = all.flatMap(({ uid, json }) => panelsOf(json).map((panel) => ({ uid, panel })))
const everyTarget = everyPanel.flatMap(({ uid, panel }) =>
  panel.targets!.map((target) => ({ where: `${uid} / ${panel.title} / ${target.refId}`, target })),
)

const foreign = { ...NODE_SERIES, ...RABBITMQ_SERIES, ...MONITOR_SERIES }
const recorded = OBJECTIVES.flatMap((objective) => [
  budgetRemainingSeries(objective),
  ...BURN_WINDOWS.flatMap(({ short, long }) => [burnRateSeries(objective, short), burnRateSeries(objective, long)]),
])
const namesOf = (series: Readonly<Record<string, { readonly type: string }>>): readonly string[] =>
  Object.entries(series).flatMap(([name, { type }]) =>
    type === 'histogram' ? ['bucket', 'count', 'sum'].map((part) => `${name}_${part}`) : [name],
  )
const known = new Set([...namesOf(CATALOGUE), ...namesOf(foreign), ...recorded])

const overlaps = (one: Place, other: Place): boolean =>
  one.x < other.x + other.w && other.x < one.x + one.w && one.y < other.y + other.h && other.y < one.y + one.h

describe('dashboards', () => {
  test('there is one for each uid that alerts and links name', () => {
    expect(all.map(({ uid }) => uid)).toEqual([...DASHBOARD_UIDS])
    expect(all.map(({ json }) => json.uid)).toEqual([...DASHBOARD_UIDS])
    for (const { json } of all) expect(json.schemaVersion).toBeGreaterThanOrEqual(36)
  })

  test.each(all)('$uid: the file of the chart is what the code makes', ({ file, json }) => {
    expect(JSON.parse(readFileSync(root(file), 'utf8'))).toEqual(JSON.parse(JSON.stringify(json)))
  })

  test.each(all)('$uid: panels have ids and titles of their own and lie beside each other', ({ json }) => {
    const { panels } = json
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const titles = panelsOf(json).map(({ title }) => title)
    expect(new Set(titles).size).toBe(titles.length)
    for (const [index, { title, gridPos }] of panels.entries()) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      const over = panels.slice(index + 1).filter((other) => overlaps(gridPos, other.gridPos))
      expect({ title, over: over.map((other) => other.title) }).toEqual({ title, over: [] })
    }
  })

  test('every panel says what good looks like and what to do, in a unit', () => {
    for (const { uid, panel } of everyPanel) {
      const told = /^\S[^]+\*\*Good:\*\* \S[^]+\*\*If not:\*\* \S[^]+$/.test(panel.description ?? '')
      const unit = Object.values<string>(UNITS).includes(panel.fieldConfig?.defaults.unit ?? '')
      expect({ uid, title: panel.title, told, unit }).toEqual({ uid, title: panel.title, told: true, unit: true })
    }
  })

  test('no data source is named but by the variable', () => {
    for (const { panel } of everyPanel) expect(panel.datasource).toEqual(DATA_SOURCE)
    for (const { target } of everyTarget) expect(target.datasource).toEqual(DATA_SOURCE)
    for (const { json } of all) {
      for (const { datasource } of json.annotations.list) expect(datasource).toEqual(DATA_SOURCE)
      const asking = json.templating.list.filter(({ type }) => type === 'query')
      for (const { datasource } of asking) expect(datasource).toEqual(DATA_SOURCE)
      expect(json.templating.list.slice(0, 2).map(({ name }) => name)).toEqual(['datasource', 'namespace'])
    }
  })

  test('every selector asks for the namespace, of a series that somebody shows', () => {
    for (const { where, target } of everyTarget) {
      const selectors = selectorsOf(target.expr)
      expect({ where, selectors: selectors.length > 0 }).toEqual({ where, selectors: true })
      for (const { name, text } of selectors) {
        const asks = /namespace=("\$namespace"|~"\$namespace\|")/.test(text)
        expect({ where, name, asks, known: known.has(name!) }).toEqual({ where, name, asks: true, known: true })
      }
    }
  })

  test('no query makes a number up where there is none', () => {
    for (const { where, target } of everyTarget)
      expect({ where, expr: target.expr }).toEqual({ where, expr: expect.not.stringMatching(/vector\(|absent/) })
  })

  test('a query uses only variables that its dashboard has', () => {
    for (const { json } of all) {
      const names = new Set([...json.templating.list.map(({ name }) => name), '__rate_interval'])
      const used = panelsOf(json).flatMap(({ targets }) =>
        targets!.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name!)),
      )
      expect(used.filter((name) => !names.has(name))).toEqual([])
      const choices = json.templating.list.filter(({ type, name }) => type === 'query' && name !== 'namespace')
      for (const { name } of choices) expect(used).toContain(name)
    }
  })

  test('every series of Node, RabbitMQ and Prometheus that is known here is shown', () => {
    const shown = new Set(everyTarget.flatMap(({ target }) => selectorsOf(target.expr).map(({ name }) => name)))
    const unused = Object.entries(foreign).filter(
      ([name, { type }]) =>
        !(type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]).some((one) =>
          shown.has(one),
        ),
    )
    expect(unused.map(([name]) => name)).toEqual([])
  })

  test('every series of the catalogue is on a dashboard', () => {
    const text = everyTarget.map(({ target }) => target.expr).join('\n')
    expect(Object.keys(CATALOGUE).filter((name) => !text.includes(name))).toEqual([])
  })

  test('links between dashboards lead to dashboards', () => {
    const urls = everyPanel.flatMap(({ panel }) => panel.links ?? []).map(({ url }) => url)
    const uids = urls.flatMap((url) => /^\/d\/([\w-]+)\?/.exec(url)?.[1] ?? [])
    expect(uids.length).toBeGreaterThan(20)
    expect(uids.filter((uid) => !(DASHBOARD_UIDS as readonly string[]).includes(uid))).toEqual([])
  })
})

describe('alerts and panels', () => {
  const runbooksOf = ({ links = [] }: Panel): readonly string[] =>
    links.flatMap(({ url }) => /^\$\{runbooks\}\/(\w+)\.md$/.exec(url)?.[1] ?? [])

  test('every alert names a dashboard, one of whose panels leads to its runbook', () => {
    const missing = ALERTS.filter(
      ({ alert, dashboard }) =>
        !everyPanel.some(({ uid, panel }) => uid === dashboard && runbooksOf(panel).includes(alert)),
    )
    expect(missing.map(({ alert, dashboard }) => `${alert} on ${dashboard}`)).toEqual([])
  })

  test('a panel that an alert names is there and leads back', () => {
    for (const { alert, dashboard, panel: title } of ALERTS) {
      if (title === undefined) continue
      const named = everyPanel.find(({ uid, panel }) => uid === dashboard && panel.title === title)
      expect({ alert, title, back: named !== undefined && runbooksOf(named.panel).includes(alert) }).toEqual({
        alert,
        title,
        back: true,
      })
    }
  })

  test('a panel leads to runbooks of alerts that exist', () => {
    const alerts = new Set(ALERTS.map(({ alert }) => alert))
    const named = [...new Set(everyPanel.flatMap(({ panel }) => runbooksOf(panel)))]
    expect(named.filter((alert) => !alerts.has(alert))).toEqual([])
  })
})
