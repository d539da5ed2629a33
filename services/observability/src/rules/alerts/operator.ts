import type { AlertRule } from '../alert-rule.ts'
import { absence, rise, select } from '../expressions.ts'

const operator = { dashboard: 'bourse-operator', component: 'operator' } as const

/** The operator, on Kubernetes only. */
export const OPERATOR_ALERTS: readonly AlertRule[] = [
  {
    ...operator,
    alert: 'BourseOperatorHasNoLeader',
    panel: 'Leader',
    severity: 'warning',
    expr: (context) =>
      `sum by (namespace) (${select('leader_election_master_status', context.selector)}) != 1 or ` +
      absence('operator', context, 'leader_election_master_status'),
    forSeconds: 60,
    summary: 'No operator, or more than one, leads',
    description: 'Partitions are not moved and resources are not reconciled; trading goes on.',
  },
  {
    ...operator,
    alert: 'BourseReconcileErrors',
    panel: 'Reconcile errors',
    severity: 'warning',
    expr: (context) =>
      `${rise(context, 600, { series: 'controller_runtime_reconcile_errors_total', by: 'controller' })} > 5`,
    forSeconds: 300,
    summary: 'The operator’s {{ $labels.controller }} controller keeps failing',
    description: 'Its log and the events of the resources say why.',
  },
  {
    ...operator,
    alert: 'BourseWorkqueueStuck',
    panel: 'Work queue',
    severity: 'warning',
    expr: ({ selector, duration }) =>
      `max by (namespace, name) (${select('workqueue_longest_running_processor_seconds', selector)}) > 120 or ` +
      `max by (namespace, name) (min_over_time(${select('workqueue_depth', selector)}[${duration(600)}])) > 10`,
    forSeconds: 120,
    summary: 'The operator’s queue {{ $labels.name }} does not move on',
    description: 'One reconciliation hangs, or there is more to do than is done: changes do not arrive.',
  },
  {
    ...operator,
    alert: 'BourseResourceNotReady',
    panel: 'Resources ready',
    severity: 'warning',
    expr: ({ selector }) =>
      `max by (namespace, kind, name) (${select('bourse_operator_resource_ready', selector)}) == 0`,
    forSeconds: 900,
    summary: 'The {{ $labels.kind }} {{ $labels.name }} is not Ready',
    description: 'Its conditions say what is missing.',
  },
  {
    ...operator,
    alert: 'BoursePartitionMovesFailing',
    panel: 'Moves',
    severity: 'warning',
    expr: (context) => {
      const failed = (series: string): string =>
        rise(context, 900, { series, matchers: ['result="failed"'], by: 'group' })
      return (
        `${failed('bourse_operator_partition_moves_total')} > 2 or ` +
        `${failed('bourse_operator_partition_acquisitions_total')} > 2`
      )
    },
    forSeconds: 0,
    summary: 'The operator can not move partitions of {{ $labels.group }}',
    description: 'A shard that is to go keeps what it has; a partition that nobody serves may stay so.',
  },
  {
    ...operator,
    alert: 'BourseKeyRotationOverdue',
    panel: 'Bank key age',
    severity: 'warning',
    expr: ({ selector }) =>
      `max by (namespace, bank) (time() - ${select('bourse_operator_bank_key_due_seconds', selector)}) > 86400`,
    forSeconds: 3_600,
    summary: 'The key of the bank {{ $labels.bank }} should have been rotated {{ $value | humanizeDuration }} ago',
    description: 'That happens by itself every rotateAfterDays of the Bank: the operator does not get to it.',
  },
]
