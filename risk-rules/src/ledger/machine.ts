import type { Machine } from '@bourse/common/kernel/machine.ts'
import { machineNumbers } from '@bourse/common/kernel/partition.ts'
import type { MachineExports } from '../host/instance.ts'
import { createWasmMachine } from '../host/machine.ts'
import { loadWasmModule } from '../host/module.ts'

/**
 * How much one ledger partition holds at most; fixed for its life. At a limit commands are refused, never
 * dropped.
 */
export interface LedgerCapacities {
  /** Accounts: CAPACITY_EXCEEDED beyond. */
  readonly accountsMax: number
  /** Open holds: CAPACITY_EXCEEDED beyond. */
  readonly holdsMax: number
  /** Ids remembered within ten minutes: UNAVAILABLE beyond. */
  readonly idsMax: number
}

/** Layout of the snapshot's parts (`assembly/ledger/snapshot.ts`). */
export const LEDGER_SCHEMA_VERSION = 1
/** Newest behaviour of the ledger; 2: a forgotten id whose hold is open is UNAVAILABLE, not a conflict that is remembered. */
export const LEDGER_BEHAVIOUR_VERSION = 2
/** Most of each that a machine can be made for. */
export const LEDGER_CAPACITY_MAX = 1 << 26

/**
 * The capacities in the order in which the module and snapshots have them. @throws {RangeError} when one is
 * impossible
 */
export const ledgerCapacityList = ({ accountsMax, holdsMax, idsMax }: LedgerCapacities): [number, number, number] => {
  for (const [name, value] of Object.entries({ accountsMax, holdsMax, idsMax })) {
    if (!Number.isInteger(value) || value < 1 || value > LEDGER_CAPACITY_MAX) {
      throw new RangeError(`${name} is ${value}; it is an integer from 1 to ${LEDGER_CAPACITY_MAX}`)
    }
  }
  return [accountsMax, holdsMax, idsMax]
}

interface LedgerExports extends MachineExports {
  readonly init: (accounts: number, holds: number, ids: number) => void
}

/** Compiles the ledger that `npm run build` made; once for all partitions. */
export const loadLedgerModule = (): WebAssembly.Module => loadWasmModule('ledger')

/**
 * An empty ledger partition: accounts, holds, remembered ids. Commands and outcomes are those of `codec.ts`
 * and `outcomes.ts`, questions those of `queries.ts`.
 */
export const createLedgerMachine = (options: LedgerCapacities & { readonly wasm: WebAssembly.Module }): Machine => {
  const capacities = ledgerCapacityList(options)
  return createWasmMachine<LedgerExports>({
    wasm: options.wasm,
    machine: machineNumbers.ledger,
    schemaVersion: LEDGER_SCHEMA_VERSION,
    behaviourVersion: LEDGER_BEHAVIOUR_VERSION,
    capacities,
    init: (exports) => exports.init(...capacities),
  }).machine
}
