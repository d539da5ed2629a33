import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { KubeConfig } from '@kubernetes/client-node'
import { parse } from 'yaml'
import { createSystemRandom } from '@bourse/common/adapters/system/random.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import { given } from '@bourse/common/process/given.ts'
import { startHealthServer, type ProcessHealth } from '@bourse/common/process/health-server.ts'
import type { ProgramContext, StartedProgram } from '@bourse/common/process/run.ts'
import { StartRefused } from '@bourse/common/process/start-refused.ts'
import { startServerMetrics } from '@bourse/common/process/server-metrics.ts'
import { measuredStores, openStores, type Stores } from '@bourse/common/process/stores.ts'
import { createShardClient } from '@bourse/common/shard-client/client.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { createBankController } from './bank/controller.ts'
import { BANK_LABEL } from './bank/names.ts'
import { defineChartGroups } from './groups.ts'
import { startResourceMetrics } from './resource-metrics.ts'
import { bankKind, tradingPairKind } from './resources/kinds.ts'
import { createKubeClient } from './runtime/client.ts'
import { nodeKind, podKind, secretKind } from './runtime/kinds.ts'
import { createManager } from './runtime/manager.ts'
import type { Manager } from './runtime/types.ts'
import { createGroupController } from './shards/controller.ts'
import { createFence } from './shards/fence.ts'
import { createGroups, GROUP_LABEL } from './shards/groups.ts'
import { readShardTemplate, webhookSecretsNameOf, type ShardTemplate } from './trading-pair/children.ts'
import { createTradingPairController } from './trading-pair/controller.ts'

/** Name of the lease that the one who leads has. */
export const LEASE_NAME = 'bourse-operator'
/** Owner of the fields that the operator applies. */
export const FIELD_MANAGER = 'bourse-operator'
/** Pause before MongoDB is tried again at the start, ms. */
export const STORES_RETRY_MS = 2_000
/** Where a pod finds its namespace. */
const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

/** The kube config as kubectl finds it, or the pod's own; and the namespace that is watched. */
const readKubeConfig = async (wanted: string | null): Promise<{ kubeConfig: KubeConfig; namespace: string }> => {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromDefault()
  if (wanted !== null) return { kubeConfig, namespace: wanted }
  const context = kubeConfig.getContextObject(kubeConfig.getCurrentContext())
  if (context?.namespace !== undefined && context.namespace !== '') return { kubeConfig, namespace: context.namespace }
  try {
    return { kubeConfig, namespace: (await readFile(NAMESPACE_FILE, 'utf8')).trim() }
  } catch {
    throw new StartRefused(['no namespace to watch is known; set BOURSE_KUBERNETES_NAMESPACE'])
  }
}

const readTemplate = async (path: string | null): Promise<ShardTemplate> => {
  if (path === null) throw new StartRefused(['BOURSE_SHARD_TEMPLATE is required; name the file with the pod template'])
  try {
    return readShardTemplate(parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw new StartRefused([`BOURSE_SHARD_TEMPLATE: ${error instanceof Error ? error.message : String(error)}`])
  }
}

/** Opens the stores, again and again while MongoDB is not there: it may be started after the operator. */
const openStoresInTime = async (context: ProgramContext): Promise<Stores> => {
  for (;;) {
    try {
      return await openStores(context, { pairs: [] })
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      context.logger.warn({ err: error }, 'MongoDB does not answer yet; it is tried again')
      await context.clock.sleep(STORES_RETRY_MS)
    }
  }
}

/** Adds the controllers to the manager. Answers what is waited for before the process ends. */
const addControllers = (
  { config, clock, logger }: ProgramContext,
  deps: {
    readonly manager: Manager
    readonly stores: Stores
    readonly template: ShardTemplate
    readonly metrics: Metrics
    readonly random: Random
  },
) => {
  const { manager, stores, template, metrics } = deps
  const { directory, views, snapshots } = stores
  const groups = createGroups()
  const fence = createFence()
  const token = given(config.cluster.controlToken).reveal()
  const shards = createShardClient({ token, clock, fence: fence.current })
  const shared = { manager, groups, fence, shards, views, clock, logger }
  const nodes = config.cluster.watchNodes ? manager.store(nodeKind) : null
  const isCordoned = (node: string): boolean => nodes?.get(node)?.spec?.unschedulable === true
  const group = createGroupController({ ...shared, isCordoned, metrics })
  manager.add(group.spec)
  manager.add(
    createTradingPairController({
      ...shared,
      directory,
      snapshots,
      template,
      defaults: { snapshotIntervalMs: config.snapshotIntervalMs, snapshotsKeep: config.snapshotsKeep },
      ledgerPartitions: config.ledgerPartitions,
      bridgePartitions: config.bridgePartitions,
    }),
  )
  manager.add(
    createBankController({
      client: manager.client,
      recorder: manager.recorder,
      stores: {
        banks: manager.store(bankKind),
        keySecrets: manager.store(secretKind, { labelSelector: BANK_LABEL }),
        bridgePods: manager.store(podKind, { labelSelector: `${GROUP_LABEL}=bridge` }),
      },
      directory,
      views,
      bridgePartitions: config.bridgePartitions,
      demoCallbackUrl: config.cluster.demoCallbackUrl,
      clock,
      random: deps.random,
      probe: fetch,
      logger,
      metrics,
      webhookSecretsName: webhookSecretsNameOf(template),
    }),
  )
  return { groups, idle: group.idle }
}

/**
 * Makes the start of the operator: health and metrics at once; then MongoDB, the controllers, and the lease. `onOver` is
 * called when it leads no more or its manager broke.
 */
export const createOperator =
  (over: { readonly onOver: (exitCode: number) => void }) =>
  async (context: ProgramContext): Promise<StartedProgram> => {
    const { config, clock, logger, metrics, lifetime } = context
    let manager: Manager | null = null
    const health = (): ProcessHealth => {
      const reasons = manager === null ? ['MongoDB does not answer yet'] : []
      if (manager?.isSynced() === false) reasons.push("the API server's lists are not read yet")
      return { ready: reasons.length === 0, reasons, detail: { leading: manager?.isLeading() ?? false } }
    }
    const { host, cluster } = config
    const server = await startHealthServer({
      host,
      port: cluster.servicePort,
      token: cluster.controlToken,
      health,
      metrics,
      levels: context.levels,
      clock,
      logger,
    })
    lifetime.onStop(server.stop)
    const template = await readTemplate(config.cluster.shardTemplate)
    const { kubeConfig, namespace } = await readKubeConfig(config.cluster.kubernetesNamespace)
    const stores = await openStoresInTime(context)
    const client = createKubeClient({ kubeConfig, namespace, fieldManager: FIELD_MANAGER, clock, metrics })
    lifetime.onStop(() => client.close())
    const identity = config.cluster.podName ?? hostname()
    const random = createSystemRandom()
    const made = createManager({ client, clock, random, logger, metrics, identity, leaseName: LEASE_NAME })
    const onError = (error: unknown): void =>
      logger.warn({ err: error }, 'the resources or MongoDB could not be counted')
    const resources = [
      { kind: 'TradingPair', store: made.store(tradingPairKind) },
      { kind: 'Bank', store: made.store(bankKind) },
    ] as const
    lifetime.onStop(startServerMetrics({ servers: [measuredStores(stores)], metrics, clock, onError }).stop)
    lifetime.onStop(startResourceMetrics({ resources, metrics, clock, onError }).stop)
    const { groups, idle } = addControllers(context, { manager: made, stores, template, metrics, random })
    await defineChartGroups(stores.directory, groups, config)
    manager = made
    made.run().then(
      (result) => {
        if (result === 'stopped') return
        logger.fatal('another operator leads: this one ends')
        over.onOver(1)
      },
      (error: unknown) => {
        logger.fatal({ err: error }, 'the manager broke')
        over.onOver(1)
      },
    )
    lifetime.onStop(async () => {
      await made.stop()
      await idle()
    })
    return {
      banner: [`operator ${identity} of namespace ${namespace}: health and metrics at ${server.url}`],
      url: server.url,
    }
  }
