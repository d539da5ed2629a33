/**
 * A series with its matchers as PromQL: `select('up', 'namespace="x"', 'job="ledger"')` is `up{namespace="x",job="ledger"}`.
 * Empty matchers are left out; without any the name stands alone.
 */
export const select = (series: string, ...matchers: readonly string[]): string => {
  const given = matchers.filter((matcher) => matcher !== '')
  return given.length === 0 ? series : `${series}{${given.join(',')}}`
}

/**
 * The part of `total` that `bad` is, by namespace; 0 where nothing happened, so that no traffic is no failure and no 0 / 0. Both
 * are sums by namespace. A `bad` that has no series yet counts as 0 too.
 */
export const badPart = (bad: string, total: string): string => `(${bad}) / ((${total}) > 0) or 0 * (${total})`
