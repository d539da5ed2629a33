import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { stringify } from 'yaml'
import { helmMissing, production, render, PRODUCTION, type Rendered, type Settings } from './helm.ts'

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly expr: string; readonly annotations?: Readonly<Record<string, string>> }[]
  }[]
}

const rulesOf = (settings: Settings = {}): Rules => {
  const objects: readonly Rendered[] = production({ 'monitoring.prometheusRule.enabled': true, ...settings })
  return objects.find(({ kind }) => kind === 'PrometheusRule')?.['spec'] as Rules
}

const promtoolMissing = (): string | undefined =>
  spawnSync('promtool', ['--version']).status === 0 ? undefined : 'promtool is not on PATH (apt-get install prometheus)'

describeUnless(helmMissing(), 'Rules of an installation', () => {
  test('look at its own namespace, and nothing of Helm is left in them', () => {
    const rules = rulesOf().groups.flatMap((group) => group.rules)
    expect(rules.length).toBeGreaterThan(100)
    for (const { expr } of rules) expect(expr === 'vector(1)' || expr.includes('namespace="exchange"')).toBe(true)
    expect(JSON.stringify(rules)).not.toMatch(/RELEASE_|RUNBOOK_|GRAFANA_|\.Values/u)
  })

  test('link to the runbooks and the Grafana that the values name', () => {
    const settings = {
      'monitoring.runbookUrl': 'https://git.example/docs/runbooks/',
      'monitoring.grafanaUrl': 'https://grafana.example',
    }
    const texts = rulesOf(settings).groups.flatMap(({ rules }) => rules.map(({ annotations = {} }) => annotations))
    expect(texts.map((text) => text['runbook_url'])).toContain(
      'https://git.example/docs/runbooks/BourseLedgerImbalance.md',
    )
    expect(texts.map((text) => text['dashboard_url'])).toContain(
      'https://grafana.example/d/bourse-money?var-namespace=exchange',
    )
    // What Prometheus fills in is left to it.
    expect(texts.map((text) => text['summary'])).toContain(
      'The books of {{ $labels.partition }} do not sum to zero in {{ $labels.currency }}',
    )
  })

  test('take no address that would break the file', () => {
    const { ok, said } = render({ ...PRODUCTION, 'monitoring.runbookUrl': "https://x/' y" })
    expect(ok).toBe(false)
    expect(said).toContain('runbookUrl')
  })
})

describeUnless(helmMissing() ?? promtoolMissing(), 'Rules of an installation, checked by promtool', () => {
  test('are sound', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bourse-chart-rules-'))
    try {
      writeFileSync(join(folder, 'rules.yaml'), stringify(rulesOf()))
      const run = spawnSync('promtool', ['check', 'rules', join(folder, 'rules.yaml')], { encoding: 'utf8' })
      expect({ status: run.status, said: run.status === 0 ? '' : run.stdout + run.stderr }).toEqual({
        status: 0,
        said: '',
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
