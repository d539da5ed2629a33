import { YES_IS_GOOD } from './choices.ts'
import { increase, max, min, quantile, rate, select, sum } from './promql.ts'
import type { Dashboard, Row } from './specification.ts'

const SYMPTOMS: Row = {
  title: 'Are partitions and resources looked after?',
  panels: [
    {
      title: 'Unserved partitions',
      shows: 'Partitions that no shard serves, by group.',
      good: '0; a moment above it while a shard is replaced.',
      otherwise: 'The shard’s pod does not start or does not answer: `kubectl describe pod`, then its log.',
      unit: 'count',
      queries: [{ expr: max(['group'], select('bourse_operator_partitions_unserved')), legend: '{{group}}' }],
      limits: { bad: 'above', critical: 1 },
      seeAlso: ['bourse-shards'],
    },
    {
      title: 'Leader',
      shows: 'How many operators lead.',
      good: '1.',
      otherwise:
        '0: nobody reconciles; trading goes on, nothing is moved. 2: one of them lost its lease and will stop within seconds.',
      unit: 'count',
      view: 'number',
      queries: [{ expr: sum([], select('leader_election_master_status')), legend: 'leaders' }],
      words: { 0: { text: 'none', color: 'red' }, 1: { text: 'one', color: 'green' } },
      width: 4,
      alerts: ['BourseOperatorHasNoLeader'],
    },
    {
      title: 'Resources ready',
      alerts: ['BourseResourceNotReady'],
      shows: 'Each TradingPair and Bank: its condition Ready.',
      good: 'All green.',
      otherwise:
        '`kubectl describe` shows the condition’s reason; docs/operations/conditions-and-events.md what it means.',
      unit: 'none',
      view: 'states',
      words: YES_IS_GOOD,
      queries: [{ expr: min(['kind', 'name'], select('bourse_operator_resource_ready')), legend: '{{kind}} {{name}}' }],
      width: 12,
    },
    {
      title: 'Reconcile errors',
      shows: 'Reconciliations that threw, and those that are not tried again, by controller.',
      good: 'None but single conflicts.',
      otherwise: 'The operator’s log has the error with the resource’s name; its events too.',
      unit: 'eventsPerSecond',
      queries: [
        {
          expr: sum(['controller'], rate('controller_runtime_reconcile_errors_total')),
          legend: '{{controller}} errors',
        },
        {
          expr: sum(['controller'], rate('controller_runtime_terminal_reconcile_errors_total')),
          legend: '{{controller}} given up',
        },
      ],
      alerts: ['BourseReconcileErrors'],
    },
    {
      title: 'Bank key age',
      alerts: ['BourseKeyRotationOverdue'],
      shows: 'Since each bank’s key was made, and how long until it has to be rotated.',
      good: 'Time is left until the rotation; below 0 it is late, and more than a day late somebody is told.',
      otherwise: 'The rotation does not happen: see the Bank’s events; docs/operations/keys.md rotates by hand.',
      unit: 'seconds',
      queries: [
        {
          expr: `time() - ${max(['bank'], select('bourse_operator_bank_key_rotated_seconds'))}`,
          legend: '{{bank}} age',
        },
        {
          expr: `${max(['bank'], select('bourse_operator_bank_key_due_seconds'))} - time()`,
          legend: '{{bank}} until rotation',
        },
      ],
      limits: { bad: 'below', warning: 0, critical: -86_400 },
    },
    {
      title: 'Key rotations',
      shows: 'Rotations of bank keys within the window, by cause.',
      good: 'As planned.',
      otherwise: 'More than planned: somebody asks for them, or the secret is changed by another hand.',
      unit: 'count',
      queries: [{ expr: sum(['cause'], increase('bourse_operator_bank_key_rotations_total')), legend: '{{cause}}' }],
    },
  ],
}

const MOVES: Row = {
  title: 'Do moves go well?',
  panels: [
    {
      title: 'Moves',
      alerts: ['BoursePartitionMovesFailing'],
      shows: 'Partitions moved between shards within the window, by result.',
      good: 'Only around updates and scaling, all done.',
      otherwise:
        'Failed: the operator’s log names shard and step; the partition stays with its owner and is tried again.',
      unit: 'count',
      queries: [
        {
          expr: sum(['group', 'result'], increase('bourse_operator_partition_moves_total')),
          legend: '{{group}} {{result}}',
        },
      ],
    },
    {
      title: 'Time of moves',
      shows: 'p99 from the preparation at the new shard to its acquisition.',
      good: 'Below 5 s; clients wait for a small part of it.',
      otherwise: 'The new shard replays too much: see the snapshot lag of the shards.',
      unit: 'seconds',
      queries: [{ expr: quantile(0.99, 'bourse_operator_partition_move_seconds', ['group']), legend: '{{group}} p99' }],
      limits: { bad: 'above', warning: 5, critical: 30 },
      seeAlso: ['bourse-shards'],
    },
    {
      title: 'Acquisitions',
      alerts: ['BoursePartitionMovesFailing'],
      shows: 'Orders to serve a partition that nobody served, within the window.',
      good: 'Only at the first start and after a shard died.',
      otherwise: 'Again and again: a shard dies and comes back; `kubectl describe pod` says why.',
      unit: 'count',
      queries: [
        {
          expr: sum(['group', 'result'], increase('bourse_operator_partition_acquisitions_total')),
          legend: '{{group}} {{result}}',
        },
      ],
    },
    {
      title: 'Epoch',
      shows: 'The highest epoch that was given to an order: who has a lower one may write nothing.',
      good: 'Rises by one with each move or acquisition, never falls.',
      otherwise: 'It fell: the operator reads another database. Stop it before it gives orders.',
      unit: 'none',
      queries: [{ expr: max([], select('bourse_operator_epoch')), legend: 'epoch' }],
    },
  ],
}

const MACHINERY: Row = {
  title: 'Does the machinery keep up?',
  panels: [
    {
      title: 'Reconciliations',
      shows: 'Reconciliations a second, by controller and result.',
      good: 'A few, more after changes.',
      otherwise: 'Hundreds: a loop in which a write leads to the next look. Which controller says what to look at.',
      unit: 'requestsPerSecond',
      queries: [
        {
          expr: sum(['controller', 'result'], rate('controller_runtime_reconcile_total')),
          legend: '{{controller}} {{result}}',
        },
      ],
    },
    {
      title: 'Reconcile time',
      shows: 'p99 of reconciliations, by controller.',
      good: 'Below 1 s.',
      otherwise: 'The API server, a shard or the views answer slowly; the longest work below shows whether one hangs.',
      unit: 'seconds',
      queries: [
        {
          expr: quantile(0.99, 'controller_runtime_reconcile_time_seconds', ['controller']),
          legend: '{{controller}} p99',
        },
      ],
      limits: { bad: 'above', warning: 1, critical: 10 },
    },
    {
      title: 'Work queue',
      alerts: ['BourseWorkqueueStuck'],
      shows: 'Keys that wait, and keys added again after a failure.',
      good: 'Close to 0.',
      otherwise: 'Keys wait: workers are busy or hang. Retries: see the errors.',
      unit: 'count',
      queries: [
        { expr: sum(['name'], select('workqueue_depth')), legend: '{{name}} waiting' },
        { expr: sum(['name'], rate('workqueue_retries_total')), legend: '{{name}} retries a second' },
        { expr: sum(['name'], rate('workqueue_adds_total')), legend: '{{name}} added a second' },
      ],
    },
    {
      title: 'Time in the queue and at work',
      shows: 'p99 of a key’s wait and of its work.',
      good: 'Both below 1 s.',
      otherwise: 'Long waits with short work: too few workers. Long work: see the reconcile time.',
      unit: 'seconds',
      queries: [
        { expr: quantile(0.99, 'workqueue_queue_duration_seconds', ['name']), legend: '{{name}} waits' },
        { expr: quantile(0.99, 'workqueue_work_duration_seconds', ['name']), legend: '{{name}} works' },
      ],
    },
    {
      title: 'Work under way',
      alerts: ['BourseWorkqueueStuck'],
      shows: 'The longest work under way and all of it together.',
      good: 'Seconds.',
      otherwise: 'One that grows without end hangs: restart the operator; trading does not notice.',
      unit: 'seconds',
      queries: [
        { expr: max(['name'], select('workqueue_longest_running_processor_seconds')), legend: '{{name}} longest' },
        { expr: sum(['name'], select('workqueue_unfinished_work_seconds')), legend: '{{name}} all' },
      ],
      limits: { bad: 'above', warning: 30, critical: 120 },
    },
    {
      title: 'Workers',
      shows: 'Busy workers as a part of all, by controller.',
      good: 'Below 80 %.',
      otherwise: 'Full: keys wait behind slow ones; see what is under way.',
      unit: 'ratio',
      queries: [
        {
          expr:
            `${sum(['controller'], select('controller_runtime_active_workers'))} / ` +
            `${sum(['controller'], select('controller_runtime_max_concurrent_reconciles'))}`,
          legend: '{{controller}}',
        },
      ],
      limits: { bad: 'above', warning: 0.8, critical: 1 },
    },
    {
      title: 'Requests to the API server',
      shows: 'Requests a second by status and method.',
      good: '2xx, with single 409 (conflicts) and 404.',
      otherwise:
        '403: its role lacks a right. 429 or 5xx: the API server is busy or ill. Connection faults: the network.',
      unit: 'requestsPerSecond',
      queries: [{ expr: sum(['code', 'method'], rate('rest_client_requests_total')), legend: '{{method}} {{code}}' }],
    },
    {
      title: 'Watches',
      shows: 'Watches that ended and whole lists read, a second, by kind.',
      good: 'A restart every few minutes is ordinary.',
      otherwise: 'Restarts all the time: the API server cuts watches; lists all the time load it.',
      unit: 'eventsPerSecond',
      queries: [
        {
          expr: sum(['kind', 'reason'], rate('bourse_operator_watch_restarts_total')),
          legend: '{{kind}} ended: {{reason}}',
        },
        { expr: sum(['kind'], rate('bourse_operator_relists_total')), legend: '{{kind}} listed' },
      ],
    },
    {
      title: 'Missed changes and dropped events',
      shows: 'Changes that a whole list found and no watch had told; events about objects that were not written.',
      good: '0.',
      otherwise:
        'Missed: a watch was silent; the list mended it. Dropped: too many events at once, the log has them all.',
      unit: 'eventsPerSecond',
      queries: [
        { expr: sum(['kind'], rate('bourse_operator_missed_events_total')), legend: '{{kind}} missed' },
        { expr: sum(['reason'], rate('bourse_operator_events_dropped_total')), legend: 'dropped: {{reason}}' },
      ],
    },
  ],
}

/** The operator: what it keeps, moves and works through. */
export const OPERATOR: Dashboard = {
  uid: 'bourse-operator',
  title: 'Operator',
  description: 'Are partitions and resources looked after, do moves go well, does the machinery keep up.',
  choices: [],
  rows: [SYMPTOMS, MOVES, MACHINERY],
}
