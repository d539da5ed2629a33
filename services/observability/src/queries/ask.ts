import type { Clock } from '@bourse/common/ports/clock.ts'
import type { PrometheusServer } from '../servers/prometheus.ts'
import { choicesOf, type AskedQuery, type DashboardJson } from './collect.ts'

type Asking = Pick<PrometheusServer, 'query'>

/** What became of a query. */
export interface Verdict {
  readonly query: AskedQuery
  /** `data`: at least one number. `empty`: nothing, or not-a-number everywhere. `error`: Prometheus refused it. */
  readonly end: 'data' | 'empty' | 'error'
  /** The refusal’s words. */
  readonly reason: string | null
}

const escaped = (value: string): string => value.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\\\$&')

const replaceAll = (text: string, values: ReadonlyMap<string, string>): string =>
  text.replaceAll(/\$\{?(\w+)\}?/g, (whole, name: string) => values.get(name) ?? whole)

/**
 * Values of a dashboard’s variables as Grafana fills them in when it is opened: the namespace, and for each choice all that
 * there are, as a regular expression.
 */
export const valuesOf = async (
  dashboard: DashboardJson,
  prometheus: Asking,
  given: { readonly namespace: string; readonly rateInterval: string },
): Promise<ReadonlyMap<string, string>> => {
  const values = new Map([
    ['namespace', given.namespace],
    ['__rate_interval', given.rateInterval],
  ])
  for (const { name, series, label } of choicesOf(dashboard)) {
    if (name === 'namespace') continue
    const samples = await prometheus.query(`count by (${label}) (${replaceAll(series, values)})`)
    values.set(name, samples.map(({ metric }) => escaped(metric[label] ?? '')).join('|'))
  }
  return values
}

/** A query with its variables filled in. */
export const filled = (query: AskedQuery, values: ReadonlyMap<string, string>): AskedQuery => ({
  ...query,
  expr: replaceAll(query.expr, values),
})

/** Asks one query. A condition that must hold for an alert is empty while all is well: there only an error counts. */
export const ask = async (query: AskedQuery, prometheus: Asking): Promise<Verdict> => {
  try {
    const samples = await prometheus.query(query.expr)
    const hasData = query.kind === 'alert' || samples.some(({ value }) => !Number.isNaN(value))
    return { query, end: hasData ? 'data' : 'empty', reason: null }
  } catch (error) {
    return { query, end: 'error', reason: error instanceof Error ? error.message : String(error) }
  }
}

const PAUSE_MS = 2_000

/**
 * Asks all queries, and those that gave nothing again and again until each gave data once or the time is over: not everything
 * happens in the first seconds.
 */
export const askAll = async (
  prepare: () => Promise<readonly AskedQuery[]>,
  deps: {
    readonly prometheus: Asking
    readonly clock: Clock
    readonly withinMs: number
    readonly isDone?: (open: readonly Verdict[]) => boolean
  },
): Promise<readonly Verdict[]> => {
  const { prometheus, clock, withinMs, isDone = (open) => open.length === 0 } = deps
  const until = clock.monotonicMs() + withinMs
  const verdicts = new Map<string, Verdict>()
  for (;;) {
    for (const query of await prepare()) {
      const key = `${query.kind} ${query.where} ${query.kind === 'series' ? query.expr : ''}`
      if (verdicts.get(key)?.end === 'data') continue
      verdicts.set(key, await ask(query, prometheus))
    }
    const open = [...verdicts.values()].filter(({ end }) => end !== 'data')
    if (isDone(open) || clock.monotonicMs() > until) return [...verdicts.values()]
    await clock.sleep(PAUSE_MS)
  }
}
