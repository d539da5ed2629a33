import { partitionNumber, partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { MarketPlace } from '@bourse/common/platform/topology.ts'
import { measuredRedis, openRedisParts } from '@bourse/common/process/redis.ts'
import type { ProgramContext, StartedProgram } from '@bourse/common/process/run.ts'
import { startShardProcess, type ShardFoundation, type ShardService } from '@bourse/common/process/shard.ts'
import { SpecRefused } from '@bourse/common/resources/manifest-set.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import type { Shard } from '@bourse/common/shard/shard.ts'
import { assetOfPartition } from './codec/asset.ts'
import { createTradingFactory } from './host/machine.ts'
import { observationOf } from './host/observation.ts'
import { tellSpec } from './host/tell-spec.ts'
import { createTradingHost, type TradingQuote } from './host/trading-host.ts'
import { createMarketShow } from './metrics/market.ts'
import { createTradeCount } from './metrics/record.ts'
import { foldTradingRecord } from './projection/fold.ts'

const tradingService = async (foundation: ShardFoundation): Promise<ShardService<TradingQuote>> => {
  const { manifests, topology, snapshotPolicy, metrics, lifetime } = foundation
  const redis = await openRedisParts(foundation, manifests)
  const { prices } = redis
  const factory = createTradingFactory()
  const assetOf = assetOfPartition(topology.markets)
  /** What each market is to be, from the moment its change was begun: a partition that comes meanwhile gets it too. */
  const wanted = new Map(manifests.pairs.map((pair) => [pair.spec.symbol, pair]))
  let shard: Shard<TradingQuote> | null = null

  const placeOf = (partition: PartitionNumber): { readonly pair: TradingPair; readonly market: MarketPlace } => {
    const symbol = assetOf(partition)
    const [pair, market] = [wanted.get(symbol), topology.markets.get(symbol)]
    if (pair === undefined || market === undefined)
      throw new SpecRefused(`no manifest names the market of partition ${partition}; add it`, { isForNow: true })
    return { pair, market }
  }
  /** The quote of this moment: the next one may be a while. */
  const observeLatest = ({ symbol, market }: MarketPlace): void => {
    const latest = prices.latest(symbol)
    if (latest !== null) shard?.observe(market, observationOf(latest))
  }
  const follow = (made: Shard<TradingQuote>, { symbol, market }: MarketPlace): void =>
    lifetime.onStop(prices.subscribe(symbol, (quote) => made.observe(market, observationOf(quote))))
  const tellServed = async ({ spec }: TradingPair, served: ReadonlySet<PartitionNumber>): Promise<void> => {
    const market = topology.markets.get(spec.symbol)
    for (let index = 0; market !== undefined && index < market.partitions; index++) {
      if (served.has(partitionNumber('trading', index, market.market))) await tellSpec(foundation, spec, market, index)
    }
  }
  return {
    kind: {
      hostOf: (partition) =>
        createTradingHost(factory, () => {
          const quote = prices.latest(assetOf(partition))
          return quote === null ? null : observationOf(quote)
        }),
      foldOf: () => (record) => foldTradingRecord(record, assetOf),
      policyOf: (partition) => wanted.get(assetOf(partition))?.spec.snapshots ?? snapshotPolicy,
      applySpec: async (partition) => {
        for (let told: TradingPair | null = null; told !== placeOf(partition).pair;) {
          const { pair, market } = placeOf(partition)
          await tellSpec(foundation, pair.spec, market, partitionParts(partition).index)
          observeLatest(market)
          // Another may have been told meanwhile, and this one have come after it.
          told = pair
        }
      },
    },
    applyPair: async (pair, served) => {
      const { symbol } = pair.spec
      const before = wanted.get(symbol)
      wanted.set(symbol, pair)
      try {
        await tellServed(pair, served)
      } catch (error) {
        // It may be refused for good: a partition that comes to us is to get what stood before.
        if (before !== undefined) wanted.set(symbol, before)
        throw error
      }
    },
    servers: [measuredRedis(redis)],
    countOf: createTradeCount(metrics, assetOf),
    stateShow: createMarketShow(metrics, assetOf),
    attach: (made) => {
      shard = made
      for (const market of topology.markets.values()) follow(made, market)
    },
    addMarket: (market) => {
      if (shard !== null) follow(shard, market)
    },
    concerns: ({ kind, name }, partition) => kind === 'TradingPair' && wanted.get(assetOf(partition))?.name === name,
  }
}

/** A trading shard as a process of its own: quotes come from Redis. */
export const startTradingShard = (context: ProgramContext): Promise<StartedProgram> =>
  startShardProcess(context, 'trading', tradingService)
