import { CHOICES, YES_IS_GOOD } from './choices.ts'
import { amount, max, quantile, rate, select, sum } from './promql.ts'
import type { Dashboard, Row } from './specification.ts'
import { STAGES } from './shards-time.ts'

const HERE = { partition: '=~$partition' } as const

const SYMPTOMS: Row = {
  title: 'Do the partitions answer?',
  panels: [
    {
      title: 'Serving',
      alerts: ['BoursePartitionNotServed'],
      shows: 'Each partition: serving or not.',
      good: 'All lines green all the time; a second of red while a partition moves to another shard.',
      otherwise:
        'Read the reason at `/readyz` of its pod and its log: it recovers by itself from a full disk or a lost ' +
        'server; a trap, a deposed partition or damaged data need hands.',
      unit: 'none',
      view: 'states',
      words: YES_IS_GOOD,
      queries: [{ expr: max(['partition'], select('bourse_partition_serving', HERE)), legend: '{{partition}}' }],
      width: 16,
      seeAlso: ['bourse-operator'],
    },
    {
      title: 'Journaled records',
      alerts: ['BoursePartitionStuck'],
      shows: 'Records that each partition journals a second.',
      good: 'Follows the traffic.',
      otherwise:
        'A line that fell to nothing while commands wait: look at the stages below, the slow one names the cause.',
      unit: 'recordsPerSecond',
      queries: [
        {
          expr: sum(['partition'], `deriv(${select('bourse_partition_sequence', HERE)}[$__rate_interval])`),
          legend: '{{partition}}',
        },
      ],
    },
    {
      title: 'Waiting commands',
      alerts: ['BoursePartitionStuck', 'BoursePartitionOverloaded'],
      shows: 'Commands and observations that wait for their turn.',
      good: 'Close to 0; a burst drains within a second.',
      otherwise:
        'It grows: the partition is saturated or its journal stands still. Compare “Utilisation” and “Append time”.',
      unit: 'count',
      queries: [
        { expr: sum(['partition'], select('bourse_partition_waiting_commands', HERE)), legend: '{{partition}}' },
      ],
      limits: { bad: 'above', warning: 256, critical: 1024 },
    },
    {
      title: 'Commands a second',
      shows: 'Commands in journaled records.',
      good: 'Follows the orders on the overview.',
      otherwise: 'Orders come in and none is journaled: the way to the partition is broken, see the broker.',
      unit: 'requestsPerSecond',
      queries: [{ expr: sum(['partition'], amount('bourse_partition_batch_commands', HERE)), legend: '{{partition}}' }],
      seeAlso: ['bourse-broker'],
    },
    {
      title: 'Limits, doubts and traps',
      alerts: [
        'BourseEngineFault',
        'BoursePartitionRebuilding',
        'BoursePartitionOverloaded',
        'BourseAppendRetried',
        'BourseSnapshotFailing',
      ],
      shows: 'What the kernel counted, by event, a second.',
      good: 'Nothing but retries now and then; never a trap.',
      otherwise:
        'A trap or fault: find the command with the log’s id and `npm run inspect`. A limit reached: the name ' +
        'says which; docs/failure-modes.md, “Full”, says what heals it.',
      unit: 'eventsPerSecond',
      queries: [
        {
          expr: sum(['partition', 'event'], rate('bourse_partition_events_total', HERE)),
          legend: '{{partition}} {{event}}',
        },
      ],
    },
  ],
}

const BETWEEN: Row = {
  title: 'Does money arrive at the other partitions?',
  panels: [
    {
      title: 'Settlement time',
      alerts: ['BourseSettlementBudgetBurn'],
      shows: 'Time from an effect’s record until its receiver has journaled it.',
      good: 'p99 below 1 s.',
      otherwise:
        'A receiver does not serve or the broker does not deliver; holds stay locked meanwhile, nothing is lost.',
      unit: 'seconds',
      queries: [
        {
          expr: quantile(0.5, 'bourse_partition_settlement_seconds', ['partition'], HERE),
          legend: '{{partition}} p50',
        },
        {
          expr: quantile(0.99, 'bourse_partition_settlement_seconds', ['partition'], HERE),
          legend: '{{partition}} p99',
        },
      ],
      limits: { bad: 'above', warning: 1, critical: 5 },
      seeAlso: ['bourse-money', 'bourse-broker'],
    },
    {
      title: 'Unconfirmed effects',
      alerts: ['BourseEffectsUnconfirmed'],
      shows: 'Effects whose receivers have not journaled them yet.',
      good: 'Close to 0 and falling after a burst.',
      otherwise: 'At 65,536 clients get UNAVAILABLE. Find the receiver that does not serve in the first row.',
      unit: 'count',
      queries: [
        { expr: sum(['partition'], select('bourse_partition_unconfirmed_effects', HERE)), legend: '{{partition}}' },
      ],
      limits: { bad: 'above', warning: 32768, critical: 65536 },
    },
    {
      title: 'Cursor lag',
      alerts: ['BourseEffectsUnconfirmed'],
      shows: 'Records since the oldest one that holds an unconfirmed effect.',
      good: 'A few; 0 when idle.',
      otherwise: 'One effect is stuck while others pass: its receiver refuses to answer. The sender’s log names both.',
      unit: 'records',
      queries: [
        { expr: sum(['partition'], select('bourse_partition_cursor_lag_records', HERE)), legend: '{{partition}}' },
      ],
    },
    {
      title: 'View lag',
      alerts: ['BourseViewLag'],
      shows: 'Records that the views have not folded yet.',
      good: 'Below a second’s worth of records.',
      otherwise:
        'Lists are old; past five minutes keyed commands are refused UNAVAILABLE. The database of the views is slow or away.',
      unit: 'records',
      queries: [
        { expr: sum(['partition'], select('bourse_partition_view_lag_records', HERE)), legend: '{{partition}}' },
      ],
      limits: { bad: 'above', warning: 1000, critical: 10000 },
      seeAlso: ['bourse-broker'],
    },
    {
      title: 'Outside calls and parked reads',
      shows: 'Calls to the outside without a journaled answer, and reads that wait for an id or a confirmation.',
      good: 'As many as requests under way.',
      otherwise: 'Calls grow: a bank or an exchange does not answer. Reads grow: commands are not journaled.',
      unit: 'count',
      queries: [
        { expr: sum(['partition'], select('bourse_partition_outside_calls', HERE)), legend: '{{partition}} calls' },
        { expr: sum(['partition'], select('bourse_partition_parked_reads', HERE)), legend: '{{partition}} reads' },
      ],
      seeAlso: ['bourse-bridge'],
    },
    {
      title: 'Partitions given up',
      alerts: ['BoursePartitionGivenWay'],
      shows: 'Partitions that a shard let go because the views name a newer owner.',
      good: 'Only with moves.',
      otherwise:
        'Without a move: two shards believed to own it, and the fence held. Look at the moves of the operator.',
      unit: 'eventsPerSecond',
      queries: [
        {
          expr: sum(['partition', 'pod'], rate('bourse_shard_given_way_total', HERE)),
          legend: '{{partition}} {{pod}}',
        },
      ],
      seeAlso: ['bourse-operator'],
    },
  ],
}

const TAKEOVER: Row = {
  title: 'How long would a takeover take, and is there memory left?',
  panels: [
    {
      title: 'Snapshot age',
      alerts: ['BourseSnapshotTooOld', 'BourseSnapshotFailing'],
      shows: 'Since the last snapshot, while records lie behind it.',
      good: 'Rises and falls like a saw; no tooth longer than the configured interval.',
      otherwise: 'Snapshots fail (log: “a snapshot failed”): a takeover replays ever more. Nothing is lost.',
      unit: 'seconds',
      queries: [
        { expr: max(['partition'], select('bourse_partition_snapshot_age_seconds', HERE)), legend: '{{partition}}' },
      ],
      limits: { bad: 'above', warning: 1800, critical: 3600 },
    },
    {
      title: 'Snapshot lag',
      shows: 'Records since the last snapshot: what a takeover replays.',
      good: 'As the age.',
      otherwise:
        'A takeover replays them all: docs/performance.md (recovery/replay) has how many go in a second. See the snapshot age.',
      unit: 'records',
      queries: [
        { expr: max(['partition'], select('bourse_partition_snapshot_lag_records', HERE)), legend: '{{partition}}' },
      ],
    },
    {
      title: 'Snapshot size',
      shows: 'Bytes of the last snapshot.',
      good: 'Grows with accounts, trades and ids, slowly.',
      otherwise: 'A jump: a table fills. Compare it with the number of open trades and holds.',
      unit: 'bytes',
      queries: [{ expr: max(['partition'], select('bourse_partition_snapshot_bytes', HERE)), legend: '{{partition}}' }],
    },
    {
      title: 'Machine memory',
      shows: 'WASM memory of each partition; taken once at its start.',
      good: 'Flat.',
      otherwise: 'It grew: the machine should not allocate; keep a heap profile and report it.',
      unit: 'bytes',
      queries: [{ expr: max(['partition'], select('bourse_partition_memory_bytes', HERE)), legend: '{{partition}}' }],
    },
    {
      title: 'Event loop lag of the shards',
      shows: 'p99 of the event loop’s delay in each process.',
      good: 'Below 50 ms.',
      otherwise: 'Something blocks the process: the Node dashboard tells memory and collection from computing.',
      unit: 'seconds',
      queries: [{ expr: max(['pod'], select('nodejs_eventloop_lag_p99_seconds')), legend: '{{pod}}' }],
      limits: { bad: 'above', warning: 0.05, critical: 0.1 },
      seeAlso: ['bourse-node'],
    },
    {
      title: 'Garbage collection',
      shows: 'Share of the time spent collecting.',
      good: 'Below 5 %.',
      otherwise: 'Memory runs out or something allocates too much: take a heap profile.',
      unit: 'ratio',
      queries: [{ expr: sum(['pod'], amount('nodejs_gc_duration_seconds')), legend: '{{pod}}' }],
      limits: { bad: 'above', warning: 0.05, critical: 0.2 },
      seeAlso: ['bourse-node'],
    },
    {
      title: 'Process memory',
      shows: 'Resident memory of each process.',
      good: 'Flat after the start.',
      otherwise: 'Rises for hours: a leak. Heap used on the Node dashboard tells where.',
      unit: 'bytes',
      queries: [{ expr: max(['pod'], select('process_resident_memory_bytes')), legend: '{{pod}}' }],
      seeAlso: ['bourse-node'],
    },
  ],
}

/** Utilisation, saturation and errors of each partition. */
export const SHARDS: Dashboard = {
  uid: 'bourse-shards',
  title: 'Trading shards',
  description:
    'Partitions of markets, ledger and bridge: do they answer, where does time go, what would a takeover cost.',
  choices: [CHOICES.partition],
  rows: [SYMPTOMS, STAGES, BETWEEN, TAKEOVER],
}
