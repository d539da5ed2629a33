import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { startProxy, type Proxy } from '@bourse/common/testkit/servers/proxy.ts'
import type { RabbitMqServer } from '@bourse/common/testkit/servers/rabbitmq.ts'
import { pause } from '../../../support/calls.ts'
import { createChildPart, type ChildPart } from './child-part.ts'
import { partitions } from './market.ts'
import type { KillOrder, PartitionReport, PartSettings } from './settings.ts'
import type { RunStores } from './stores.ts'

/** How often the minder looks after processes and partitions, ms. */
const MIND_INTERVAL_MS = 150
const QUIET_MS_MAX = 120_000
/** Looks in a row that must find nothing. */
const LOOKS = 3

/** The processes of a platform under test, and what a launcher does for them. */
export interface Platform {
  /** Of its queues and streams. */
  readonly prefix: string
  readonly shards: readonly [ChildPart, ChildPart]
  readonly gateways: readonly [ChildPart, ChildPart]
  /** What clients talk to; a call of a gateway that is dead rejects. */
  readonly clients: readonly PartitionClient[]
  /** In front of RabbitMQ, one for each process by name. */
  readonly proxies: ReadonlyMap<string, Proxy>
  /** The shard that is to serve a partition. */
  ownerOf(partition: PartitionNumber): ChildPart
  /** Prepared at the other shard, released, acquired there; resolves with how long nobody served it, ms. */
  move(partition: PartitionNumber): Promise<number>
  /** A higher epoch than any before. */
  nextEpoch(): number
  arm(order: KillOrder): Promise<void>
  /** While it is paused nobody starts what died, and nobody tells who stepped down to serve again. */
  mind(isOn: boolean): void
  /** How often a process was started again, and a partition told to be served again. */
  readonly counts: { restarts: number; reacquired: number }
  /** How processes ended that nobody killed, a line each. */
  crashes(): string[]
  /** Resolves once every partition is served by its owner. */
  served(): Promise<void>
  /** Resolves once every partition is served and nothing is under way between them. */
  quiet(): Promise<void>
  stop(): Promise<void>
}

const clientOf = (gateway: ChildPart): PartitionClient => ({
  command: (...args) => gateway.call('command', ...args),
  read: (...args) => gateway.call('read', ...args),
})

/** What a platform is made of. */
export interface PlatformOptions {
  readonly rabbit: Pick<RabbitMqServer, 'url' | 'port' | 'control'>
  readonly stores: RunStores
  readonly redisUrl?: string
  readonly maxAgeSeconds?: number
  /** Of queues and streams: no two runs share them. */
  readonly prefix: string
  /** Takes the processes' logs. */
  readonly folder: string
}

/** Starts two shards, which serve half of the partitions each, and two gateways. */
export const startPlatform = async (options: PlatformOptions): Promise<Platform> => {
  const { rabbit, stores, prefix } = options
  mkdirSync(options.folder, { recursive: true })
  const proxies = new Map<string, Proxy>()
  const makePart = async (program: 'shard-child' | 'gateway-child', name: string): Promise<ChildPart> => {
    const proxy = await startProxy({ port: rabbit.port })
    proxies.set(name, proxy)
    const settings: PartSettings = {
      name,
      rabbitUrl: proxy.urlOf(rabbit.url),
      prefix,
      mongoUrl: stores.mongoUrl,
      redisUrl: options.redisUrl ?? null,
      maxAgeSeconds: options.maxAgeSeconds ?? 5,
    }
    return createChildPart(program, settings, join(options.folder, `${name}.log`), stores.handlers)
  }
  const shards = [await makePart('shard-child', 'shard-a'), await makePart('shard-child', 'shard-b')] as const
  const gateways = [await makePart('gateway-child', 'gateway-a'), await makePart('gateway-child', 'gateway-b')] as const
  const everything = [...shards, ...gateways]
  const owners = new Map(partitions.map((partition, index) => [partition, shards[index % 2]!]))
  const counts = { restarts: 0, reacquired: 0 }
  let epoch = 0
  let isMinding = true
  let isStopped = false
  const moving = new Set<PartitionNumber>()

  const ownerOf = (partition: PartitionNumber): ChildPart => owners.get(partition)!
  const acquireAll = async (shard: ChildPart): Promise<void> => {
    const own = partitions.filter((partition) => ownerOf(partition) === shard && !moving.has(partition))
    epoch += 1
    const under = epoch
    await Promise.all(own.map((partition) => shard.call('acquire', partition, under)))
  }

  /** What a launcher and an operator do: what died is started again, who stepped down is told to serve again. */
  const mindOnce = async (): Promise<void> => {
    for (const part of everything) {
      if (part.isRunning()) continue
      await part.start()
      counts.restarts += 1
      if (part === shards[0] || part === shards[1]) await acquireAll(part)
    }
    for (const shard of shards) {
      const reports = await shard.call<PartitionReport[]>('status')
      for (const { partition, state } of reports) {
        if (ownerOf(partition) !== shard || moving.has(partition) || (state !== 'deposed' && state !== 'failed'))
          continue
        counts.reacquired += 1
        epoch += 1
        await shard.call('acquire', partition, epoch)
      }
    }
  }
  const minding = async (): Promise<void> => {
    while (!isStopped) {
      await pause(MIND_INTERVAL_MS)
      // A process that dies in the middle of an order is started again the next time.
      if (isMinding) await mindOnce().catch(() => undefined)
    }
  }

  const move = async (partition: PartitionNumber): Promise<number> => {
    const from = ownerOf(partition)
    const to = shards.find((shard) => shard !== from)!
    moving.add(partition)
    try {
      epoch += 1
      const under = epoch
      await to.call('prepare', partition, under)
      const startedMs = performance.now()
      await from.call('release', partition, under)
      owners.set(partition, to)
      await to.call('acquire', partition, under)
      return performance.now() - startedMs
    } finally {
      moving.delete(partition)
    }
  }

  const reports = async (): Promise<PartitionReport[]> =>
    (
      await Promise.all(
        shards.map(async (shard) => {
          const own = await shard.call<PartitionReport[]>('status').catch((): PartitionReport[] => [])
          return own.filter(({ partition }) => ownerOf(partition) === shard)
        }),
      )
    ).flat()

  /** What is not as it should be: of the service alone, or also of what is under way. */
  const unrest = async (isToRest: boolean): Promise<string[]> => {
    const all = await reports()
    return partitions.flatMap((partition) => {
      const report = all.find((one) => one.partition === partition)
      const name = partitionName(partition)
      if (report?.state !== 'serving') return [`${name} is ${report?.state ?? 'nowhere'}: ${report?.reason ?? ''}`]
      const { waiting, unconfirmedEffects } = report
      if (!isToRest || waiting + unconfirmedEffects === 0) return []
      return [`${name}: ${waiting} waiting, ${unconfirmedEffects} unconfirmed`]
    })
  }
  const calm = async (isToRest: boolean): Promise<void> => {
    const endMs = performance.now() + QUIET_MS_MAX
    for (let looks = 0; looks < LOOKS; await pause(50)) {
      const found = await unrest(isToRest)
      looks = found.length === 0 ? looks + 1 : 0
      if (performance.now() < endMs) continue
      const queues = await rabbit
        .control('list_queues', '--timeout', '10', 'name', 'messages', 'consumers', 'state')
        .catch(String)
      throw new Error([`not so: ${found.join('; ')}`, queues, ...shards.map((shard) => shard.log())].join('\n'))
    }
  }
  const quiet = (): Promise<void> => calm(true)

  const stopAll = async (): Promise<void> => {
    if (isStopped) return
    isStopped = true
    await minded
    await Promise.all(everything.map((part) => part.stop()))
    await Promise.all([...proxies.values()].map((proxy) => proxy.stop()))
  }
  let minded: Promise<void> = Promise.resolve()
  try {
    await Promise.all(everything.map((part) => part.start()))
    await Promise.all(shards.map(acquireAll))
    minded = minding()
    await quiet()
  } catch (error) {
    await stopAll()
    throw error
  }
  return {
    prefix,
    shards,
    gateways,
    clients: gateways.map(clientOf),
    proxies,
    ownerOf,
    move,
    nextEpoch: () => (epoch += 1),
    arm: (order) => ownerOf(order.partition).call('arm', order),
    mind: (isOn) => void (isMinding = isOn),
    counts,
    crashes: () => everything.flatMap((part) => part.crashes()),
    served: () => calm(false),
    quiet,
    stop: stopAll,
  }
}
