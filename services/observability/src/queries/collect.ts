import { parse } from 'yaml'
import type { RenderedDashboard } from '../dashboards/dashboards.ts'
import { selectorsOf } from './selectors.ts'

/** What is asked, and why. */
export interface AskedQuery {
  /**
   * `panel`: a target of a panel. `choice`: the values of a variable. `record`: a recording rule’s expression. `recorded`: what
   * it wrote. `series`: a selector of an alert; the alert itself is empty while all is well. `alert`: must only be accepted.
   */
  readonly kind: 'panel' | 'choice' | 'record' | 'recorded' | 'series' | 'alert'
  /** `bourse-shards / Append time / A`, `BourseFeedDead`. */
  readonly where: string
  readonly expr: string
}

interface PanelJson {
  readonly type: string
  readonly title?: string
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[]
}
interface VariableJson {
  readonly name: string
  readonly type: string
  readonly query?: string | { readonly query: string }
}

/** What of a dashboard’s JSON the queries stand in. */
export interface DashboardJson {
  readonly panels: readonly PanelJson[]
  readonly templating: { readonly list: readonly VariableJson[] }
}

const LABEL_VALUES = /^label_values\((?<series>.+), ?(?<label>\w+)\)$/s

/** A dashboard’s variables that Prometheus fills: name, series and label. */
export const choicesOf = ({ templating }: DashboardJson) =>
  templating.list.flatMap(({ name, type, query }) => {
    if (type !== 'query') return []
    const { groups } = LABEL_VALUES.exec(typeof query === 'object' ? query.query : (query ?? ''))!
    return [{ name, series: groups!['series']!, label: groups!['label']! }]
  })

/** Everything that a dashboard asks, with its variables still in it. */
export const queriesOfDashboard = ({ uid, json }: RenderedDashboard): readonly AskedQuery[] => {
  const dashboard = json as DashboardJson
  const choices = choicesOf(dashboard).map(({ name, series, label }) => ({
    kind: 'choice' as const,
    where: `${uid} / $${name}`,
    expr: `count by (${label}) (${series})`,
  }))
  const panels = dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ kind: 'panel' as const, where: `${uid} / ${title} / ${refId}`, expr })),
  )
  return [...choices, ...panels]
}

interface RuleJson {
  readonly record?: string
  readonly alert?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly expr: string
}

const queriesOfRule = ({ record, alert, labels, expr }: RuleJson): readonly AskedQuery[] => {
  if (record !== undefined)
    return [
      { kind: 'record', where: record, expr },
      { kind: 'recorded', where: record, expr: record },
    ]
  const where = [alert!, labels?.['objective'], labels?.['long']].filter((part) => part !== undefined).join(' / ')
  const series = [...new Set(selectorsOf(expr).map(({ text }) => text))]
  return [
    { kind: 'alert', where, expr },
    ...series.map((selector) => ({ kind: 'series' as const, where, expr: `count(${selector})` })),
  ]
}

/** Everything that a rule file asks. */
export const queriesOfRules = (rulesText: string): readonly AskedQuery[] => {
  const { groups } = parse(rulesText) as { readonly groups: readonly { readonly rules: readonly RuleJson[] }[] }
  return groups.flatMap(({ rules }) => rules.flatMap(queriesOfRule))
}
