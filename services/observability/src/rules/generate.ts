import { ALERTS } from './alerts/alerts.ts'
import { renderRules } from './render.ts'

/** What Helm fills in, as words that neither YAML nor PromQL would quote. */
const FILLED = {
  RELEASE_NAMESPACE: '{{ .Release.Namespace }}',
  RUNBOOK_FOLDER: '{{ .Values.monitoring.runbookUrl | trimSuffix "/" }}',
  GRAFANA_ADDRESS: '{{ .Values.monitoring.grafanaUrl | trimSuffix "/" }}',
} as const

const HEADER = '# Made of services/observability/src/rules by npm run generate; braces of alerts are kept from Helm.\n'

/** `charts/bourse/files/rules.yaml`: the rules as a template of Helm. */
export const generate = (): string => {
  const rules = renderRules({
    selector: 'namespace="RELEASE_NAMESPACE"',
    runbookUrl: (alert) => `RUNBOOK_FOLDER/${alert}.md`,
    dashboardUrl: (uid) => `GRAFANA_ADDRESS/d/${uid}?var-namespace=RELEASE_NAMESPACE`,
  })
  const kept = rules.replace(/\{\{|\}\}/gu, (braces) => `{{ "${braces}" }}`)
  return HEADER + Object.entries(FILLED).reduce((text, [word, template]) => text.replaceAll(word, template), kept)
}

const COMPONENTS = {
  slo: 'Promises',
  money: 'Money',
  partitions: 'Partitions',
  servers: 'Servers, as the processes see them',
  broker: 'RabbitMQ',
  market: 'Prices and markets',
  bridge: 'Banks and the exchange',
  gateway: 'The edge',
  process: 'Processes, and what watches them',
  operator: 'The operator',
} as const

/** Severities of an alert's rules, the worst first. */
const severitiesOf = (name: string): string =>
  [...new Set(ALERTS.filter(({ alert }) => alert === name).map(({ severity }) => severity))].join(', ')

const table = (component: keyof typeof COMPONENTS): string => {
  const rules = ALERTS.filter((rule) => rule.component === component)
  const first = rules.filter(({ alert }, at) => rules.findIndex((other) => other.alert === alert) === at)
  const rows = first.map(({ alert, dashboard, summary }) => {
    const said = component === 'slo' ? summary.replace(/ burns .*$/u, ' burns too fast') : summary
    const plain = said.replace(/\{\{ \$labels\.(\w+) \}\}/gu, '‹$1›').replace(/\{\{ \$value.*?\}\}/gu, '‹n›')
    return `| [${alert}](${alert}.md) | ${severitiesOf(alert)} | ${plain} | \`${dashboard}\` |`
  })
  return `## ${COMPONENTS[component]}\n\n| alert | severity | says | dashboard |\n|---|---|---|---|\n${rows.join('\n')}\n`
}

/** `docs/runbooks/README.md`: every alert with its runbook. */
export const generateIndex = (): string =>
  `<!-- Made of services/observability/src/rules by npm run generate. -->
# Runbooks

One page for each alert: what it means, whom it hurts, where to look, what to do. \`critical\` wakes somebody, \`warning\` is
for the day, \`info\` explains others. Promises, severities and who silences whom: [objectives](../operations/objectives.md).
Commands that the pages share are explained in [the night's tools](tools.md).

${(Object.keys(COMPONENTS) as (keyof typeof COMPONENTS)[]).map(table).join('\n')}`
