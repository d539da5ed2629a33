import { CATALOGUE } from '@bourse/common/telemetry/catalogue/catalogue.ts'
import type { SeriesDefinition } from '@bourse/common/telemetry/catalogue/definition.ts'
import { OBJECTIVES, BURN_WINDOWS, budgetRemainingSeries, burnRateSeries } from '../../src/objectives/objectives.ts'

/** Series of RabbitMQ’s prometheus plugin that rules and runbooks speak of, 3.10 or later. */
const RABBITMQ = [
  'rabbitmq_alarms_free_disk_space_watermark',
  'rabbitmq_alarms_memory_used_watermark',
  'rabbitmq_disk_space_available_bytes',
  'rabbitmq_disk_space_available_limit_bytes',
  'rabbitmq_process_resident_memory_bytes',
  'rabbitmq_queue_consumers',
  'rabbitmq_queue_messages',
  'rabbitmq_queue_messages_ready',
  'rabbitmq_queue_messages_unacked',
  'rabbitmq_resident_memory_limit_bytes',
]

/** Series that prom-client shows of every process. */
const NODE = [
  'nodejs_active_handles_total',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_external_memory_bytes',
  'nodejs_gc_duration_seconds_sum',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'process_cpu_seconds_total',
  'process_max_fds',
  'process_open_fds',
  'process_resident_memory_bytes',
  'process_start_time_seconds',
]

/** What Prometheus itself makes. */
const PROMETHEUS = ['up', 'ALERTS']

const RECORDED = OBJECTIVES.flatMap((objective) => [
  budgetRemainingSeries(objective),
  ...BURN_WINDOWS.flatMap(({ long, short }) => [burnRateSeries(objective, long), burnRateSeries(objective, short)]),
])

const definitions: Readonly<Record<string, SeriesDefinition>> = CATALOGUE

const FOREIGN = new Set([...RABBITMQ, ...NODE, ...PROMETHEUS, ...RECORDED])

/** The catalogue’s definition of a series, `_bucket`, `_sum` and `_count` of a histogram included. */
export const definitionOf = (series: string): SeriesDefinition | undefined => {
  if (definitions[series] !== undefined) return definitions[series]
  const histogram = definitions[series.replace(/_(?:bucket|sum|count)$/u, '')]
  return histogram?.type === 'histogram' ? histogram : undefined
}

/** Whether anybody shows this series. */
export const isKnown = (series: string): boolean =>
  FOREIGN.has(series) || (definitionOf(series) !== undefined && definitions[series]?.type !== 'histogram')

const WORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'e6'])

/** Names of series in a PromQL expression: what is neither a function, a word of the language nor a label. */
export const seriesIn = (promql: string): readonly string[] => {
  const bare = promql
    .replace(/"(?:[^"\\]|\\.)*"/gu, '""')
    .replace(/\{[^}]*\}/gu, '')
    .replace(/\[[^\]]*\]/gu, '')
    .replace(/\boffset\s+\w+/gu, '')
    .replace(/\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)/gu, '')
  const names = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/gu)].filter(({ 0: name, index }) => {
    const before = bare[index - 1] ?? ' '
    return !/[\w:.]/u.test(before) && !/^\s*\(/u.test(bare.slice(index + name.length)) && !WORDS.has(name)
  })
  return [...new Set(names.map(([name]) => name))]
}

/** Label names that matchers of catalogued series use, as `[series, label]`. */
export const matchersIn = (promql: string): readonly (readonly [series: string, label: string])[] =>
  [...promql.matchAll(/([a-zA-Z_:][\w:]*)\{([^}]*)\}/gu)].flatMap(([, series = '', inner = '']) =>
    [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/gu)].map(([, label = '']) => [series, label] as const),
  )

/** Labels that the scrape adds to every series. */
export const SCRAPED_LABELS = ['namespace', 'pod', 'job', 'instance', 'le'] as const
