import type { Registry } from 'prom-client'

/** One set of labels of a histogram: an observation costs a search among the bounds and two additions. */
export interface Observed {
  observe(value: number): void
}

interface Tally extends Observed {
  readonly labels: Readonly<Record<string, string>>
  /** Observations by bucket, the last for what lies above every bound; not yet added up. */
  readonly counts: Float64Array
  readonly sum: () => number
}

const tallyOf = (labels: Readonly<Record<string, string>>, bounds: readonly number[]): Tally => {
  const counts = new Float64Array(bounds.length + 1)
  let sum = 0
  return {
    labels,
    counts,
    sum: () => sum,
    observe: (value) => {
      let at = 0
      while (at < bounds.length && value > bounds[at]!) at += 1
      counts[at]! += 1
      sum += value
    },
  }
}

/**
 * A histogram whose sets of labels are looked up once and then observed for the price of an array's element: partitions observe
 * several times a batch and once an effect. It is shown as prom-client shows its own.
 */
export const createHistogram = (deps: {
  readonly name: string
  readonly help: string
  /** Rising. */
  readonly bounds: readonly number[]
  readonly registry: Registry
}): ((labels: Readonly<Record<string, string>>) => Observed) => {
  const { name, help, bounds, registry } = deps
  const tallies = new Map<string, Tally>()

  const valuesOf = ({ labels, counts, sum }: Tally) => {
    let total = 0
    const buckets = Array.from(counts, (count, at) => {
      total += count
      const le = at < bounds.length ? String(bounds[at]) : '+Inf'
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: total }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum() },
      { metricName: `${name}_count`, labels, value: total },
    ]
  }
  const metric = {
    name,
    get: () =>
      Promise.resolve({
        name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        values: [...tallies.values()].flatMap(valuesOf),
      }),
    reset: () => tallies.clear(),
  }
  // The registry asks no more of a metric than its name, its values and that it can be reset.
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0])

  return (labels) => {
    const key = JSON.stringify(Object.entries(labels))
    const known = tallies.get(key)
    if (known !== undefined) return known
    const made = tallyOf(labels, bounds)
    tallies.set(key, made)
    return made
  }
}
