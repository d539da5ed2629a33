import { casesOf, type RuleCase } from './case.ts'

const warning = { severity: 'warning' }
const DAY = 86_400

/** Situations of the operator. */
export const OPERATOR_CASES: readonly RuleCase[] = [
  ...casesOf('BourseOperatorHasNoLeader')(
    [
      'when none leads',
      {
        'leader_election_master_status{name="o",pod="a"}': '0x20',
        'leader_election_master_status{name="o",pod="b"}': '0x20',
      },
      120,
      [warning],
    ],
    [
      'when two lead',
      {
        'leader_election_master_status{name="o",pod="a"}': '1x20',
        'leader_election_master_status{name="o",pod="b"}': '1x20',
      },
      120,
      [warning],
    ],
    ['when there is no operator', { up: '1x20' }, 120, [{ ...warning, program: 'operator' }]],
    [
      'when one of two leads',
      {
        'leader_election_master_status{name="o",pod="a"}': '1x20',
        'leader_election_master_status{name="o",pod="b"}': '0x20',
      },
      120,
      [],
    ],
  ),
  ...casesOf('BourseReconcileErrors')(
    [
      'when one controller fails again and again',
      { 'controller_runtime_reconcile_errors_total{controller="bank"}': '0+1x60' },
      720,
      [{ ...warning, controller: 'bank' }],
    ],
    [
      'when one attempt failed',
      { 'controller_runtime_reconcile_errors_total{controller="bank"}': '0x9 1x60' },
      720,
      [],
    ],
  ),
  ...casesOf('BourseWorkqueueStuck')(
    [
      'when one reconciliation hangs',
      { 'workqueue_longest_running_processor_seconds{name="bank"}': '0+15x40' },
      420,
      [{ ...warning, name: 'bank' }],
    ],
    [
      'when keys wait for ten minutes',
      { 'workqueue_depth{name="bank"}': '25x80' },
      900,
      [{ ...warning, name: 'bank' }],
    ],
    [
      'when there is much to do for a moment',
      {
        'workqueue_depth{name="bank"}': '25x9 0x70',
        'workqueue_longest_running_processor_seconds{name="bank"}': '2x80',
      },
      900,
      [],
    ],
  ),
  ...casesOf('BourseResourceNotReady', 60)(
    [
      'after a quarter of an hour',
      {
        'bourse_operator_resource_ready{kind="Bank",name="alpha"}': '0x30',
        'bourse_operator_resource_ready{kind="Bank",name="beta"}': '1x30',
      },
      1_200,
      [{ ...warning, kind: 'Bank', name: 'alpha' }],
    ],
    ['while it is being made', { 'bourse_operator_resource_ready{kind="Bank",name="alpha"}': '0x9 1x20' }, 1_200, []],
  ),
  ...casesOf('BoursePartitionMovesFailing')(
    [
      'when moves fail again and again',
      { 'bourse_operator_partition_moves_total{group="btc-usdc",result="failed"}': '0+1x20' },
      240,
      [{ ...warning, group: 'btc-usdc' }],
    ],
    [
      'when they succeed',
      { 'bourse_operator_partition_moves_total{group="btc-usdc",result="done"}': '0+1x20' },
      240,
      [],
    ],
  ),
  ...casesOf('BourseKeyRotationOverdue', 3_600)(
    [
      'when a key should have been rotated more than a day ago',
      { 'bourse_operator_bank_key_due_seconds{bank="alpha"}': `${DAY}x60` },
      2 * DAY + 10_800,
      [{ ...warning, bank: 'alpha' }],
    ],
    [
      'when it was rotated within the day',
      { 'bourse_operator_bank_key_due_seconds{bank="alpha"}': `${DAY}x30 ${90 * DAY}x30` },
      2 * DAY + 10_800,
      [],
    ],
  ),
]
