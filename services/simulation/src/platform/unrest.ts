import { isFinal } from '@bourse/bridge/codec/transaction.ts'
import { decodeState } from '@bourse/bridge/machine/snapshot.ts'
import { ledgerStepOf } from '@bourse/bridge/machine/state.ts'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import { partitionName, partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Node } from './node.ts'
import type { Operator } from './operator.ts'
import type { Served } from './serving-part.ts'

/**
 * What was counted holds until the next record: a pause of minutes is asked about again and again. It is kept for the machine it
 * was counted in: one whose record was never appended is ahead of its sequence, and is given up for another at the same one.
 */
const counted = new WeakMap<Machine, { readonly sequence: bigint; readonly underWay: number }>()

/** Money on its way that only a pause between two attempts holds back: no effect and no call shows it. */
const sagasUnderWay = (served: Served): number => {
  const machine = served.machine()
  if (machine === null) return 0
  const { sequence } = served.runner.status()
  const before = counted.get(machine)
  if (before !== undefined && before.sequence === sequence) return before.underWay
  const { transactions } = decodeState(machine.snapshot())
  const underWay = [...transactions.values()].filter((one) => !isFinal(one) || ledgerStepOf(one) !== null).length
  counted.set(machine, { sequence, underWay })
  return underWay
}

/** Gives, one by one, what is still under way; nothing when the platform is at rest. */
export function* unrestOf(deps: {
  readonly nodes: readonly Node[]
  readonly operator: Operator
  readonly partitions: readonly PartitionNumber[]
  readonly headOf: (partition: PartitionNumber) => bigint
}): Generator<string> {
  const { nodes, operator, partitions, headOf } = deps
  for (const node of nodes) {
    if (node.life === null) yield `${node.name} is down`
    else if (node.isPaused) yield `${node.name} stands still`
    if (node.life?.admin?.isApplied() === false) yield 'specs are not in force yet'
  }
  yield* operator.unrest()
  const projector = nodes.find((node) => node.roles.views)?.life?.views?.projector() ?? null
  for (const partition of partitions) {
    const name = partitionName(partition)
    const served = operator.ownerOf(partition).life?.serving?.served.get(partition)
    if (served === undefined) continue
    const { waiting, unconfirmedEffects, outsideCalls, parkedReads, sequence } = served.runner.status()
    if (waiting > 0) yield `${name} has ${waiting} commands waiting`
    if (unconfirmedEffects > 0) yield `${name} has ${unconfirmedEffects} unconfirmed effects`
    if (outsideCalls > 0) yield `${name} has ${outsideCalls} calls outside`
    if (parkedReads > 0) yield `${name} has ${parkedReads} parked reads`
    if (sequence < headOf(partition)) yield `${name} is at ${sequence}, its journal at ${headOf(partition)}`
    const projected = projector?.projectedThrough(partition) ?? 0n
    if (projected < headOf(partition)) yield `the views of ${name} are at ${projected} of ${headOf(partition)}`
  }
  for (const partition of partitions) {
    if (partitionParts(partition).machine !== 'bridge') continue
    const served = operator.ownerOf(partition).life?.serving?.served.get(partition)
    const underWay = served === undefined ? 0 : sagasUnderWay(served)
    if (underWay > 0) yield `${partitionName(partition)} has ${underWay} transactions under way`
  }
}
