import { median, medianRatio } from '../goals.ts'
import type { RowDefinition, Sample } from '../row.ts'

/** What came of a row: the samples of its runs, or why there are none. */
export interface RowResult {
  readonly row: RowDefinition
  readonly samples: readonly Sample[]
  /** Null when it was measured. */
  readonly reason: string | null
}

/** A row's figures over all its runs. */
export interface Summary {
  readonly value: number
  readonly min: number
  readonly max: number
  readonly met: boolean
  readonly peers: readonly PeerSummary[]
  readonly absent: Readonly<Record<string, string>>
  readonly runs: number
}

/** A peer's median, and the median of the runs' row / peer. */
export interface PeerSummary {
  readonly name: string
  readonly value: number
  readonly ratio: number
}

const peersOf = (samples: readonly Sample[]): PeerSummary[] => {
  const names = [...new Set(samples.flatMap(({ peers }) => Object.keys(peers)))]
  return names.map((name) => ({
    name,
    value: median(samples.flatMap(({ peers }) => (peers[name] === undefined ? [] : [peers[name]]))),
    ratio: medianRatio(samples, name) ?? Number.NaN,
  }))
}

/** Medians and spread of a row that was measured at least once; null for one that was not. */
export const summarize = ({ row, samples }: RowResult): Summary | null => {
  if (samples.length === 0) return null
  const values = samples.map(({ value }) => value)
  const peers = peersOf(samples)
  const absent = Object.entries(Object.assign({}, ...samples.map((sample) => sample.absent ?? {})) as object)
  return {
    value: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    met: row.goal.met(samples),
    peers,
    absent: Object.fromEntries(absent.filter(([name]) => !peers.some((peer) => peer.name === name))),
    runs: samples.length,
  }
}

/** A row in the command's last line with `--json`. */
export const jsonOf = (result: RowResult) => {
  const { row, reason } = result
  const about = { name: row.name, unit: row.unit, goal: row.goal.text, kind: row.kind }
  const summary = summarize(result)
  if (summary === null) return { ...about, value: null, met: null, peers: {}, runs: 0, reason }
  const { value, min, max, met, peers, absent, runs } = summary
  const peerValues = Object.fromEntries(peers.map((peer) => [peer.name, peer.value]))
  return { ...about, value, met, peers: peerValues, runs, min, max, absent }
}
