import type { MachineFactory } from '@bourse/common/kernel/machine.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { effectsInFlight, verifyPartition, type VerificationFault } from '@bourse/common/kernel/verification.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import { checkMoney, type MoneyReport } from './money.ts'

/** What a verification found. `ok` only when there is no fault at all. */
export interface VerificationReport {
  readonly ok: boolean
  readonly partitions: readonly {
    readonly partition: string
    readonly records: number
    readonly snapshots: number
    readonly stateHash: string | null
  }[]
  readonly records: number
  readonly money: Omit<MoneyReport, 'faults'> | null
  readonly firstBadRecord: { readonly partition: string; readonly sequence: string; readonly message: string } | null
  readonly faults: readonly VerificationFault[]
}

/** Faults listed in a report; more are counted in the last one. */
export const FAULTS_MAX = 100

/**
 * Verifies a platform's data through its ports, reading only: hash chains, snapshots, a replay of every partition from
 * genesis, the
 * order of effects between them, and the money of it all. The money is judged only when every record could be trusted.
 */
export const verifyPlatform = async (deps: {
  readonly journal: Journal
  readonly snapshots: Snapshots
  /** Those there must be; one whose records are all gone is missed in the journal. */
  readonly partitions: readonly PartitionNumber[]
  readonly factoryOf: (partition: PartitionNumber) => MachineFactory
}): Promise<VerificationReport> => {
  const verified = []
  const partitions = new Set([...deps.partitions, ...(await deps.journal.partitions())])
  for (const partition of [...partitions].sort((a, b) => a - b)) {
    verified.push(await verifyPartition({ ...deps, factory: deps.factoryOf(partition) }, partition))
  }
  const faults = verified.flatMap((one) => one.faults)
  const states = verified.flatMap((one) => (one.state === null ? [] : [one.state]))
  let money: MoneyReport | null = null
  if (states.length === verified.length) {
    const flight = await effectsInFlight(deps.journal, states)
    money = checkMoney(states, flight.effects)
    faults.push(...flight.faults, ...money.faults)
  }
  const bad = faults.find((one) => one.what === 'record')
  const shown = faults.slice(0, FAULTS_MAX)
  return {
    ok: faults.length === 0,
    partitions: verified.map((one) => ({
      partition: partitionName(one.partition),
      records: one.records,
      snapshots: one.snapshots,
      stateHash: one.stateHash,
    })),
    records: verified.reduce((sum, one) => sum + one.records, 0),
    money: money === null ? null : withoutFaults(money),
    firstBadRecord:
      bad === undefined ? null : { partition: bad.partition, sequence: bad.sequence ?? '', message: bad.message },
    faults:
      faults.length > FAULTS_MAX
        ? [
            ...shown,
            {
              partition: 'all',
              sequence: null,
              what: 'money',
              message: `and ${faults.length - FAULTS_MAX} more faults`,
            },
          ]
        : shown,
  }
}

const withoutFaults = ({ faults: _, ...money }: MoneyReport): Omit<MoneyReport, 'faults'> => money
