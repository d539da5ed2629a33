import type { AskedPartition, StateShow } from '@bourse/common/shard/state-metrics.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { createShown } from '@bourse/common/telemetry/shown.ts'
import {
  decodeSums,
  holdsPageOf,
  holdsQuestion,
  PAGE_LIMIT_MAX,
  sumsQuestion,
  type Sum,
} from '@bourse/risk-rules/ledger/queries.ts'

const QUESTION = sumsQuestion()

/** Exact sums by currency, of the rows that `of` picks an amount from. */
const byCurrency = (sums: readonly Sum[], of: (sum: Sum) => bigint): ReadonlyMap<string, bigint> => {
  const totals = new Map<string, bigint>()
  for (const sum of sums) totals.set(sum.currency, (totals.get(sum.currency) ?? 0n) + of(sum))
  return totals
}

/** An insurance fund that nobody has put anything into has no account: it is shown as the 0 that it is. */
const withoutAccount = (sums: readonly Sum[]): readonly { readonly currency: string; readonly kind: string }[] => {
  const currencies = (wanted: string) =>
    new Set(sums.flatMap(({ kind, currency }) => (kind === wanted ? [currency] : [])))
  const insured = currencies('insurance')
  return [...currencies('house')]
    .filter((one) => !insured.has(one))
    .map((currency) => ({ currency, kind: 'insurance' }))
}

const countHolds = async ({ query }: AskedPartition): Promise<number> => {
  let total = 0
  for (let after = 0; ;) {
    const { count, lastSlot } = holdsPageOf(await query(holdsQuestion(after, PAGE_LIMIT_MAX)))
    total += count
    if (count < PAGE_LIMIT_MAX) return total
    after = lastSlot
  }
}

/**
 * Shows the money of the ledger partitions served here. The sums are added exactly; the last step to a double may round them, but
 * never to 0: an imbalance of one unit is shown as one.
 */
export const createMoneyShow = (metrics: Metrics): StateShow => {
  const imbalance = createShown(metrics.gauge('bourse_ledger_imbalance_units'))
  const clearing = createShown(metrics.gauge('bourse_ledger_clearing_units'))
  const locked = createShown(metrics.gauge('bourse_ledger_locked_units'))
  const system = createShown(metrics.gauge('bourse_ledger_system_units'))
  const holds = createShown(metrics.gauge('bourse_ledger_holds'))
  return {
    show: async (asked) => {
      const partition = asked.title
      const sums = decodeSums(await asked.query(QUESTION))
      const rows = (of: (sum: Sum) => bigint) =>
        [...byCurrency(sums, of)].map(([currency, units]) => [{ partition, currency }, Number(units)] as const)
      imbalance.show(
        partition,
        rows(({ balance }) => balance),
      )
      clearing.show(
        partition,
        rows(({ kind, balance }) => (kind === 'clearing' ? balance : 0n)),
      )
      locked.show(
        partition,
        rows(({ locked: units }) => units),
      )
      system.show(partition, [
        ...withoutAccount(sums).map(({ currency, kind }) => [{ partition, currency, kind }, 0] as const),
        ...sums
          .filter(({ kind }) => kind !== 'customer')
          .map(({ currency, kind, balance }) => [{ partition, currency, kind }, Number(balance)] as const),
      ])
      holds.show(partition, [[{ partition }, await countHolds(asked)]])
    },
    forget: (partition) => {
      for (const one of [imbalance, clearing, locked]) one.forget(partition)
      system.forget(partition)
      holds.forget(partition)
    },
  }
}
