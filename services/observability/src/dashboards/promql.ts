import type { AnyLabel, AnyLabelOf, AnyOfType, AnySeries, Where } from './series.ts'

/** What every selector of a dashboard asks first. */
export const NAMESPACE = 'namespace="$namespace"'
/** A window that holds four scrapes at least, whatever is zoomed to; Grafana fills it in. */
const WINDOW = '$__rate_interval'

const matcherOf = ([label, asked]: [string, string]): string => {
  const [, operator, value] = /^(=~|!~|!=)?(.*)$/s.exec(asked)!
  return `${label}${operator ?? '='}"${value}"`
}

const selector = (name: string, where: object): string =>
  `${name}{${[NAMESPACE, ...Object.entries(where as Record<string, string>).map(matcherOf)].join(', ')}}`

/** The series as it is: a gauge, or a counter inside of a function. */
export const select = <Name extends AnyOfType<'gauge' | 'counter'>>(name: Name, where: Where<Name> = {}): string =>
  selector(name, where)

/** A counter’s rate a second. */
export const rate = <Name extends AnyOfType<'counter'>>(name: Name, where: Where<Name> = {}): string =>
  `rate(${selector(name, where)}[${WINDOW}])`

/** How much a counter rose within a window, `$__rate_interval` where none is named. */
export const increase = <Name extends AnyOfType<'counter'>>(
  name: Name,
  where: Where<Name> = {},
  window: string = WINDOW,
): string => `increase(${selector(name, where)}[${window}])`

/** Observations a second of a histogram. */
export const observed = <Name extends AnyOfType<'histogram'>>(name: Name, where: Where<Name> = {}): string =>
  `rate(${selector(`${name}_count`, where)}[${WINDOW}])`

/** What a histogram’s observations add up to a second: seconds spent a second, commands a second. */
export const amount = <Name extends AnyOfType<'histogram'>>(name: Name, where: Where<Name> = {}): string =>
  `rate(${selector(`${name}_sum`, where)}[${WINDOW}])`

type Aggregation = (labels: readonly AnyLabel[], expr: string) => string

const aggregation =
  (operator: string): Aggregation =>
  (labels, expr) =>
    labels.length === 0 ? `${operator}(${expr})` : `${operator} by (${labels.join(', ')}) (${expr})`

/** Sum over everything but the named labels. */
export const sum = aggregation('sum')
/** The largest of everything but the named labels. */
export const max = aggregation('max')
/** The smallest of everything but the named labels. */
export const min = aggregation('min')
/** How many series there are of everything but the named labels. */
export const count = aggregation('count')

/** A quantile of a histogram, by labels; what took longer than the last bucket’s bound shows as that bound. */
export const quantile = <Name extends AnyOfType<'histogram'>>(
  share: number,
  name: Name,
  by: readonly AnyLabel[] = [],
  where: Where<Name> = {},
): string => {
  const labels = ['le', ...by].join(', ')
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${selector(`${name}_bucket`, where)}[${WINDOW}])))`
}

/** Mean of a histogram’s observations, by labels. */
export const mean = <Name extends AnyOfType<'histogram'>>(
  name: Name,
  by: readonly AnyLabel[] = [],
  where: Where<Name> = {},
): string => `${sum(by, amount(name, where))} / ${sum(by, observed(name, where))}`

/** Money of a series in whole units of its currency; series carry 1e-8 of it. */
export const money = (expr: string): string => `${expr} / 1e8`

/** All values of a label of a series in the namespace, as a dashboard’s choice asks for them. */
export const labelValues = <Name extends AnySeries>(name: Name, label: AnyLabelOf<Name>): string =>
  `label_values(${selector(name, {})}, ${label})`
