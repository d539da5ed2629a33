import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { renderRules, type Component } from '../../src/rules/rules.ts'
import type { RuleCase } from './cases/case.ts'

/** Why promtool's tests can't run here; undefined when they can. */
export const promtoolMissing = (): string | undefined =>
  spawnSync('promtool', ['--version']).status === 0 ? undefined : 'promtool is not on PATH (apt-get install prometheus)'

/** The namespace of all series in the cases. */
export const NAMESPACE = 'exchange'

/** Runs promtool in a folder of these files. */
export const promtool = (
  args: readonly string[],
  files: Readonly<Record<string, string>>,
): { readonly ok: boolean; readonly said: string } => {
  const folder = mkdtempSync(join(tmpdir(), 'bourse-rules-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const run = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20 })
    return { ok: run.status === 0, said: `${run.stdout}${run.stderr}` }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const named = (series: string): string => {
  const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/u.exec(series) ?? []
  return `${name}{namespace="${NAMESPACE}"${labels === '' ? '' : `,${labels}`}}`
}

const labelsOf = (labels: Readonly<Record<string, string>>): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`

/** Labels that decide which alert it is: those that the case names. */
const asked = (alert: string, fires: RuleCase['fires']): string => {
  const firing = `ALERTS{alertname="${alert}",alertstate="firing"}`
  const names = [...new Set(fires.flatMap((labels) => Object.keys(labels)))]
  return fires.length === 0 ? firing : `count by (${names.join(', ')}) (${firing})`
}

const testOf = ({ alert, when, series, atSeconds, fires, intervalSeconds = 15 }: RuleCase): object => ({
  name: `${alert} ${fires.length === 0 ? 'is quiet' : 'fires'} ${when}`,
  interval: `${intervalSeconds}s`,
  input_series: Object.entries(series).map(([name, values]) => ({ series: named(name), values })),
  promql_expr_test: [
    {
      expr: asked(alert, fires),
      eval_time: `${atSeconds}s`,
      exp_samples: fires.map((labels) => ({ labels: labelsOf(labels), value: 1 })),
    },
  ],
})

/** The groups of rules that a component's alerts need, of all rules as they are rendered: the others only take time. */
const groupsOf = (component: Component, rules: string): string => {
  const { groups } = parse(rules) as { groups: { name: string }[] }
  const recorded = component === 'slo' ? ['bourse-burnrates', 'bourse-budgets'] : []
  return stringify({ groups: groups.filter(({ name }) => [...recorded, `bourse-${component}`].includes(name)) })
}

/** Judges the cases of a component by promtool. */
export const judge = (
  component: Component,
  cases: readonly RuleCase[],
  rules: string = renderRules({ selector: `namespace="${NAMESPACE}"` }),
): { readonly ok: boolean; readonly said: string } => {
  const intervals = [...new Set(cases.map(({ intervalSeconds = 15 }) => intervalSeconds))]
  const files = intervals.map((interval) => [
    `cases-${interval}.yaml`,
    stringify({
      rule_files: ['rules.yaml'],
      // Promises have many rules and long waits: a minute between evaluations is enough, and quicker.
      evaluation_interval: `${component === 'slo' ? Math.max(interval, 60) : interval}s`,
      tests: cases.filter(({ intervalSeconds = 15 }) => intervalSeconds === interval).map(testOf),
    }),
  ])
  const names = files.map(([name = '']) => name)
  return promtool(['test', 'rules', ...names], {
    'rules.yaml': groupsOf(component, rules),
    ...Object.fromEntries(files),
  })
}
