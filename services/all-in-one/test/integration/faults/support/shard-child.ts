import { openMongo } from '@bourse/common/adapters/mongodb/connection.ts'
import { openMongoJournal } from '@bourse/common/adapters/mongodb/journal.ts'
import { openMongoSnapshots } from '@bourse/common/adapters/mongodb/snapshots.ts'
import { openRabbitBus } from '@bourse/common/adapters/rabbitmq/bus.ts'
import { openRabbitEvents } from '@bourse/common/adapters/rabbitmq/events.ts'
import { openRedis } from '@bourse/common/adapters/redis/connection.ts'
import { createRedisPrices } from '@bourse/common/adapters/redis/prices.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createPartitionClient } from '@bourse/common/kernel/client.ts'
import { partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { createShard, type Shard, type ShardKind } from '@bourse/common/shard/shard.ts'
import type { ShardPartition, ShardResult } from '@bourse/common/shard/types.ts'
import { tellSpec } from '@bourse/trading/host/tell-spec.ts'
import { createTradingHost, type TradingQuote } from '@bourse/trading/host/trading-host.ts'
import { pino, type Logger } from 'pino'
import { createFactories, FIRST_PRICE, market, specOf, SYMBOL, topology } from './market.ts'
import { createRemoteJournal, createRemoteSnapshots } from './remote-stores.ts'
import { createPeer, type Peer } from './rpc.ts'
import { settingsFromParent, type KillOrder, type PartitionReport, type PartSettings } from './settings.ts'
import { createSuicidal } from './suicide.ts'

/** A shard of the fault tests: the real ledger and trading machines behind the real adapters, told what to do by its parent. */

const QUOTE_INTERVAL_MS = 200
const SNAPSHOT_INTERVAL_MS = 2_000

interface Stores {
  readonly journal: Journal
  readonly snapshots: Snapshots
  close(): Promise<void>
}

const openStores = async (settings: PartSettings, peer: Peer, clock: Clock, logger: Logger): Promise<Stores> => {
  if (settings.mongoUrl === null)
    return {
      journal: createRemoteJournal(peer),
      snapshots: createRemoteSnapshots(peer),
      close: () => Promise.resolve(),
    }
  const connection = await openMongo({ url: settings.mongoUrl, clock, logger })
  const journal = await openMongoJournal(connection)
  return { journal, snapshots: await openMongoSnapshots(connection, { clock }), close: () => connection.close() }
}

/** Views that nobody reads: what these tests judge is the journal. */
const createNoViews = (): Views => {
  const cursors = new Map<string, bigint>()
  return {
    project: async (projection, partition, sequence) => void cursors.set(`${projection} ${partition}`, sequence),
    cursor: async (projection, partition) => cursors.get(`${projection} ${partition}`) ?? 0n,
    get: async () => null,
    find: async () => [],
    clear: async () => undefined,
    close: async () => undefined,
  }
}

/** Hands quotes to `observe`: those of Redis, else its own. */
const feed = async (
  settings: PartSettings,
  clock: Clock,
  logger: Logger,
  observe: (quote: TradingQuote) => void,
): Promise<() => Promise<void>> => {
  if (settings.redisUrl === null) {
    const ticking = clock.every(
      QUOTE_INTERVAL_MS,
      () => observe({ feedBid: FIRST_PRICE, feedAsk: FIRST_PRICE + 1_000_000n, timeMs: clock.nowMs() }),
      (error) => logger.error({ err: error }, 'no quote'),
    )
    return () => ticking.stop()
  }
  const connection = await openRedis({ url: settings.redisUrl, logger })
  const prices = createRedisPrices(connection, { clock })
  prices.subscribe(SYMBOL, ({ feedBid, feedAsk, receiveTimeMs }) =>
    observe({ feedBid, feedAsk, timeMs: receiveTimeMs }),
  )
  return async () => {
    await prices.close()
    await connection.close()
  }
}

const must = (result: ShardResult<ShardPartition>): void => {
  if (!result.ok) throw new Error(`${result.refusal.code}: ${result.refusal.message}`)
}

const reportOf = ({ partition, state, reason, epoch, sequence, runner }: ShardPartition): PartitionReport => ({
  partition,
  state,
  reason,
  epoch,
  sequence,
  waiting: runner?.waiting ?? 0,
  unconfirmedEffects: runner?.unconfirmedEffects ?? 0,
})

const start = async (): Promise<void> => {
  process.on('disconnect', () => process.exit(0))
  const settings = settingsFromParent()
  const clock = createSystemClock()
  const logger = pino({ level: 'info', base: { part: settings.name } }, pino.destination(2))
  const { rabbitUrl: url, prefix } = settings
  const shards: Shard<TradingQuote>[] = []
  const shardOf = (partition: PartitionNumber): Shard<TradingQuote> =>
    shards.find(({ machine }) => machine === partitionParts(partition).machine)!

  let close = (): Promise<void> => Promise.resolve()
  const peer = createPeer(process, {
    prepare: async (partition: PartitionNumber, epoch: number) =>
      must(await shardOf(partition).prepare(partition, epoch)),
    acquire: async (partition: PartitionNumber, epoch: number) =>
      must(await shardOf(partition).acquire(partition, epoch)),
    release: async (partition: PartitionNumber, epoch: number) =>
      must(await shardOf(partition).release(partition, epoch)),
    status: async () => shards.flatMap((shard) => shard.status().map(reportOf)),
    arm: async (order: KillOrder) => suicidal.arm(order),
    stop: () => close(),
  })

  const stores = await openStores(settings, peer, clock, logger)
  const suicidal = createSuicidal(await openRabbitBus({ url, prefix, clock, logger }), stores.journal)
  const { bus, journal } = suicidal
  const events = await openRabbitEvents({ url, prefix, journal, clock, logger })
  const partitions = createPartitionClient({ bus })
  const factories = createFactories()
  const common: Pick<ShardKind<TradingQuote>, 'foldOf' | 'policyOf'> = {
    foldOf: () => () => [],
    policyOf: () => ({ intervalMs: SNAPSHOT_INTERVAL_MS, keep: 3, compression: 'zstd' }),
  }
  const kinds: ShardKind<TradingQuote>[] = [
    {
      ...common,
      machine: 'ledger',
      hostOf: (partition) => ({ factory: factories.factoryOf(partition) }),
      applySpec: () => Promise.resolve(),
    },
    {
      ...common,
      machine: 'trading',
      hostOf: () => createTradingHost(factories.tradingFactory),
      applySpec: (partition) =>
        tellSpec({ partitions, topology }, specOf(settings.maxAgeSeconds), market, partitionParts(partition).index),
    },
  ]
  const ports = { bus, journal, snapshots: stores.snapshots, events, views: createNoViews() }
  for (const kind of kinds)
    shards.push(createShard({ name: settings.name, ports, clock, logger, kind, projection: 'none' }))
  const stopFeed = await feed(settings, clock, logger, (quote) => {
    for (const shard of shards) if (shard.machine === 'trading') shard.observe(null, quote)
  })
  close = async () => {
    await stopFeed()
    await Promise.all(shards.map((shard) => shard.stop()))
    await events.close()
    await bus.close()
    await stores.close()
  }
  await peer.call('ready')
}

await start()
