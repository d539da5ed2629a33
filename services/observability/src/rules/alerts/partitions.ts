import type { AlertRule, RuleContext } from '../alert-rule.ts'
import { rise, select } from '../expressions.ts'

const partitions = { dashboard: 'bourse-shards', component: 'partitions' } as const

/** Unconfirmed effects that a partition keeps; beyond it clients' commands are refused. */
const EFFECTS_MAX = 65_536
const BY = 'by (namespace, partition)'

/** How long a partition that nobody shows any more is missed, seconds. */
const DAY = 86_400

/** Symbols that the market showed within `window` and shows no longer, though it shows others: their pairs were deleted. */
const takenAway = (selector: string, window: string): string => {
  const live = select('bourse_market_feed_live', selector)
  return (
    `max by (namespace, symbol) (last_over_time(${live}[${window}])) unless on (namespace, symbol) ${live} ` +
    `and on (namespace) ${live}`
  )
}

/** What kernels counted of `event` (a regular expression), by partition. */
const counted = (context: RuleContext, seconds: number, event: string): string =>
  rise(context, seconds, { series: 'bourse_partition_events_total', matchers: [`event=~"${event}"`], by: 'partition' })

/** Sequence of the oldest record that somebody still has to confirm. */
const cursor = (selector: string): string => {
  const lag = select('bourse_partition_cursor_lag_records', selector)
  return `(max ${BY} (${select('bourse_partition_sequence', selector)}) - max ${BY} (${lag}))`
}

/** A partition takes no commands, or takes them and does nothing. */
const STANDSTILL: readonly AlertRule[] = [
  {
    ...partitions,
    alert: 'BoursePartitionNotServed',
    panel: 'Serving',
    severity: 'critical',
    expr: ({ selector, duration }) => {
      const serving = select('bourse_partition_serving', selector)
      const before = `max ${BY} (last_over_time(${serving}[${duration(DAY)}]))`
      const unserved = `(${before} unless max ${BY} (${serving}) == 1)`
      const withSymbol = `label_replace(${unserved}, "symbol", "$1", "partition", "trading/(.+)/[0-9]+")`
      return `${withSymbol} unless on (namespace, symbol) (${takenAway(selector, duration(DAY))})`
    },
    forSeconds: 30,
    summary: 'Nobody serves {{ $labels.partition }}',
    description:
      'Commands to it are refused as UNAVAILABLE once their time is over; what was acknowledged is safe in the journal.',
  },
  {
    ...partitions,
    alert: 'BoursePartitionStuck',
    panel: 'Journaled records',
    severity: 'critical',
    expr: ({ selector, duration }) =>
      `max ${BY} (min_over_time(${select('bourse_partition_waiting_commands', selector)}[${duration(60)}])) > 0 and ` +
      `max ${BY} (changes(${select('bourse_partition_sequence', selector)}[${duration(60)}])) == 0`,
    forSeconds: 30,
    summary: 'Commands wait at {{ $labels.partition }} and its sequence does not move',
    description: 'It says that it serves, but writes nothing: {{ $value }} commands have waited for a minute.',
  },
  {
    ...partitions,
    alert: 'BoursePartitionRebuilding',
    panel: 'Limits, doubts and traps',
    severity: 'warning',
    expr: (context) => `${counted(context, 600, 'rebuilds')} > 0`,
    forSeconds: 0,
    summary: '{{ $labels.partition }} gave its state up and rebuilt it from the journal',
    description:
      'After a trap, or an append whose end nobody knew. Commands waited meanwhile; repeated rebuilds stop the partition.',
  },
  {
    ...partitions,
    alert: 'BoursePartitionGivenWay',
    panel: 'Partitions given up',
    severity: 'warning',
    expr: (context) => `${rise(context, 600, { series: 'bourse_shard_given_way_total', by: 'partition' })} > 0`,
    forSeconds: 0,
    summary: 'Two shards had {{ $labels.partition }} at once',
    description: 'The journal takes one writer only, so nothing is lost; a move did not reach its old owner.',
  },
  {
    ...partitions,
    alert: 'BourseEngineFault',
    panel: 'Limits, doubts and traps',
    severity: 'warning',
    expr: (context) => `${counted(context, 900, 'traps|engineFaults|droppedFaulty')} > 0`,
    forSeconds: 0,
    summary: 'A command trapped at {{ $labels.partition }}',
    description:
      'A bug: the command is refused as ENGINE_FAULT, its holds are released, the others go on. It has to be mended.',
  },
  {
    ...partitions,
    alert: 'BoursePartitionOverloaded',
    panel: 'Waiting commands',
    severity: 'warning',
    expr: (context) => `${counted(context, 300, 'overloaded|droppedObservations')} > 0`,
    forSeconds: 60,
    summary: '{{ $labels.partition }} is offered more than it can take',
    description:
      'A limit of waiting commands, effects or prices was reached: commands are refused as UNAVAILABLE, old prices dropped.',
  },
]

/** The journal, its snapshots and what hangs on them. */
const STORAGE: readonly AlertRule[] = [
  {
    ...partitions,
    alert: 'BourseAppendSlow',
    panel: 'Append time',
    severity: 'warning',
    expr: ({ selector, duration }) => {
      const buckets = select('bourse_partition_stage_seconds_bucket', selector, 'stage="append"')
      return `histogram_quantile(0.99, sum by (namespace, partition, le) (rate(${buckets}[${duration(300)}]))) > 0.1`
    },
    forSeconds: 120,
    summary: 'Appends to the journal of {{ $labels.partition }} take {{ $value | humanizeDuration }}',
    description: 'Every command waits for its append: the database or its disk is slow.',
  },
  {
    ...partitions,
    alert: 'BourseAppendRetried',
    panel: 'Limits, doubts and traps',
    severity: 'warning',
    expr: (context) => `${counted(context, 600, 'appendRetries')} > 0`,
    forSeconds: 0,
    summary: 'Appends to the journal of {{ $labels.partition }} had to be repeated',
    description:
      'The journal did not answer, or refused: a full disk, an election, a broken connection. Nothing was released meanwhile.',
  },
  {
    ...partitions,
    alert: 'BourseSnapshotFailing',
    panel: 'Limits, doubts and traps',
    severity: 'warning',
    expr: (context) => `${counted(context, 1_800, 'snapshotsFailed')} > 0`,
    forSeconds: 0,
    summary: 'A snapshot of {{ $labels.partition }} failed',
    description: 'Trading goes on. Without snapshots a takeover replays more and more of the journal.',
  },
  {
    ...partitions,
    alert: 'BourseSnapshotTooOld',
    panel: 'Snapshot age',
    severity: 'warning',
    expr: ({ selector }) => `max ${BY} (${select('bourse_partition_snapshot_age_seconds', selector)}) > 3600`,
    forSeconds: 300,
    summary: 'The last snapshot of {{ $labels.partition }} is {{ $value | humanizeDuration }} old',
    description: 'Records lie behind it: a takeover has to replay them, and clients wait that long.',
  },
  {
    ...partitions,
    alert: 'BourseViewLag',
    panel: 'View lag',
    severity: 'warning',
    expr: ({ selector, duration }) => {
      const lag = select('bourse_partition_view_lag_records', selector)
      const minute = `max ${BY} (delta(${select('bourse_partition_sequence', selector)}[${duration(60)}]))`
      return `max ${BY} (min_over_time(${lag}[${duration(60)}])) > 0 and max ${BY} (${lag}) > ${minute}`
    },
    forSeconds: 60,
    summary: 'The views of {{ $labels.partition }} are more than a minute behind',
    description:
      'Lists and histories are old. After 5 minutes commands with an idempotency key are refused as UNAVAILABLE.',
  },
  {
    ...partitions,
    alert: 'BourseEffectsUnconfirmed',
    panel: 'Unconfirmed effects',
    severity: 'warning',
    expr: ({ selector, duration }) => {
      const unconfirmed = select('bourse_partition_unconfirmed_effects', selector)
      const stands = `changes(${cursor(selector)}[${duration(300)}:${duration(15)}]) == 0`
      return (
        `(max ${BY} (min_over_time(${unconfirmed}[${duration(300)}])) > 0 and ${stands}) ` +
        `or max ${BY} (${unconfirmed}) > ${EFFECTS_MAX / 2}`
      )
    },
    forSeconds: 60,
    summary: 'What {{ $labels.partition }} owes other partitions is not confirmed',
    description:
      'Money is on its way and does not arrive: {{ $value }} effects wait. Above 65,536 clients’ commands are refused.',
  },
]

/** Partitions, their journals and their effects. */
export const PARTITION_ALERTS: readonly AlertRule[] = [...STANDSTILL, ...STORAGE]
