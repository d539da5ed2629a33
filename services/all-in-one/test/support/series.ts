import { call } from './calls.ts'

/** One line of /metrics. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What a platform shows. */
export interface Series {
  /** Names of everything that is declared, histograms by their own name. */
  readonly declared: ReadonlySet<string>
  readonly samples: readonly Sample[]
  /** Sum over the samples of a name whose labels include these; 0 when there are none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number
  /** Samples of a series, of a histogram its buckets, sum and count. */
  of(name: string): readonly Sample[]
}

const LINE = /^(\w+)(?:\{(.*)\})? (\S+)$/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

const sampleOf = (line: string): Sample => {
  const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? []
  if (name === '') throw new Error(`no line of metrics: ${line}`)
  return {
    name,
    labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, label, text]) => [label, text])),
    value: Number(value),
  }
}

/** Reads a text in the format of Prometheus. */
export const seriesIn = (text: string): Series => {
  const lines = text.split('\n')
  const samples = lines.filter((line) => line !== '' && !line.startsWith('#')).map(sampleOf)
  const has = (sample: Sample, labels: Readonly<Record<string, string>>): boolean =>
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
  return {
    declared: new Set(lines.flatMap((line) => /^# TYPE (\w+) /.exec(line)?.[1] ?? [])),
    samples,
    sum: (name, labels = {}) =>
      samples.filter((one) => one.name === name && has(one, labels)).reduce((total, { value }) => total + value, 0),
    of: (name) => samples.filter((one) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`].includes(one.name)),
  }
}

/** Reads what a platform shows at /metrics. */
export const readSeries = async (url: string): Promise<Series> => seriesIn((await call(`${url}/metrics`, {})).text)
