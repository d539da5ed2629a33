import type { LabelOf, SeriesName, SeriesOfType } from '@bourse/common/telemetry/catalogue/catalogue.ts'

/** Series that every Node process shows (prom-client's defaults), with their labels. */
export const NODE_SERIES = {
  process_cpu_seconds_total: { type: 'counter', labels: [] },
  process_open_fds: { type: 'gauge', labels: [] },
  process_max_fds: { type: 'gauge', labels: [] },
  process_resident_memory_bytes: { type: 'gauge', labels: [] },
  process_start_time_seconds: { type: 'gauge', labels: [] },
  nodejs_active_resources: { type: 'gauge', labels: ['type'] },
  nodejs_eventloop_lag_p50_seconds: { type: 'gauge', labels: [] },
  nodejs_eventloop_lag_p99_seconds: { type: 'gauge', labels: [] },
  nodejs_eventloop_lag_max_seconds: { type: 'gauge', labels: [] },
  nodejs_external_memory_bytes: { type: 'gauge', labels: [] },
  nodejs_gc_duration_seconds: { type: 'histogram', labels: ['kind'] },
  nodejs_heap_size_total_bytes: { type: 'gauge', labels: [] },
  nodejs_heap_size_used_bytes: { type: 'gauge', labels: [] },
} as const

/** Series of RabbitMQ’s own plugin `rabbitmq_prometheus`, all objects together; 3.10 and later have them. */
export const RABBITMQ_SERIES = {
  rabbitmq_alarms_file_descriptor_limit: { type: 'gauge', labels: [] },
  rabbitmq_alarms_free_disk_space_watermark: { type: 'gauge', labels: [] },
  rabbitmq_alarms_memory_used_watermark: { type: 'gauge', labels: [] },
  rabbitmq_channels: { type: 'gauge', labels: [] },
  rabbitmq_connections: { type: 'gauge', labels: [] },
  rabbitmq_connections_closed_total: { type: 'counter', labels: [] },
  rabbitmq_connections_opened_total: { type: 'counter', labels: [] },
  rabbitmq_disk_space_available_bytes: { type: 'gauge', labels: [] },
  rabbitmq_disk_space_available_limit_bytes: { type: 'gauge', labels: [] },
  rabbitmq_global_messages_acknowledged_total: { type: 'counter', labels: ['queue_type'] },
  rabbitmq_global_messages_confirmed_total: { type: 'counter', labels: [] },
  rabbitmq_global_messages_delivered_total: { type: 'counter', labels: ['queue_type'] },
  rabbitmq_global_messages_received_total: { type: 'counter', labels: [] },
  rabbitmq_global_messages_redelivered_total: { type: 'counter', labels: ['queue_type'] },
  rabbitmq_global_messages_unroutable_dropped_total: { type: 'counter', labels: [] },
  rabbitmq_global_messages_unroutable_returned_total: { type: 'counter', labels: [] },
  rabbitmq_process_max_fds: { type: 'gauge', labels: [] },
  rabbitmq_process_open_fds: { type: 'gauge', labels: [] },
  rabbitmq_process_resident_memory_bytes: { type: 'gauge', labels: [] },
  rabbitmq_queue_consumers: { type: 'gauge', labels: ['queue'] },
  rabbitmq_queue_messages_ready: { type: 'gauge', labels: ['queue'] },
  rabbitmq_queue_messages_unacked: { type: 'gauge', labels: ['queue'] },
  rabbitmq_queues: { type: 'gauge', labels: [] },
  rabbitmq_resident_memory_limit_bytes: { type: 'gauge', labels: [] },
} as const

/** Series that Prometheus makes itself. */
export const MONITOR_SERIES = {
  ALERTS: { type: 'gauge', labels: ['alertname', 'alertstate', 'severity', 'component'] },
  up: { type: 'gauge', labels: [] },
} as const

type Foreign = typeof NODE_SERIES & typeof RABBITMQ_SERIES & typeof MONITOR_SERIES
type ForeignName = keyof Foreign
type ForeignOfType<Type extends string> = {
  [Name in ForeignName]: Foreign[Name]['type'] extends Type ? Name : never
}[ForeignName]

/** A series that a panel may show: of the platform, of Node, of RabbitMQ or of Prometheus. */
export type AnySeries = SeriesName | ForeignName
/** Series of a type. */
export type AnyOfType<Type extends 'counter' | 'gauge' | 'histogram'> = SeriesOfType<Type> | ForeignOfType<Type>

/** Labels that the scrape adds. */
type ScrapeLabel = 'job' | 'pod' | 'instance'
/** Labels of a series, the scrape’s included. */
export type AnyLabelOf<Name extends AnySeries> =
  | ScrapeLabel
  | (Name extends SeriesName ? LabelOf<Name> : Name extends ForeignName ? Foreign[Name]['labels'][number] : never)

/** Any label of any series. */
export type AnyLabel = { [Name in AnySeries]: AnyLabelOf<Name> }[AnySeries]

/** What a selector asks of labels: a value, or an operator and a value, as in `=~$partition` and `!=other`. */
export type Where<Name extends AnySeries> = { readonly [Label in AnyLabelOf<Name>]?: string }
