import type { Logger } from 'pino'
import type { BankConfigurator } from '@bourse/bridge/client/configure.ts'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { Manifests } from '@bourse/common/resources/load.ts'
import { createManifestSet, SpecRefused, type ManifestSet } from '@bourse/common/resources/manifest-set.ts'
import { tellSpec } from '@bourse/trading/host/tell-spec.ts'

export { SpecRefused }

/** The manifests in force, and their way into the machines of every partition. */
export type ResourceSet = ManifestSet

/** Makes the set. `withCallback` gives a bank the callback it has in this process. */
export const createResourceSet = (deps: {
  readonly manifests: Manifests
  readonly topology: Topology
  readonly partitions: PartitionClient
  readonly banks: BankConfigurator
  readonly withCallback: (bank: Bank) => Bank
  readonly logger: Logger
}): ResourceSet =>
  createManifestSet({
    manifests: deps.manifests,
    isServed: (symbol) => deps.topology.markets.has(symbol),
    applyPair: async ({ spec }) => {
      const market = deps.topology.markets.get(spec.symbol)
      for (let index = 0; market !== undefined && index < market.partitions; index++)
        await tellSpec(deps, spec, market, index)
    },
    applyBank: async (bank) => {
      const applied = await deps.banks.configure(bank.name, bank.spec)
      if (!applied.ok) throw new SpecRefused(`bank ${bank.name}: ${applied.refusal.code}: ${applied.refusal.message}`)
    },
    withCallback: deps.withCallback,
    logger: deps.logger,
  })
