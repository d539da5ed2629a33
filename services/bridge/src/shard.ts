import { bridgePartitionOf } from '@bourse/common/platform/topology.ts'
import { given } from '@bourse/common/process/given.ts'
import type { ProgramContext, StartedProgram } from '@bourse/common/process/run.ts'
import { startShardProcess, type ShardFoundation, type ShardService } from '@bourse/common/process/shard.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import { SpecRefused } from '@bourse/common/resources/manifest-set.ts'
import { createBankHttp } from './adapters/bank-http.ts'
import { createExchangeHttp } from './adapters/exchange-http.ts'
import { createSecretFiles } from './adapters/secret-files.ts'
import { createKeptFetch } from './adapters/kept-fetch.ts'
import { createBankConfigurator } from './client/configure.ts'
import { createBridgeHost } from './host/host.ts'
import { createStoredEvents } from './host/stored-events.ts'
import { createBacklogShow } from './metrics/backlog.ts'
import { measuredCalls } from './metrics/calls.ts'
import { createEndedTradeCount } from './metrics/record.ts'
import { foldBridgeRecord } from './projection/fold.ts'

/** The bank whose callback may be the simulator. */
const DEMO_BANK = 'demo'

const bridgeService = (foundation: ShardFoundation): Promise<ShardService<never>> => {
  const { config, manifests, topology, snapshotPolicy, metrics, clock, logger, lifetime, tracer } = foundation
  const { demoCallbackUrl, webhookSecretsDir } = config.cluster
  const exchangeUrl = given(config.exchangeUrl)
  const calls = createKeptFetch()
  lifetime.onStop(() => calls.close())
  const outside = {
    liquidity: createExchangeHttp({ baseUrl: () => exchangeUrl, fetch: calls.fetch, clock, tracer }),
    callbacks: createBankHttp({
      fetch: calls.fetch,
      clock,
      tracer,
      webhookSecrets:
        webhookSecretsDir === null
          ? (bank) => [config.bankSecret(bank, 'WEBHOOK_SECRET')?.reveal()].filter((secret) => secret !== undefined)
          : createSecretFiles({ folder: webhookSecretsDir, logger }),
    }),
  }
  const host = {
    ledgerPartitions: topology.ledgerPartitions,
    ...measuredCalls(outside, metrics, clock),
    events: createStoredEvents(foundation.stores.views),
    clock,
    logger,
  }
  const withCallback = (bank: Bank): Bank =>
    bank.name === DEMO_BANK && demoCallbackUrl !== null
      ? { ...bank, spec: { ...bank.spec, callback: { ...bank.spec.callback, url: demoCallbackUrl } } }
      : bank
  const banks = createBankConfigurator(foundation)
  const configure = async (bank: Bank): Promise<void> => {
    const applied = await banks.configure(bank.name, bank.spec)
    if (applied.ok) return
    const { code, message } = applied.refusal
    throw new SpecRefused(`bank ${bank.name}: ${code}: ${message}`, { isForNow: code === 'UNAVAILABLE' })
  }
  /** What each bank is to be, from the moment its change was begun: a partition that comes meanwhile gets it too. */
  const wanted = new Map(manifests.banks.map((bank) => [bank.name, withCallback(bank)]))
  return Promise.resolve({
    kind: {
      hostOf: () => createBridgeHost(host),
      foldOf: () => foldBridgeRecord,
      policyOf: () => snapshotPolicy,
      applySpec: async (partition) => {
        for (const { name } of [...wanted.values()]) {
          if (bridgePartitionOf(topology, name) !== partition) continue
          // Another may have been told meanwhile, and this one have come after it.
          for (let told: Bank | undefined; told !== wanted.get(name);) {
            told = wanted.get(name)
            if (told !== undefined) await configure(told)
          }
        }
      },
    },
    withCallback,
    countOf: createEndedTradeCount(metrics),
    stateShow: createBacklogShow(metrics, clock),
    concerns: ({ kind, name }, partition) => kind === 'Bank' && bridgePartitionOf(topology, name) === partition,
    applyBank: async (bank, served) => {
      const before = wanted.get(bank.name)
      wanted.set(bank.name, bank)
      if (!served.has(bridgePartitionOf(topology, bank.name))) return
      await configure(bank).catch((error: unknown) => {
        // It may be refused for good: a partition that comes to us is to get what stood before.
        if (before !== undefined) wanted.set(bank.name, before)
        throw error
      })
    },
  })
}

/** A bridge shard as a process of its own: it calls the exchange and the banks. */
export const startBridgeShard = (context: ProgramContext): Promise<StartedProgram> =>
  startShardProcess(context, 'bridge', bridgeService)
