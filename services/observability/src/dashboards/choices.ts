import { labelValues } from './promql.ts'
import type { Choice } from './specification.ts'

/** Choices that dashboards share; each is a regular expression in queries: `=~$pair`. */
export const CHOICES = {
  pair: { name: 'pair', label: 'Pair', query: labelValues('bourse_market_feed_live', 'symbol') },
  bank: { name: 'bank', label: 'Bank', query: labelValues('bourse_bridge_webhooks_waiting', 'bank') },
  partition: { name: 'partition', label: 'Partition', query: labelValues('bourse_partition_sequence', 'partition') },
  currency: { name: 'currency', label: 'Currency', query: labelValues('bourse_ledger_imbalance_units', 'currency') },
  pod: { name: 'pod', label: 'Process', query: labelValues('bourse_build_info', 'pod') },
} as const satisfies Record<string, Choice>

/** Words for gauges that are 1 while all is well. */
export const YES_IS_GOOD = {
  0: { text: 'no', color: 'red' },
  1: { text: 'yes', color: 'green' },
} as const
