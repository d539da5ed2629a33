import { createSystemRandom } from '@bourse/common/adapters/system/random.ts'
import { machineNumbers, type MachineName } from '@bourse/common/kernel/partition.ts'
import { allPartitions } from '@bourse/common/platform/topology.ts'
import { readManifests } from '@bourse/common/process/manifests.ts'
import type { ProgramContext, StartedProgram } from '@bourse/common/process/run.ts'
import { openStores, type Stores } from '@bourse/common/process/stores.ts'
import { settleTopology } from '@bourse/common/process/topology.ts'
import { createShardClient } from '@bourse/common/shard-client/client.ts'
import type { ShardPlace } from '@bourse/common/shard-client/move.ts'
import { bannerOf } from '../banner.ts'
import { DEMO_BANK } from '../platform/simulators.ts'
import type { LaunchArguments } from './arguments.ts'
import { createAssignments, type Assignments } from './assignments.ts'
import type { ChildProgram } from './child.ts'
import { planShards, type PlannedShard } from './plan.ts'
import { refuseRival } from './rival.ts'
import { prepareSecrets, type LaunchSecrets } from './secrets.ts'
import { supervise, type Supervised } from './supervisor.ts'

/** How long the gateways may take until every partition is served, ms: all programs start at once, on few processors slowly. */
export const READY_DEADLINE_MS = 180_000
/** How long one may take to answer that, ms. */
const READY_ANSWER_MS = 5_000
/** How often they are asked, ms. */
const READY_LOOK_MS = 100

/** For who watches a launch: a drill that strikes at its programs has to know them. */
export interface LaunchHooks {
  /** Further variables of the program of this name. */
  readonly envOf?: (name: string) => Readonly<Record<string, string>>
  /** Called once for each program, when it is ready for the first time. */
  readonly onStarted?: (program: Supervised) => void
}

/** What a launch works with. */
interface Launch {
  readonly hooks: LaunchHooks
  readonly context: ProgramContext
  readonly secrets: LaunchSecrets
  /** Aborted when it is to stop. */
  readonly quit: AbortSignal
}

const start = async (
  { context, secrets, hooks }: Launch,
  name: string,
  program: ChildProgram,
  env: Readonly<Record<string, string>>,
  onRestart?: (url: string, signal: AbortSignal) => Promise<void>,
): Promise<Supervised> => {
  const { clock, logger } = context
  const supervised = await supervise({
    name,
    program,
    env: { ...secrets.env, ...env, ...hooks.envOf?.(name) },
    ...(onRestart === undefined ? {} : { onRestart: ({ url }, signal) => onRestart(url, signal) }),
    clock,
    logger,
  })
  hooks.onStarted?.(supervised)
  return supervised
}

/** Registers, at once, the stop of children that stop side by side; answers them when all are ready. */
const together = async (
  { lifetime }: ProgramContext,
  starting: readonly Promise<Supervised>[],
): Promise<readonly Supervised[]> => {
  const settled = Promise.allSettled(starting)
  const started = async (): Promise<Supervised[]> =>
    (await settled).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  lifetime.onStop(async () => {
    await Promise.all((await started()).map((child) => child.stop()))
  })
  const failed = (await settled).find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return started()
}

interface Outside {
  readonly exchangeUrl: string
  readonly bankUrl: string | null
}

/** The simulators that are needed: the exchange unless another one is configured, the bank for the demo bank. */
const startOutside = async (launch: Launch, banks: readonly string[]): Promise<Outside> => {
  const { context, secrets } = launch
  const { exchangeUrl } = context.config
  const withBank = banks.includes(DEMO_BANK)
  const children = await together(context, [
    ...(exchangeUrl === null ? [start(launch, 'mock-exchange', 'mock-exchange', {})] : []),
    ...(withBank
      ? [
          start(launch, 'mock-bank', 'mock-bank', {
            BOURSE_MOCK_BANK_WEBHOOK_SECRETS: secrets.webhookSecrets.join(','),
          }),
        ]
      : []),
  ])
  const urlOf = (name: string): string | null => children.find((child) => child.name === name)?.url() ?? null
  return { exchangeUrl: exchangeUrl ?? urlOf('mock-exchange') ?? '', bankUrl: urlOf('mock-bank') }
}

const startShards = async (
  launch: Launch,
  plan: readonly PlannedShard[],
  assignments: Assignments,
  { exchangeUrl, bankUrl }: Outside,
): Promise<void> => {
  const env = {
    BOURSE_SERVICE_PORT: '0',
    BOURSE_EXCHANGE_URL: exchangeUrl,
    ...(bankUrl === null ? {} : { BOURSE_DEMO_CALLBACK_URL: bankUrl }),
  }
  const shards = await together(
    launch.context,
    plan.map(({ name, machine }) =>
      start(launch, name, machine, { ...env, BOURSE_SHARD_NAME: name }, (url, signal) =>
        assignments.assign({ name, url }, signal),
      ),
    ),
  )
  const placeOf = (shard: Supervised): ShardPlace => ({
    name: shard.name,
    // One that dies before it was told is another process, elsewhere, when it is told again.
    get url() {
      return shard.url()
    },
  })
  await Promise.all(shards.map((shard) => assignments.assign(placeOf(shard), launch.quit)))
}

/** Null once a gateway takes commands, else why it does not. */
const unreadiness = async (url: string): Promise<string | null> => {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(READY_ANSWER_MS) })
    if (response.ok) return null
    return ((await response.json()) as { readonly reasons: readonly string[] }).reasons.join('; ')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Resolves once a gateway takes commands; rejects with its reasons when that takes too long. */
const ready = async ({ context, quit }: Launch, url: string): Promise<void> => {
  const { clock } = context
  const endMs = clock.monotonicMs() + READY_DEADLINE_MS
  for (;;) {
    const why = await unreadiness(url)
    if (why === null) return
    if (clock.monotonicMs() > endMs) throw new Error(`the gateway at ${url} is not ready: ${why}`)
    await clock.sleep(READY_LOOK_MS, quit)
  }
}

/** Gateways on BOURSE_PORT and the ports after it (on any, if that is 0), and so their telemetry. */
const startGateways = async (launch: Launch, count: number, outside: Outside): Promise<readonly Supervised[]> => {
  const { port, cluster, profile, exchangeUrl } = launch.context.config
  const isSandbox = profile === 'development'
  const sandbox = {
    ...(isSandbox && exchangeUrl === null ? { BOURSE_SANDBOX_EXCHANGE_URL: outside.exchangeUrl } : {}),
    ...(isSandbox && outside.bankUrl !== null ? { BOURSE_SANDBOX_BANK_URL: outside.bankUrl } : {}),
  }
  const portAfter = (first: number, index: number): string => String(first === 0 ? 0 : first + index)
  const gateways = await together(
    launch.context,
    Array.from({ length: count }, (_, index) =>
      start(launch, `gateway-${index}`, 'gateway', {
        ...sandbox,
        BOURSE_PORT: portAfter(port, index),
        BOURSE_TELEMETRY_PORT: portAfter(cluster.telemetryPort ?? 0, index),
      }),
    ),
  )
  await Promise.all(gateways.map((gateway) => ready(launch, gateway.url())))
  return gateways
}

const countsOf = (counts: LaunchArguments): Readonly<Record<MachineName, number>> => ({
  ledger: counts.ledgerShards,
  trading: counts.tradingShards,
  bridge: counts.bridgeShards,
})

const assignmentsOf = (
  context: ProgramContext,
  secrets: LaunchSecrets,
  stores: Stores,
  plan: readonly PlannedShard[],
) =>
  createAssignments({
    plan: new Map(plan.map(({ name, partitions }) => [name, partitions])),
    orders: createShardClient({ token: secrets.controlToken, clock: context.clock }),
    views: stores.views,
    clock: context.clock,
    logger: context.logger,
  })

/**
 * Starts the platform as many processes of this machine, in the order in which they need one another, tells the shards what to
 * serve, and starts again what dies. They stop in the reverse order.
 * @throws {StartRefused} on a configuration, manifest, server or data that can't be used
 */
export const launch = async (
  context: ProgramContext,
  counts: LaunchArguments,
  hooks: LaunchHooks = {},
): Promise<StartedProgram> => {
  const { config, lifetime } = context
  const manifests = await readManifests(config, 'launcher')
  const banks = manifests.banks.map(({ name }) => name)
  const secrets = await prepareSecrets(config, banks, createSystemRandom())
  const stores = await openStores(context, manifests)
  await refuseRival({ views: stores.views, clock: context.clock })
  const topology = await settleTopology({ config, manifests, ...stores })
  const plan = planShards(allPartitions(topology), countsOf(counts))
  const assignments = await assignmentsOf(context, secrets, stores, plan)
  const quit = new AbortController()
  lifetime.onStop(() => quit.abort())
  lifetime.onStop(assignments.keepServed(quit.signal).stop)
  const launched: Launch = { context, secrets, hooks, quit: quit.signal }
  const outside = await startOutside(launched, banks)
  const orGiveUp = <Value>(part: Promise<Value>): Promise<Value> =>
    part.catch((error: unknown) => {
      quit.abort()
      throw error
    })
  // Side by side; they stop in the reverse of the order they are named in.
  const starting = [
    orGiveUp(startShards(launched, plan, assignments, outside)),
    orGiveUp(together(context, [start(launched, 'market', 'market', { BOURSE_SERVICE_PORT: '0' })])),
    orGiveUp(startGateways(launched, counts.gateways, outside)),
  ] as const
  // A failure stops the others: none is left half started, and the first one that is told is the reason.
  await Promise.allSettled(starting)
  const [, , gateways] = await Promise.all(starting)
  // Before anything is stopped: nobody is told to serve any more.
  lifetime.onStop(() => quit.abort())
  const [gateway, ...others] = gateways
  const gatewayUrl = gateway?.url() ?? ''
  const telemetryUrl = gateway?.telemetryUrl() ?? null
  const machines = (Object.keys(machineNumbers) as MachineName[]).map((one) => `${countsOf(counts)[one]} ${one}`)
  return {
    banner: [
      ...bannerOf(config, { gatewayUrl, telemetryUrl, ...outside, ...secrets }, []),
      ...others.map((other) => `  gateway         ${other.url()} (telemetry ${other.telemetryUrl()})`),
      `  shards          ${machines.join(', ')}`,
    ],
    url: gatewayUrl,
    ...(telemetryUrl === null ? {} : { telemetryUrl }),
  }
}
