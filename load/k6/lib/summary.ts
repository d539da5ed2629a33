import { summaryFiles } from './settings.ts'

/** A metric as k6 hands it to handleSummary. */
interface Metric {
  readonly type: 'counter' | 'gauge' | 'rate' | 'trend'
  readonly values: Readonly<Record<string, number>>
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>
}
interface Group {
  readonly groups: readonly Group[]
  readonly checks: readonly { readonly name: string; readonly passes: number; readonly fails: number }[]
}
/** What k6 hands to handleSummary, as far as it is used. */
export interface SummaryData {
  readonly metrics: Readonly<Record<string, Metric>>
  readonly root_group: Group
  readonly state: { readonly testRunDurationMs: number }
}

/** One line of the summary: a bound or a check, and whether it held. */
interface Verdict {
  readonly what: string
  readonly detail: string
  readonly ok: boolean
}

const round = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toFixed(2))))

const figures = ({ values }: Metric): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${round(value)}`)
    .join('  ')

const inOrder = (metrics: SummaryData['metrics']): readonly (readonly [string, Metric])[] =>
  Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1))

/** Checks of a group and of those inside it: setup and teardown have groups of their own. */
const checksOf = ({ checks, groups }: Group): Group['checks'] => [...checks, ...groups.flatMap(checksOf)]

const verdictsOf = ({ metrics, root_group }: SummaryData): readonly Verdict[] => [
  ...inOrder(metrics).flatMap(([name, metric]) =>
    Object.entries(metric.thresholds ?? {}).map(([bound, { ok }]) => ({
      what: `${name} ${bound}`,
      detail: figures(metric),
      ok,
    })),
  ),
  ...checksOf(root_group).map(({ name, passes, fails }) => ({
    what: name,
    detail: `${passes} of ${passes + fails}`,
    ok: fails === 0,
  })),
]

/** What of the books nobody could look at, with the reason. */
const skippedOf = ({ metrics }: SummaryData): readonly { readonly name: string; readonly reason: string }[] =>
  [
    {
      name: 'books of the bank',
      metric: 'books_bank_transactions',
      reason: "no bank's key: give --bank-key or BOURSE_LOAD_BANK_KEY",
    },
    {
      name: 'ledger transactions',
      metric: 'books_ledger_transactions',
      reason: 'no administrator: give --admin-token or BOURSE_LOAD_ADMIN_TOKEN',
    },
    {
      name: 'sums of the ledger',
      metric: 'books_ledger_sums',
      reason: 'no metrics of the ledger at hand: give --metrics URL of each ledger shard',
    },
  ].flatMap(({ name, metric, reason }) => (metrics[metric] === undefined ? [{ name, reason }] : []))

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const htmlOf = (title: string, verdicts: readonly Verdict[], data: SummaryData): string => {
  const rows = verdicts.map(({ what, detail, ok }) => {
    const [name, word] = ok ? ['ok', 'ok'] : ['bad', 'FAILED']
    return `<tr class="${name}"><td>${word}</td><td>${escaped(what)}</td><td>${escaped(detail)}</td></tr>`
  })
  const others = Object.entries(data.metrics).map(
    ([name, metric]) => `<tr><td>${metric.type}</td><td>${escaped(name)}</td><td>${escaped(figures(metric))}</td></tr>`,
  )
  return [
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>`,
    '<style>body{font:14px system-ui;margin:2em}table{border-collapse:collapse}td{border:1px solid #ccc;padding:.3em .6em}',
    '.ok td:first-child{background:#cec}.bad td:first-child{background:#fbb}</style>',
    `<h1>${escaped(title)}</h1><p>${round(data.state.testRunDurationMs / 1_000)} s</p>`,
    `<h2>Bounds and checks</h2><table>${rows.join('')}</table><h2>Figures</h2><table>${others.join('')}</table></html>`,
  ].join('\n')
}

const SHOWN = [
  'http_reqs',
  'iterations',
  'http_req_duration',
  'ws_messages',
  'ws_price_age',
  'refusals_late',
  'refusals_other',
  'books_traders',
  'books_bank_transactions',
  'books_ledger_transactions',
  'books_ledger_sums',
]

/** Makes the summary of a profile: text to standard output, JSON and HTML into the files that were named. */
export const summaryOf =
  (profile: string) =>
  (data: SummaryData): Record<string, string> => {
    const verdicts = verdictsOf(data)
    const passed = verdicts.filter(({ ok }) => ok).length
    const skipped = skippedOf(data)
    const lines = [
      `${profile}: ${passed} bounds and checks held, ${verdicts.length - passed} did not, ${skipped.length} skipped`,
      ...verdicts.map(({ what, detail, ok }) => `  ${ok ? 'ok    ' : 'FAILED'} ${what.padEnd(64)} ${detail}`),
      ...skipped.map(({ name, reason }) => `  skipped ${name}: ${reason}`),
      ...SHOWN.flatMap((name) =>
        data.metrics[name] === undefined ? [] : [`  ${name.padEnd(22)} ${figures(data.metrics[name])}`],
      ),
    ]
    const { json, html } = summaryFiles
    const document = { profile, passed, failed: verdicts.length - passed, skipped, verdicts, metrics: data.metrics }
    return {
      stdout: `${lines.join('\n')}\n`,
      ...(json === '' ? {} : { [json]: `${JSON.stringify(document, null, 1)}\n` }),
      ...(html === '' ? {} : { [html]: htmlOf(`Bourse: ${profile}`, verdicts, data) }),
    }
  }
