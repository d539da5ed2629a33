import { LABEL_BOUNDS, type SeriesDefinition } from './definition.ts'

const { partition } = LABEL_BOUNDS

const gauge = (unit: SeriesDefinition['unit'], help: string) =>
  ({ type: 'gauge', unit, help, labels: { partition }, owner: 'kernel' }) as const

/** What the partitions of a process show, whatever their machine is. `partition` as people say it: `trading/BTC_USDC/0`. */
export const KERNEL_SERIES = {
  bourse_partition_events_total: {
    type: 'counter',
    unit: 'none',
    help: 'What the kernel of a partition counted: each limit reached, each doubt, each trap, by event.',
    labels: { partition, event: 40 },
    owner: 'kernel',
  },
  bourse_partition_serving: gauge('none', '1 while the partition answers.'),
  bourse_partition_sequence: gauge('records', 'Sequence of the last journaled record.'),
  bourse_partition_waiting_commands: gauge('none', 'Commands and observations that wait for their turn.'),
  bourse_partition_unconfirmed_effects: gauge('none', 'Effects that their receivers have not journaled yet.'),
  bourse_partition_cursor_lag_records: gauge(
    'records',
    'Records since the oldest one that holds an unconfirmed effect; 0 when all are confirmed.',
  ),
  bourse_partition_outside_calls: gauge('none', 'Calls to the outside without a journaled answer.'),
  bourse_partition_parked_reads: gauge('none', 'Reads that wait for an id or a confirmation.'),
  bourse_partition_view_lag_records: gauge('records', 'Records that the views have not folded yet.'),
  bourse_partition_snapshot_bytes: gauge(
    'bytes',
    'Size of the last snapshot that this process stored or started from.',
  ),
  bourse_partition_snapshot_age_seconds: gauge(
    'seconds',
    'Since the last snapshot that this process stored or started from, while records lie behind it; 0 when none do.',
  ),
  bourse_partition_snapshot_lag_records: gauge('records', 'Records since the last snapshot: what a takeover replays.'),
  bourse_partition_memory_bytes: gauge('bytes', 'Memory of the partition’s machine (WASM linear memory).'),
  bourse_partition_stage_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help:
      'Time of a batch by stage: queue (its oldest command’s wait), apply, append (journaled), ' +
      'reply (outcomes and effects handed out).',
    labels: { partition, stage: 4 },
    owner: 'kernel',
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  bourse_partition_batch_commands: {
    type: 'histogram',
    unit: 'none',
    help: 'Commands in a journaled record.',
    labels: { partition },
    owner: 'kernel',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192],
  },
  bourse_partition_settlement_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from an effect’s record until its receiver has journaled it: money on its way between partitions.',
    labels: { partition },
    owner: 'kernel',
  },
  bourse_shard_given_way_total: {
    type: 'counter',
    unit: 'none',
    help: 'Partitions given up because the views name a newer owner.',
    labels: { partition },
    owner: 'kernel',
    profile: 'distributed',
  },
} as const satisfies Record<string, SeriesDefinition>
