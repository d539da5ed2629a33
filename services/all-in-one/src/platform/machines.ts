import type { MachineHost } from '@bourse/common/kernel/host.ts'
import type { MachineFactory } from '@bourse/common/kernel/machine.ts'
import { partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import { createBridgeHost, type BridgeHostDeps } from '@bourse/bridge/host/host.ts'
import { createBridgeMachine } from '@bourse/bridge/machine/machine.ts'
import { createLedgerMachine, loadLedgerModule, type LedgerCapacities } from '@bourse/risk-rules/ledger/machine.ts'
import { TRADES_MAX } from '@bourse/risk-rules/trading/codec.ts'
import {
  createTradingMachine,
  loadTradingModule,
  type TradingCapacities,
  type TradingMachine,
} from '@bourse/risk-rules/trading/machine.ts'
import { createTradingHost, type TradingQuote } from '@bourse/trading/host/trading-host.ts'

/** What one ledger partition of the embedded profile holds. Untouched memory costs address space only. */
export const LEDGER_CAPACITIES: LedgerCapacities = { accountsMax: 262_144, holdsMax: 262_144, idsMax: 1_048_576 }
/** Ids that one trading partition remembers within the window. */
export const TRADING_IDS_MAX = 524_288

/** The machines as compiled modules: immutable, so one process compiles them once. */
export interface MachineModules {
  readonly ledger: WebAssembly.Module
  readonly trading: WebAssembly.Module
}

/** What each machine holds at most. Snapshots fit only machines of the same capacities. */
export interface MachineCapacities {
  readonly ledger: LedgerCapacities
  readonly trading: TradingCapacities
}

/**
 * The embedded profile's. A pair's capacity is a limit of its spec, journaled; the machine always has room for the most there
 * can be.
 */
export const EMBEDDED_CAPACITIES: MachineCapacities = {
  ledger: LEDGER_CAPACITIES,
  trading: { tradesMax: TRADES_MAX, idsMax: TRADING_IDS_MAX },
}

/** Compiles the modules that `npm run build` made. */
export const loadMachineModules = (): MachineModules => ({ ledger: loadLedgerModule(), trading: loadTradingModule() })

/** Makes the factories of all partitions. */
export const createMachineFactories = (
  topology: Topology,
  modules: MachineModules = loadMachineModules(),
  capacities: MachineCapacities = EMBEDDED_CAPACITIES,
) => {
  const makeLedger: MachineFactory = () => createLedgerMachine({ wasm: modules.ledger, ...capacities.ledger })
  const makeTrading = (): TradingMachine => createTradingMachine({ wasm: modules.trading, ...capacities.trading })
  const factoryOf = (partition: PartitionNumber): MachineFactory => {
    const { machine } = partitionParts(partition)
    if (machine === 'ledger') return makeLedger
    if (machine === 'bridge') return () => createBridgeMachine({ ledgerPartitions: topology.ledgerPartitions })
    return makeTrading
  }
  /** The host of a partition: the machine with what surrounds it. */
  const hostOf = (partition: PartitionNumber, bridge: BridgeHostDeps): MachineHost<TradingQuote> => {
    const { machine } = partitionParts(partition)
    if (machine === 'ledger') return { factory: makeLedger }
    if (machine === 'bridge') return createBridgeHost(bridge)
    return createTradingHost(makeTrading)
  }
  return { factoryOf, hostOf }
}
