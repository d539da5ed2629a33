import { createBankHttp } from '@bourse/bridge/adapters/bank-http.ts'
import { createExchangeHttp } from '@bourse/bridge/adapters/exchange-http.ts'
import { createStoredEvents } from '@bourse/bridge/host/stored-events.ts'
import { measuredCalls } from '@bourse/bridge/metrics/calls.ts'
import type { Fetch } from '@bourse/bridge/adapters/http-call.ts'
import { createKeptFetch } from '@bourse/bridge/adapters/kept-fetch.ts'
import { createBankConfigurator } from '@bourse/bridge/client/configure.ts'
import { createPartitionClient, type PartitionClient } from '@bourse/common/kernel/client.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { allPartitions } from '@bourse/common/platform/topology.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import { startArchiving } from '@bourse/common/shard/archiving.ts'
import type { Foundation } from './foundation.ts'
import type { Lifetime } from '@bourse/common/process/lifetime.ts'
import { createPartitionMeasures, type PartitionMeasures } from './measures.ts'
import { createMachineFactories } from './machines.ts'
import { startProjection, type Projection } from './projection-thread.ts'
import { createResourceSet, type ResourceSet } from './resources.ts'
import { feedMarket, policyOfPartition, servePartitions, viewsAsOfMs, type Serving } from './serving.ts'
import { DEMO_BANK, type Outside } from './simulators.ts'

/** The partitions with their views, and the specs in force. */
export interface Core {
  readonly partitions: PartitionClient
  readonly serving: Serving
  readonly projection: Projection
  readonly resources: ResourceSet
  readonly measures: PartitionMeasures
  /** The moment up to which the views of a partition are complete, ms. */
  viewsAsOfMs(partition: PartitionNumber): number
}

const serve = async (
  foundation: Foundation,
  outside: Outside,
  { fetch, measures }: { readonly fetch: Fetch; readonly measures: PartitionMeasures },
): Promise<Serving> => {
  const { adapters, topology, manifests, config, metrics, clock, logger, webhookSecrets, tracer } = foundation
  const { hostOf } = createMachineFactories(topology)
  const adaptersOutside = {
    liquidity: createExchangeHttp({ baseUrl: () => outside.exchangeUrl, fetch, clock, tracer }),
    callbacks: createBankHttp({
      fetch,
      clock,
      tracer,
      webhookSecrets: (bank) => [webhookSecrets.get(bank)].filter((secret) => secret !== undefined),
    }),
  }
  const bridge = {
    ledgerPartitions: topology.ledgerPartitions,
    ...measuredCalls(adaptersOutside, metrics, clock),
    events: createStoredEvents(adapters.views),
    clock,
    logger,
  }
  const policies = new Map(
    manifests.pairs.map(({ spec }) => [topology.markets.get(spec.symbol)?.market ?? 0, spec.snapshots]),
  )
  return servePartitions({
    adapters,
    clock,
    logger,
    tracer,
    partitions: allPartitions(topology),
    observerOf: measures.observerOf,
    hostOf: (partition) => hostOf(partition, bridge),
    policyOf: policyOfPartition(policies, {
      intervalMs: config.snapshotIntervalMs,
      keep: config.snapshotsKeep,
      compression: 'zstd',
    }),
  })
}

/** Serves every partition, folds the views, puts the manifests' specs in order and hands quotes on. */
export const startCore = async (foundation: Foundation, outside: Outside, lifetime: Lifetime): Promise<Core> => {
  const { adapters, topology, manifests, clock, logger } = foundation
  const calls = createKeptFetch()
  lifetime.onStop(async () => {
    calls.close()
  })
  const measures = createPartitionMeasures(foundation.metrics, topology, clock)
  const serving = await serve(foundation, outside, { fetch: calls.fetch, measures })
  lifetime.onStop(serving.stop)
  const projection = await startProjection({
    topology,
    journalPath: foundation.folder.journal,
    viewsPath: foundation.folder.views,
    views: adapters.views,
    journal: adapters.journal,
    clock,
    logger,
  })
  lifetime.onStop(projection.stop)
  const { journal, snapshots } = adapters
  const served = () =>
    [...serving.runners].map(([partition, runner]) => ({
      partition,
      status: runner.status(),
      viewSequence: projection.projectedThrough(partition),
    }))
  lifetime.onStop(startArchiving({ served, journal, snapshots, clock, logger }).stop)

  const partitions = createPartitionClient({ bus: adapters.bus })
  const withCallback = (bank: Bank): Bank =>
    bank.name === DEMO_BANK && outside.demoBankUrl !== null
      ? { ...bank, spec: { ...bank.spec, callback: { ...bank.spec.callback, url: outside.demoBankUrl } } }
      : bank
  const banks = createBankConfigurator({ partitions, topology })
  const resources = createResourceSet({ manifests, topology, partitions, banks, withCallback, logger })
  await resources.applyAll()
  for (const market of topology.markets.values()) lifetime.onStop(feedMarket(serving, market, adapters))
  return {
    partitions,
    serving,
    projection,
    resources,
    measures,
    viewsAsOfMs: (partition) => viewsAsOfMs(serving.runners.get(partition), projection, partition, clock.nowMs()),
  }
}
