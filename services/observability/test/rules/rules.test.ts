import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, jest, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { generate } from '../../src/rules/generate.ts'
import { ALERTS, INHIBITIONS, renderRules, type AlertRule, type Component } from '../../src/rules/rules.ts'
import type { RuleCase } from './cases/case.ts'
import { BRIDGE_CASES } from './cases/bridge.ts'
import { BROKER_CASES } from './cases/broker.ts'
import { GATEWAY_CASES } from './cases/gateway.ts'
import { MARKET_CASES } from './cases/market.ts'
import { MONEY_CASES } from './cases/money.ts'
import { OPERATOR_CASES } from './cases/operator.ts'
import { PARTITION_CASES } from './cases/partitions.ts'
import { PROCESS_CASES } from './cases/process.ts'
import { SERVER_CASES } from './cases/servers.ts'
import { SLO_CASES } from './cases/slo.ts'
import { SCRAPED_LABELS, definitionOf, isKnown, matchersIn, seriesIn } from './known-series.ts'
import { judge, promtool, promtoolMissing } from './promtool.ts'

/** promtool takes as long as it takes; what it says is judged. */
const LIMIT_MS = 900_000
jest.setTimeout(LIMIT_MS)

const CASES: Readonly<Record<Component, readonly RuleCase[]>> = {
  slo: SLO_CASES,
  money: MONEY_CASES,
  partitions: PARTITION_CASES,
  servers: SERVER_CASES,
  broker: BROKER_CASES,
  market: MARKET_CASES,
  bridge: BRIDGE_CASES,
  gateway: GATEWAY_CASES,
  process: PROCESS_CASES,
  operator: OPERATOR_CASES,
}
const ALL_CASES = Object.values(CASES).flat()
const NAMES = [...new Set(ALERTS.map(({ alert }) => alert))]
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const source = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8')

const expressionOf = ({ expr }: AlertRule, selector = 'namespace="x"'): string =>
  expr({ selector, duration: (seconds) => `${seconds}s`, seconds: String })

describeUnless(promtoolMissing(), 'Judged by promtool', () => {
  test.each([
    ['of a namespace', 'namespace="exchange"', 1],
    ['without a selector, twenty times quicker', '', 20],
    ['a thousand times quicker', 'namespace="x"', 1_000],
  ])('rules %s are sound', (_, selector, timeScale) => {
    const { ok, said } = promtool(['check', 'rules', 'rules.yaml'], {
      'rules.yaml': renderRules({ selector, timeScale }),
    })
    expect({ ok, said: ok ? '' : said }).toEqual({ ok: true, said: '' })
  })

  test.each(Object.entries(CASES) as [Component, readonly RuleCase[]][])(
    'alerts of %s fire when they should, and else do not',
    (component, cases) => {
      const { ok, said } = judge(component, cases)
      expect({ ok, said: ok ? '' : said }).toEqual({ ok: true, said: '' })
    },
  )

  test('a rule that never fires, or always does, is found out', () => {
    const rules = renderRules({ selector: 'namespace="exchange"' })
    expect(judge('gateway', GATEWAY_CASES, rules.replaceAll('> 10', '> 10000')).ok).toBe(false)
    expect(judge('gateway', GATEWAY_CASES, rules.replaceAll('> 10', '> 0')).ok).toBe(false)
  })

  test('what the texts of an alert name is filled in', () => {
    const rule = ALERTS.find(({ alert }) => alert === 'BourseLedgerImbalance')!
    const file = {
      rule_files: ['rules.yaml'],
      tests: [
        {
          interval: '15s',
          input_series: [
            {
              series: 'bourse_ledger_imbalance_units{namespace="x",partition="ledger/3",currency="EUR"}',
              values: '-7x9',
            },
          ],
          alert_rule_test: [
            {
              eval_time: '1m',
              alertname: rule.alert,
              exp_alerts: [
                {
                  exp_labels: {
                    severity: 'critical',
                    component: 'money',
                    namespace: 'x',
                    partition: 'ledger/3',
                    currency: 'EUR',
                  },
                  exp_annotations: {
                    summary: 'The books of ledger/3 do not sum to zero in EUR',
                    description:
                      'Money was made or lost: 7 units of 1e-8. Nothing that the platform does explains this.',
                    runbook_url: 'https://runbooks/BourseLedgerImbalance.md',
                    dashboard_url: '/d/bourse-money',
                    ...(rule.panel === undefined ? {} : { panel: rule.panel }),
                  },
                },
              ],
            },
          ],
        },
      ],
    }
    const rules = renderRules({ selector: 'namespace="x"', runbookUrl: (alert) => `https://runbooks/${alert}.md` })
    const { ok, said } = promtool(['test', 'rules', 'texts.yaml'], {
      'rules.yaml': rules,
      'texts.yaml': JSON.stringify(file),
    })
    expect({ ok, said: ok ? '' : said }).toEqual({ ok: true, said: '' })
  })
})

describe('Every alert', () => {
  test.each(NAMES)('%s has a situation in which it fires, and one in which it does not', (name) => {
    const cases = ALL_CASES.filter(({ alert }) => alert === name)
    expect(cases.filter(({ fires }) => fires.length > 0)).not.toEqual([])
    // What always fires is what it is for.
    if (name !== 'BourseWatchdog') expect(cases.filter(({ fires }) => fires.length === 0)).not.toEqual([])
  })

  test.each(ALERTS.map((rule) => [rule.alert, rule] as const))(
    '%s leaves the labels that its texts name',
    (name, rule) => {
      const named = [...`${rule.summary}${rule.description}`.matchAll(/\$labels\.(\w+)/gu)].map(
        ([, label = '']) => label,
      )
      const firing = ALL_CASES.filter(({ alert, fires }) => alert === name && fires.length > 0)
      for (const { fires } of firing)
        for (const labels of fires) expect(Object.keys(labels)).toEqual(expect.arrayContaining(['severity', ...named]))
    },
  )

  test.each(ALERTS.map((rule) => [rule.alert, rule] as const))(
    '%s asks for series and labels that exist',
    (_, rule) => {
      const expr = expressionOf(rule)
      expect(seriesIn(expr).filter((series) => !isKnown(series))).toEqual([])
      const strange = matchersIn(expr).filter(([series, label]) => {
        const definition = definitionOf(series)
        return definition !== undefined && ![...SCRAPED_LABELS, ...Object.keys(definition.labels)].includes(label)
      })
      expect(strange).toEqual([])
    },
  )

  test.each(ALERTS.map((rule) => [rule.alert, rule] as const))('%s sees its own namespace only', (_, rule) => {
    const expr = expressionOf(rule, 'namespace="mine"')
    for (const series of seriesIn(expr)) {
      const uses = [...expr.matchAll(new RegExp(`(?<![\\w:])${series}(?![\\w:])(\\{[^}]*\\})?`, 'gu'))]
      for (const [, matchers] of uses) expect(matchers).toContain('namespace="mine"')
    }
  })

  test('is named after the platform, in words without blanks', () => {
    for (const name of NAMES) expect(name).toMatch(/^Bourse[A-Z][A-Za-z]+$/u)
  })
})

describe('Events that rules name', () => {
  const eventsOf = (series: string): readonly string[] =>
    ALERTS.flatMap((rule) => [
      ...expressionOf(rule).matchAll(new RegExp(`${series}\\{[^}]*event=~?"([^"]+)"`, 'gu')),
    ]).map(([, events = '']) => events)

  test('are those that kernels count', () => {
    const kernel = source('services/common/src/kernel/runner-types.ts') + source('services/common/src/kernel/runner.ts')
    const events = eventsOf('bourse_partition_events_total').flatMap((alternatives) => alternatives.split('|'))
    expect(events.length).toBeGreaterThan(5)
    for (const event of events) expect(kernel).toMatch(new RegExp(`\\b${event}:`, 'u'))
  })

  test('are those that the adapters of servers count', () => {
    const folder = 'services/common/src/adapters'
    const adapters = ['rabbitmq', 'mongodb', 'redis']
      .flatMap((server) => readdirSync(`${ROOT}${folder}/${server}`).map((file) => `${folder}/${server}/${file}`))
      .map(source)
      .join('\n')
    const events = eventsOf('bourse_server_events_total')
      .flatMap((alternatives) => alternatives.replace(/^\(commands\|bulk\)_\((.*)\)$/u, '$1').split('|'))
      .map((event) => event.replace(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase()))
    expect(events.length).toBeGreaterThan(5)
    for (const event of events) expect(adapters).toMatch(new RegExp(`\\b${event}: 0`, 'u'))
  })
})

test('The rules of the chart differ from those of a Prometheus by what Helm fills in only', () => {
  const filled = generate()
    .replace(/^#.*\n/u, '')
    .replace(/\{\{ "(\{\{|\}\})" \}\}/gu, '$1')
    .replaceAll('{{ .Release.Namespace }}', 'x')
    .replaceAll('{{ .Values.monitoring.runbookUrl | trimSuffix "/" }}', 'https://r')
    .replaceAll('{{ .Values.monitoring.grafanaUrl | trimSuffix "/" }}', 'https://g')
  const rendered = renderRules({
    selector: 'namespace="x"',
    runbookUrl: (alert) => `https://r/${alert}.md`,
    dashboardUrl: (uid) => `https://g/d/${uid}?var-namespace=x`,
  })
  expect(filled).toBe(rendered)
})

test('Components that are left out have no alerts, and all others have theirs', () => {
  const text = renderRules({ selector: '', without: ['operator', 'broker'] })
  expect(text).not.toContain('BourseOperatorHasNoLeader')
  expect(text).not.toContain('BourseQueueGrowing')
  expect(text).toContain('BourseServerAway')
})

test('Inhibitions speak of alerts that exist, and nobody silences himself', () => {
  const namesIn = (matchers: readonly string[]): readonly string[] =>
    matchers.flatMap((matcher) => /^alertname=~"(.*)"$/u.exec(matcher)?.[1]?.split('|') ?? [])
  for (const { sources, targets } of INHIBITIONS) {
    for (const name of [...namesIn(sources), ...namesIn(targets)]) expect(NAMES).toContain(name)
    expect(namesIn(targets).filter((name) => namesIn(sources).includes(name))).toEqual([])
  }
})
