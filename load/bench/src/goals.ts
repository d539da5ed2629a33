import type { Goal, Sample } from './row.ts'

/** Middle of the values; the mean of the two middle ones when their number is even. NaN for none. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Median of the runs' own figures. */
const medianValue = (samples: readonly Sample[]): number => median(samples.map(({ value }) => value))

/**
 * Median over the runs of value / peer, each taken within its run: a machine that is slower for an hour slows both.
 * Null when no run measured the peer.
 */
export const medianRatio = (samples: readonly Sample[], peer: string): number | null => {
  const ratios = samples.flatMap(({ value, peers }) => (peers[peer] === undefined ? [] : [value / peers[peer]]))
  return ratios.length === 0 ? null : median(ratios)
}

const figure = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 3 })

/** The median is at most so much. */
export const atMost = (limit: number, unit: string): Goal => ({
  text: `≤ ${figure(limit)} ${unit}`,
  met: (samples) => medianValue(samples) <= limit,
})

/** The median is at least so much. */
export const atLeast = (limit: number, unit: string): Goal => ({
  text: `≥ ${figure(limit)} ${unit}`,
  met: (samples) => medianValue(samples) >= limit,
})

/** The median of the runs' value / peer is at least `times`: for rates. */
export const ratioAtLeast = (peer: string, times: number): Goal => ({
  text: `≥ ${figure(times)} × ${peer}`,
  met: (samples) => (medianRatio(samples, peer) ?? Infinity) >= times,
})

/** The median of the runs' value / peer is at most `times`: for a cost that must not outgrow another. */
export const ratioAtMost = (peer: string, times: number): Goal => ({
  text: `≤ ${figure(times)} × ${peer}`,
  met: (samples) => (medianRatio(samples, peer) ?? 0) <= times,
})

/** The median of the runs' peer / value is at least `times`: for costs (ns, ms), where less is better. */
export const fasterThan = (peer: string, times: number): Goal => ({
  text: `${figure(times)} × faster than ${peer}`,
  met: (samples) => 1 / (medianRatio(samples, peer) ?? 0) >= times,
})

/** Every single run stays below. */
export const everyRunBelow = (limit: number, unit: string): Goal => ({
  text: `< ${figure(limit)} ${unit} in every run`,
  met: (samples) => samples.every(({ value }) => value < limit),
})

/** All of them. */
export const allOf = (...goals: readonly Goal[]): Goal => ({
  text: goals.map(({ text }) => text).join('; '),
  met: (samples) => goals.every((goal) => goal.met(samples)),
})

/** A figure that is shown for what it is. */
export const noGoal: Goal = { text: 'none', met: () => true }
