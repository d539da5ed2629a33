import { select } from '../objectives/promql.ts'
import type { RuleContext } from './alert-rule.ts'

export { select }

/** A counter, with what of it is meant. */
export interface Counted {
  readonly series: string
  readonly matchers?: readonly string[]
  readonly by: string
}

/** How far back a counter is looked for before it is taken for new, seconds: longer than scrapes fail or a Prometheus is away. */
const KNOWN_SECONDS = 86_400

/**
 * How much a counter rose in the last `seconds`, summed by `by`. A counter that begins to exist within them counts from 0:
 * `increase` alone can not see the first event of a label, and of many failures there is only one. One that was known before
 * is not new because scrapes were lost: what it counted long ago is no rise. Below what it was it began anew.
 */
export const rise = ({ selector, duration }: RuleContext, seconds: number, counted: Counted): string => {
  const series = select(counted.series, selector, ...(counted.matchers ?? []))
  const window = duration(seconds)
  const sum = `sum by (namespace, ${counted.by})`
  const before = `last_over_time(${series}[${duration(KNOWN_SECONDS)}] offset ${window})`
  return `${sum} (increase(${series}[${window}]) > 0 or (${series} unless ${before}) or (${series} < ${before}))`
}

/** Events a second of a counter over the last `seconds`, summed by `by`. */
export const perSecond = ({ selector, duration }: RuleContext, seconds: number, counted: Counted): string => {
  const series = select(counted.series, selector, ...(counted.matchers ?? []))
  return `sum by (namespace, ${counted.by}) (rate(${series}[${duration(seconds)}]))`
}

/** One value, with label `program`, while a series that belongs to this program is nowhere. */
export const absence = (
  program: string,
  { selector }: RuleContext,
  series: string,
  ...matchers: readonly string[]
): string => `label_replace(absent(${select(series, selector, ...matchers)}), "program", "${program}", "", "")`
