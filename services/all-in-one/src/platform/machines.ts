import type { MachineHost } from '@bourse/common/kernel/host.ts'
import type { MachineFactory } from '@bourse/common/kernel/machine.ts'
import { partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import { createBridgeHost, type BridgeHostDeps } from '@bourse/bridge/host/host.ts'
import { createBridgeMachine } from '@bourse/bridge/machine/machine.ts'
import { createLedgerFactory, LEDGER_CAPACITIES } from '@bourse/ledger/host/machine.ts'
import { loadLedgerModule, type LedgerCapacities } from '@bourse/risk-rules/ledger/machine.ts'
import type { TradingCapacities } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import { createTradingFactory, TRADING_CAPACITIES } from '@bourse/trading/host/machine.ts'
import { createTradingHost, type TradingQuote } from '@bourse/trading/host/trading-host.ts'

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

/** What the services give their machines. */
export const EMBEDDED_CAPACITIES: MachineCapacities = { ledger: LEDGER_CAPACITIES, trading: TRADING_CAPACITIES }

/** Compiles the modules that `npm run build` made. */
export const loadMachineModules = (): MachineModules => ({ ledger: loadLedgerModule(), trading: loadTradingModule() })

/** Makes the factories of all partitions. */
export const createMachineFactories = (
  topology: Topology,
  modules: MachineModules = loadMachineModules(),
  capacities: MachineCapacities = EMBEDDED_CAPACITIES,
) => {
  const makeLedger = createLedgerFactory(modules.ledger, capacities.ledger)
  const makeTrading = createTradingFactory(modules.trading, capacities.trading)
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
