import { LATENCY_BUCKETS_SECONDS } from '../metrics.ts'
import { CATALOGUE, type SeriesName } from './catalogue.ts'
import type { SeriesDefinition, SeriesOwner } from './definition.ts'

/** Headings of the page, in its order. */
const OWNERS: Readonly<Record<SeriesOwner, string>> = {
  gateway: 'The edge',
  kernel: 'Partitions, whatever their machine',
  ledger: 'Ledger partitions',
  trading: 'Trading partitions',
  bridge: 'Bridge partitions',
  market: 'Price feeds',
  servers: 'Servers that a process works with',
  process: 'Processes',
  operator: 'The operator',
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

const boundsWords = ({ type, buckets = LATENCY_BUCKETS_SECONDS }: SeriesDefinition): string =>
  type === 'histogram' ? ` Bounds: ${buckets.join(', ')}.` : ''

const labelWords = ({ labels }: SeriesDefinition): string => {
  const words = Object.entries(labels).map(([label, bound]) => `\`${label}\` (${bound})`)
  return words.length === 0 ? '–' : words.join(', ')
}

const row = (name: SeriesName, series: SeriesDefinition): string => {
  const { type, unit, help, profile } = series
  const words = cell(`${help}${boundsWords(series)}`)
  return `| \`${name}\` | ${type} | ${unit} | ${labelWords(series)} | ${profile ?? 'all'} | ${words} |`
}

const section = (owner: SeriesOwner): string => {
  const series = (Object.entries(CATALOGUE) as [SeriesName, SeriesDefinition][]).filter(
    ([, definition]) => definition.owner === owner,
  )
  return `## ${OWNERS[owner]}

Owner: \`${owner}\`.

| series | type | unit | labels (values at most) | profile | what it shows |
|---|---|---|---|---|---|
${series.map(([name, definition]) => row(name, definition)).join('\n')}
`
}

/** The page `docs/reference/metrics.md`, whole, from the catalogue. */
export const generate = (): string => `# Metrics

<!-- Made from services/common/src/telemetry/catalogue by npm run generate. -->

Every series that a process of the platform shows at \`/metrics\`, in the text format of Prometheus. Nothing else can be
registered. \`nodejs_*\` and \`process_*\` (memory, event loop, garbage collection, files) come from prom-client beside them, and
\`rabbitmq_*\` from the broker's own plugin.

A label has as many values as its bound says, in one process; what comes after those is shown as \`other\` and counted in
\`bourse_series_clamped_total\`. Series of the profile \`distributed\` belong to what only separate processes have, those of
\`embedded\` to the platform of one process; all others are shown by both. Money is in units of 1e-8, as the nearest double: for
eyes and alerts, never for books.
Counters begin at 0 with their process, and count what happened in it: a replay of the journal counts nothing again.

${(Object.keys(OWNERS) as SeriesOwner[]).map(section).join('\n')}`
