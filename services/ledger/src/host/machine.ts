import type { MachineFactory } from '@bourse/common/kernel/machine.ts'
import { createLedgerMachine, loadLedgerModule, type LedgerCapacities } from '@bourse/risk-rules/ledger/machine.ts'

/** What one ledger partition holds. Untouched memory costs address space only. Snapshots fit only the same capacities. */
export const LEDGER_CAPACITIES: LedgerCapacities = { accountsMax: 262_144, holdsMax: 262_144, idsMax: 1_048_576 }

/** Makes empty ledger machines; the module that `npm run build` made is compiled once. */
export const createLedgerFactory = (
  wasm: WebAssembly.Module = loadLedgerModule(),
  capacities: LedgerCapacities = LEDGER_CAPACITIES,
): MachineFactory => {
  return () => createLedgerMachine({ wasm, ...capacities })
}
