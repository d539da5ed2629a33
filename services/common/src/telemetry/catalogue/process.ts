import type { SeriesDefinition } from './definition.ts'

const server = 4

/** What every process shows of itself and of the servers it works with; Node's own series come from prom-client. */
export const PROCESS_SERIES = {
  bourse_build_info: {
    type: 'gauge',
    unit: 'none',
    help: '1; the labels tell which program of which version this is, and on which Node it runs.',
    labels: { program: 16, version: 2, node: 2 },
    owner: 'process',
  },
  bourse_series_clamped_total: {
    type: 'counter',
    unit: 'none',
    help: 'Observations shown as `other` because a label of the series had reached its bound.',
    labels: { series: 128 },
    owner: 'process',
  },
  bourse_log_lines_total: {
    type: 'counter',
    unit: 'none',
    help: 'Lines logged, by level.',
    labels: { level: 8 },
    owner: 'process',
  },
  bourse_manifest_looks_failed: {
    type: 'gauge',
    unit: 'none',
    help: 'Looks at stored manifests that failed since the start.',
    labels: {},
    owner: 'process',
    profile: 'distributed',
  },
  bourse_clock_offset_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'This process’s clock less that of a server, within half of the round trip that measured it.',
    labels: { server },
    owner: 'servers',
    profile: 'distributed',
  },
  bourse_data_folder_free_ratio: {
    type: 'gauge',
    unit: 'ratio',
    help: 'Free part of the disk that the data folder lies on.',
    labels: {},
    owner: 'process',
    profile: 'embedded',
  },
  bourse_server_connected: {
    type: 'gauge',
    unit: 'none',
    help: '1 while a connection to a server works.',
    labels: { server, connection: 8 },
    owner: 'servers',
    profile: 'distributed',
  },
  bourse_server_waiting: {
    type: 'gauge',
    unit: 'none',
    help: 'What waits for a server at the moment.',
    labels: { server, what: 16 },
    owner: 'servers',
    profile: 'distributed',
  },
  bourse_server_events_total: {
    type: 'counter',
    unit: 'none',
    help: 'What the adapter of a server counted, by event: each limit reached, each reconnect, each loss.',
    labels: { server, event: 128 },
    owner: 'servers',
    profile: 'distributed',
  },
  bourse_bus_messages_total: {
    type: 'counter',
    unit: 'none',
    help:
      'Messages at the broker by what became of them: published, confirmed, refused (queue full), returned (no queue), ' +
      'redelivered, dead_lettered.',
    labels: { event: 8 },
    owner: 'servers',
    profile: 'distributed',
  },
  bourse_bus_dead_letters: {
    type: 'gauge',
    unit: 'none',
    help: 'Messages set aside because nobody could read them; the same number wherever it is shown.',
    labels: {},
    owner: 'servers',
  },
} as const satisfies Record<string, SeriesDefinition>
