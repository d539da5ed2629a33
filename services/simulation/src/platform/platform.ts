import {
  createMachineFactories,
  loadMachineModules,
  type MachineModules,
} from '@bourse/all-in-one/platform/machines.ts'
import { policyOfPartition } from '@bourse/all-in-one/platform/serving.ts'
import { createBankHttp } from '@bourse/bridge/adapters/bank-http.ts'
import { createExchangeHttp } from '@bourse/bridge/adapters/exchange-http.ts'
import { createStoredEvents } from '@bourse/bridge/host/stored-events.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { RecordError } from '@bourse/common/kernel/record.ts'
import { allPartitions } from '@bourse/common/platform/topology.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { FeedQuote } from '@bourse/common/ports/prices.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Faults } from '../faults/faults.ts'
import { createBankMaker, type SimulatedBank } from '../outside/bank.ts'
import { createExchangeMaker } from '../outside/exchange.ts'
import { createOrderTimes, type OrderTimes } from '../outside/order-times.ts'
import type { Door, Ground } from '../ports/ground.ts'
import type { World } from '../world/world.ts'
import { createDirector } from './director.ts'
import type { SimulatedPlatform } from './exchange-platform.ts'
import { createFlips } from './flips.ts'
import type { LifeDeps, Roles } from './life.ts'
import { bankHost, EXCHANGE_HOST, exchangePrices } from './manifests.ts'
import { createNode, type Node } from './node.ts'
import { createOperator } from './operator.ts'
import { drawShape, type Shape } from './shape.ts'
import { unrestOf } from './unrest.ts'
import { createWatch } from './watch.ts'

/** What all platforms of a process share: compiled machines and schemas. */
export interface PlatformMakers {
  readonly modules: MachineModules
  readonly makeExchange: ReturnType<typeof createExchangeMaker>
  readonly makeBank: ReturnType<typeof createBankMaker>
}

/** Compiles what every platform needs; takes a while, once. */
export const createPlatformMakers = (): PlatformMakers => ({
  modules: loadMachineModules(),
  makeExchange: createExchangeMaker(),
  makeBank: createBankMaker(),
})

/** What a platform stands on. */
export interface PlatformDeps {
  readonly world: World
  readonly ground: Ground
  readonly faults: Faults
  readonly makers: PlatformMakers
}

/** How far the outside's clocks may be off, ms: with a node's own, less than the platform allows for. */
const OUTSIDE_SKEW_MS_MAX = 200
/** A quote on its way from the market to a node: at most, ms. */
const QUOTE_TRAVEL_MS_MAX = 30
/** How long a partition at rest may take to tell its state. */
const STATE_HASH_LIMITS = { durationMsMax: 60_000, eventsMax: 100_000 } as const
/** How often the start looks whether all is there, ms. */
const START_LOOK_MS = 50

const NOTHING: Roles = { serves: false, edge: false, views: false, market: false, admin: false }

/** Name and roles of every process. */
const processesOf = (shape: Shape): [name: string, roles: Roles][] => {
  if (shape.isEmbedded) return [['platform', { serves: true, edge: true, views: true, market: true, admin: true }]]
  const numbered = (count: number, name: string, roles: (index: number) => Partial<Roles>): [string, Roles][] =>
    Array.from({ length: count }, (_, index) => [`${name}-${index + 1}`, { ...NOTHING, ...roles(index) }])
  return [
    ...numbered(shape.nodes, 'node', () => ({ serves: true })),
    ...numbered(shape.edges, 'edge', (index) => ({ edge: true, admin: index === 0 })),
    ['views', { ...NOTHING, views: true }],
    ['market', { ...NOTHING, market: true }],
  ]
}

/** The exchange and the banks, at their addresses, with clocks of their own. */
const openOutside = (
  { world, ground, faults, makers }: PlatformDeps,
  shape: Shape,
  chance: SeededRandom,
  times: OrderTimes,
) => {
  const clockOf = (name: string): (() => number) => {
    const door = ground.open(name)
    door.jumpClock(chance.between(-OUTSIDE_SKEW_MS_MAX, OUTSIDE_SKEW_MS_MAX))
    return () => door.clock.nowMs()
  }
  const exchange = makers.makeExchange({ world, faults, nowMs: clockOf('exchange'), prices: exchangePrices, times })
  ground.listen(EXCHANGE_HOST, exchange.handler)
  const banks = new Map<string, SimulatedBank>()
  for (const { name } of shape.banks) {
    const bank = makers.makeBank({ name, world, faults, nowMs: clockOf(name), secret: secretOf(name) })
    ground.listen(bankHost(name), bank.handler)
    banks.set(name, bank)
  }
  return { exchange, banks }
}
const isPortFailure = (error: unknown): boolean => error instanceof PortError
const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))
const secretOf = (bank: string): string => `secret of ${bank}`

/** Hosts of partitions as the platform makes them, their outside calls going through the process's doors. */
const hostsOf = (shape: Shape, modules: MachineModules, times: OrderTimes): LifeDeps['hostOf'] => {
  const { topology } = shape
  const { hostOf } = createMachineFactories(topology, modules, shape.capacities)
  return (partition, { fetch, clock, views }, logger) =>
    hostOf(partition, {
      ledgerPartitions: topology.ledgerPartitions,
      liquidity: createExchangeHttp({ baseUrl: () => `http://${EXCHANGE_HOST}`, fetch: times.watching(fetch), clock }),
      callbacks: createBankHttp({ fetch, clock, webhookSecrets: (bank) => [secretOf(bank)] }),
      events: createStoredEvents(views),
      clock,
      logger,
    })
}

/** Makes the platform of a seed, with all its processes down; `start` starts them. */
export const createSimulatedPlatform = (deps: PlatformDeps): SimulatedPlatform => {
  const { world, ground, faults } = deps
  const chance = world.chance('platform')
  const shape = drawShape(chance)
  const { topology } = shape
  const partitions = allPartitions(topology)
  const watch = createWatch(world, (partition) =>
    partitions.some((number) => partitionName(number) === partition && flips.isFlipped(number)),
  )
  const times = createOrderTimes(world)
  const { exchange, banks } = openOutside(deps, shape, chance, times)
  const heads = new Map<PartitionNumber, bigint>()
  const headOf = (partition: PartitionNumber): bigint => heads.get(partition) ?? 0n
  ground.onAppended(({ partition, sequence }) => void heads.set(partition, sequence))

  let pairs: readonly TradingPair[] = shape.pairs
  let bankManifests: readonly Bank[] = shape.banks
  let pairsInForce: readonly TradingPair[] = shape.pairs
  const quotes = new Map<string, FeedQuote>()
  const policies = new Map(pairs.map(({ spec }) => [topology.markets.get(spec.symbol)?.market ?? 0, spec.snapshots]))

  /** A record that the run damaged explains that a partition does not trust its journal. */
  const isExplained = (partition: PartitionNumber, error: unknown): boolean =>
    error instanceof RecordError && flips.isFlipped(partition)
  /** The snapshot that a process's runner began at: one that was still being written may have come after the damage. */
  const beganAt = (door: Door, partition: PartitionNumber): bigint => {
    const served = nodes.find(({ life }) => life?.door === door)?.life?.serving?.served.get(partition)
    return served?.runner.status().recovery?.snapshotSequence ?? 0n
  }
  const started = (door: Door, partition: PartitionNumber, error: unknown): void => {
    const name = partitionName(partition)
    if (error === null && flips.isFlippedAfter(partition, beganAt(door, partition)))
      watch.report(`${name} serves over a damaged record`)
    if (error === null) {
      void flips.isUnsentFlipped(partition).then((isUnsent) => {
        if (isUnsent) watch.report(`${name} sends effects of a damaged record`)
      })
    }
    if (error !== null && !isPortFailure(error) && !isExplained(partition, error))
      watch.report(`${name} does not start: ${textOf(error)}`)
    operator.nudge()
  }
  const fatal = (door: Door, error: unknown): void => {
    const node = nodes.find(({ life }) => life?.door === door)
    if (!isPortFailure(error)) watch.report(`${door.name} broke: ${textOf(error)}`)
    world.schedule(0, `${door.name} ends`, () => {
      if (node?.life?.door !== door) return
      node.kill()
      if (shape.isEmbedded) ground.busForgets()
      node.boot()
      operator.nudge()
    })
  }
  const lifeDeps: LifeDeps = {
    topology,
    hostOf: hostsOf(shape, deps.makers.modules, times),
    policyOf: policyOfPartition(policies, shape.snapshots),
    manifests: () => ({ pairs, banks: bankManifests }),
    pairsInForce: () => pairsInForce,
    onInForce: (inForce) => {
      pairsInForce = inForce
    },
    latest: (symbol) => quotes.get(symbol) ?? null,
    onStarted: started,
    report: watch.report,
    onFatal: fatal,
  }
  const nodes: readonly Node[] = processesOf(shape).map(([name, roles]) =>
    createNode(ground, lifeDeps, name, roles, watch.loggerOf),
  )
  const serving = nodes.filter((node) => node.roles.serves)
  const isServed = (partition: PartitionNumber): boolean =>
    nodes.some(({ life }) => life?.serving?.served.has(partition) === true || life?.serving?.prepared.has(partition))
  const flips = createFlips({ world, ground, faults, headOf, isServed })
  const operator = createOperator({
    world,
    nodes,
    places: new Map(partitions.map((partition) => [partition, chance.pick(serving)])),
    onFailed: (partition, reason) => {
      if (/traps/.test(reason)) watch.report(`${partitionName(partition)} gave up: ${reason}`)
      flips.repair(partition)
    },
  })
  watch.onTrouble(operator.nudge)
  const director = createDirector({
    world,
    ground,
    faults,
    nodes,
    operator,
    partitions,
    flips,
    isEmbedded: shape.isEmbedded,
  })
  const edges = nodes.filter((node) => node.roles.edge)
  const market = nodes.find((node) => node.roles.market)!
  const admin = nodes.find((node) => node.roles.admin)!
  const unrest = (): Generator<string> => unrestOf({ nodes, operator, partitions, headOf })

  const spread = (quote: FeedQuote): void => {
    for (const node of serving) {
      if (shape.isEmbedded) node.bring(quote)
      else world.schedule(chance.between(1, QUOTE_TRAVEL_MS_MAX), `a quote for ${node.name}`, () => node.bring(quote))
    }
  }
  const accept = (asset: string, bid: bigint, ask: bigint, ageMs = 0): void => {
    if (market.life === null || market.isPaused) return
    const quote = market.life.market?.accept(asset, bid, ask, ageMs) ?? null
    if (quote === null) return
    quotes.set(asset, quote)
    spread(quote)
  }

  return {
    topology,
    start: async () => {
      for (const node of nodes) node.boot()
      operator.nudge()
      await new Promise<void>((resolve) => {
        const look = (): void => {
          const isThere = operator.unrest().length === 0 && admin.life?.admin?.isApplied() === true
          if (isThere) resolve()
          else world.schedule(START_LOOK_MS, 'the start looks', look)
        }
        look()
      })
      director.start()
    },
    edgeOf: (client) => {
      const edge = edges[client % edges.length]?.lastLife?.edge
      if (edge === undefined || edge === null) throw new Error('the platform was not started')
      return edge
    },
    quote: accept,
    lastQuote: (asset) => quotes.get(asset) ?? null,
    pairs: () => pairs.map(({ spec }) => spec),
    banks: () => bankManifests,
    changePair: (spec) => {
      pairs = pairs.map((pair) => (pair.spec.symbol === spec.symbol ? { ...pair, spec } : pair))
      admin.life?.admin?.refresh()
    },
    changeBank: (name, spec) => {
      bankManifests = bankManifests.map((bank) => (bank.name === name ? { ...bank, spec } : bank))
      admin.life?.admin?.refresh()
    },
    exchangePrice: exchange.price,
    setExchangePrice: exchange.setPrice,
    orders: exchange.orders,
    bankBooks: (name) => {
      const bank = banks.get(name)
      if (bank === undefined) throw new Error(`there is no bank ${name}`)
      return bank
    },
    heal: director.heal,
    isQuiet: () => unrest().next().done === true,
    unrest: () => [...unrest()],
    disks: ground.disks,
    factoryOf: createMachineFactories(topology, deps.makers.modules, shape.capacities).factoryOf,
    stateHash: async (partition) => {
      const served = operator.ownerOf(partition).life?.serving?.served.get(partition)
      if (served === undefined) throw new Error(`${partitionName(partition)} is not served`)
      let isTold = false
      const hash = served.runner.stateHash().finally(() => {
        isTold = true
      })
      // It may be looking at its journal just now: then it answers once that has answered.
      const end = await world.run(() => isTold, STATE_HASH_LIMITS)
      if (end !== 'done') throw new Error(`${partitionName(partition)} does not tell its state: ${end}`)
      return hash
    },
    findings: () => [
      ...watch.findings(),
      ...[...banks].flatMap(([name, bank]) =>
        bank.badSignatures === 0 ? [] : [`${name} refused ${bank.badSignatures} events for their signature`],
      ),
    ],
    close: () => {
      for (const node of nodes) node.kill()
      exchange.close()
      for (const bank of banks.values()) bank.close()
    },
  }
}
