import type { SeriesDefinition } from './definition.ts'

/** Values of labels that name controllers, kinds of resources and the like. */
const FEW = 16
/** Groups of shards and resources that an operator keeps. */
const RESOURCES = 512

const operator = <Type extends SeriesDefinition['type'], const Labels extends SeriesDefinition['labels']>(
  type: Type,
  unit: SeriesDefinition['unit'],
  help: string,
  labels: Labels,
) => ({ type, unit, help, labels, owner: 'operator', profile: 'distributed' }) as const

/** What the operator shows. What every controller has keeps the names of controller-runtime: the field’s dashboards work. */
export const OPERATOR_SERIES = {
  controller_runtime_reconcile_total: operator('counter', 'none', 'Reconciliations by result.', {
    controller: FEW,
    result: 4,
  }),
  controller_runtime_reconcile_errors_total: operator('counter', 'none', 'Reconciliations that threw.', {
    controller: FEW,
  }),
  controller_runtime_terminal_reconcile_errors_total: operator(
    'counter',
    'none',
    'Reconciliations that are not tried again.',
    { controller: FEW },
  ),
  controller_runtime_reconcile_time_seconds: operator('histogram', 'seconds', 'Time of reconciliations.', {
    controller: FEW,
  }),
  controller_runtime_active_workers: operator('gauge', 'none', 'Workers that reconcile now.', { controller: FEW }),
  controller_runtime_max_concurrent_reconciles: operator('gauge', 'none', 'Workers of a controller, busy or not.', {
    controller: FEW,
  }),
  workqueue_depth: operator('gauge', 'none', 'Keys that wait.', { name: FEW }),
  workqueue_adds_total: operator('counter', 'none', 'Keys added.', { name: FEW }),
  workqueue_retries_total: operator('counter', 'none', 'Keys added again after a failure.', { name: FEW }),
  workqueue_queue_duration_seconds: operator('histogram', 'seconds', 'Time from adding to taking.', { name: FEW }),
  workqueue_work_duration_seconds: operator('histogram', 'seconds', 'Time from taking to done.', { name: FEW }),
  workqueue_unfinished_work_seconds: operator('gauge', 'seconds', 'Work under way, all keys together.', { name: FEW }),
  workqueue_longest_running_processor_seconds: operator('gauge', 'seconds', 'The longest work under way.', {
    name: FEW,
  }),
  leader_election_master_status: operator('gauge', 'none', '1 while this process leads.', { name: 2 }),
  rest_client_requests_total: operator('counter', 'none', 'Requests to the API server by HTTP status and method.', {
    code: 32,
    method: 8,
  }),
  bourse_operator_watch_restarts_total: operator('counter', 'none', 'Watches that ended, by what ended them.', {
    kind: 32,
    reason: 16,
  }),
  bourse_operator_relists_total: operator('counter', 'none', 'Whole lists read.', { kind: 32 }),
  bourse_operator_missed_events_total: operator(
    'counter',
    'none',
    'Changes that a whole list found and no watch had told.',
    { kind: 32 },
  ),
  bourse_operator_events_dropped_total: operator('counter', 'none', 'Events about objects that were not written.', {
    reason: 8,
  }),
  bourse_operator_bank_key_rotations_total: operator('counter', 'none', 'Rotations of bank keys.', { cause: 8 }),
  bourse_operator_bank_key_rotated_seconds: operator('gauge', 'seconds', 'When the key was made, Unix time.', {
    bank: 256,
  }),
  bourse_operator_bank_key_due_seconds: operator('gauge', 'seconds', 'When the key has to be rotated, Unix time.', {
    bank: 256,
  }),
  bourse_operator_resource_ready: operator(
    'gauge',
    'none',
    '1 while the condition Ready of a TradingPair or Bank is True, else 0.',
    { kind: 4, name: RESOURCES },
  ),
  bourse_operator_partition_moves_total: operator('counter', 'none', 'Partitions moved between shards.', {
    group: RESOURCES,
    result: 8,
  }),
  bourse_operator_partition_move_seconds: operator(
    'histogram',
    'seconds',
    'Time from the preparation at the new shard to its acquisition; clients wait for a small part of it.',
    { group: RESOURCES },
  ),
  bourse_operator_partition_acquisitions_total: operator(
    'counter',
    'none',
    'Orders to serve a partition that nobody served.',
    { group: RESOURCES, result: 8 },
  ),
  bourse_operator_partitions_unserved: operator('gauge', 'none', 'Partitions that no shard serves.', {
    group: RESOURCES,
  }),
  bourse_operator_epoch: operator('gauge', 'none', 'The highest epoch that was given to an order.', {}),
} as const satisfies Record<string, SeriesDefinition>
