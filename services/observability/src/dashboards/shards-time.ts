import { amount, mean, observed, quantile, sum } from './promql.ts'
import type { Panel, Query, Row } from './specification.ts'

/** p50 and p99 of a stage of a batch, by partition. */
const HERE = { partition: '=~$partition' } as const

const stageQueries = (stage: 'queue' | 'apply' | 'append' | 'reply'): readonly Query[] =>
  ([0.5, 0.99] as const).map((share) => ({
    expr: quantile(share, 'bourse_partition_stage_seconds', ['partition'], { ...HERE, stage }),
    legend: `{{partition}} p${share * 100}`,
  }))

const stage = (
  name: 'queue' | 'apply' | 'append' | 'reply',
  words: Pick<Panel, 'title' | 'shows' | 'good' | 'otherwise' | 'seeAlso' | 'alerts'>,
  limits: Panel['limits'],
): Panel => ({ ...words, unit: 'seconds', queries: stageQueries(name), width: 12, ...(limits && { limits }) })

/** Stages of a batch, and how full the partitions are. */
export const STAGES: Row = {
  title: 'Where does a batch spend its time?',
  panels: [
    stage(
      'queue',
      {
        title: 'Queue time',
        shows: 'Wait of a batch’s oldest command until its turn.',
        good: 'p99 below 10 ms: a batch waits for the one before it, no longer.',
        otherwise:
          'The partition is busy or its event loop is blocked: look at the other stages, then at the event loop.',
      },
      { bad: 'above', warning: 0.01, critical: 0.05 },
    ),
    stage(
      'apply',
      {
        title: 'Apply time',
        shows: 'Time in the machine for a whole batch.',
        good: 'p99 below 10 ms.',
        otherwise:
          'Batches have grown (see their size), a market liquidates many trades, or the processor is taken away from the pod.',
      },
      { bad: 'above', warning: 0.01, critical: 0.1 },
    ),
    stage(
      'append',
      {
        title: 'Append time',
        alerts: ['BourseAppendSlow', 'BourseAppendRetried'],
        shows: 'Time until the journal has acknowledged a record.',
        good: 'p99 below 25 ms with majority writes, a few milliseconds on a local disk.',
        otherwise: 'The journal’s server or disk is slow: everything waits for it and nothing is lost. See storage.',
        seeAlso: ['bourse-broker'],
      },
      { bad: 'above', warning: 0.025, critical: 0.1 },
    ),
    stage(
      'reply',
      {
        title: 'Reply time',
        shows: 'Time to hand out outcomes and effects of a journaled record.',
        good: 'p99 below 10 ms.',
        otherwise: 'The broker does not take messages: see its memory and disk alarms.',
        seeAlso: ['bourse-broker'],
      },
      { bad: 'above', warning: 0.01, critical: 0.1 },
    ),
    {
      title: 'Utilisation',
      shows: 'Share of the time that a partition spends applying and appending: one batch at a time, so 100 % is full.',
      good: 'Below 60 %: a burst finds room.',
      otherwise: 'Near 100 %: fewer markets on this shard, more partitions, or a faster journal.',
      unit: 'ratio',
      queries: [
        {
          expr: sum(['partition'], amount('bourse_partition_stage_seconds', { ...HERE, stage: '=~apply|append' })),
          legend: '{{partition}}',
        },
      ],
      limits: { bad: 'above', warning: 0.6, critical: 0.9 },
    },
    {
      title: 'Batch size',
      shows: 'Commands in a record: mean and p99.',
      good: 'Small when idle, larger under load: batches are what keeps the journal up with it.',
      otherwise: 'At 4,096 the bound of a record is reached; the rest waits for the next one.',
      unit: 'count',
      queries: [
        { expr: mean('bourse_partition_batch_commands', ['partition'], HERE), legend: '{{partition}} mean' },
        {
          expr: quantile(0.99, 'bourse_partition_batch_commands', ['partition'], HERE),
          legend: '{{partition}} p99',
        },
      ],
      limits: { bad: 'above', critical: 4096 },
    },
    {
      title: 'Batches a second',
      shows: 'Records that were journaled and handed out, by partition.',
      good: 'Steady under steady load.',
      otherwise: 'Falls while commands wait: each batch takes longer, see the stages.',
      unit: 'recordsPerSecond',
      queries: [
        { expr: sum(['partition'], observed('bourse_partition_batch_commands', HERE)), legend: '{{partition}}' },
      ],
    },
  ],
}
