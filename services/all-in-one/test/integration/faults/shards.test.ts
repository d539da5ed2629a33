import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { mongoMissing, startMongo, type MongoServer } from '@bourse/common/testkit/servers/mongodb.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '@bourse/common/testkit/servers/rabbitmq.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { pause, until } from '../../support/calls.ts'
import { LIMIT_MS, WAIT_MS_MAX } from '../../support/limits.ts'
import { partitionsOf } from './support/market.ts'
import type { Platform } from './support/platform.ts'
import type { KillOrder } from './support/settings.ts'
import { FLAWLESS, runFault, RUN_MS_MAX, type Fault, type RunResult } from './support/run.ts'
import { openMongoStores, openSqliteStores } from './support/stores.ts'

/** How long two contend for a partition, ms, and longer until so many had to step down. */
const CONTEST_MS = 8_000
const DEPOSED_LEAST = 3
const MOVES = 20
/** What a move may take at the least between two of them, ms: twenty within a minute, compressed. */
const MOVE_EVERY_MS = 500

const [ledger, otherLedger] = partitionsOf('ledger') as [PartitionNumber, PartitionNumber]
const [trading] = partitionsOf('trading') as [PartitionNumber]

describeUnless(rabbitMqMissing(), 'shards and gateways fail under load, and nothing is lost or doubled', () => {
  let rabbit: RabbitMqServer
  let mongo: MongoServer | null = null
  beforeAll(async () => {
    rabbit = await startRabbitMq()
    // Where there is no MongoDB, nor a stand-in, SQLite is the journal.
    if (mongoMissing() === undefined) mongo = await startMongo()
  }, LIMIT_MS)
  afterAll(async () => {
    await rabbit.stop()
    await mongo?.stop()
  }, LIMIT_MS)

  const run = async (title: string, fault: Fault): Promise<RunResult> => {
    const server = mongo
    const result = await runFault({
      title,
      rabbit,
      fault,
      openStores: (name, folder) => (server === null ? openSqliteStores(folder) : openMongoStores(server, name)),
    })
    expect(result).toMatchObject({ ...FLAWLESS, acknowledged: result.sent })
    return result
  }

  /** Kills the owner of each partition once, at the moment named. */
  const killEach = async (
    platform: Platform,
    between: KillOrder['between'],
    kills: readonly PartitionNumber[],
  ): Promise<void> => {
    for (const [index, partition] of kills.entries()) {
      const owner = platform.ownerOf(partition)
      const ended = owner.ended()
      await platform.arm({ between, partition, nth: 3 + index })
      await ended
      await platform.served()
    }
  }

  const moments = {
    'a shard killed between decision and append': 'decision-and-append',
    'a shard killed between append and acknowledge': 'append-and-acknowledge',
    'a shard killed between append and effects': 'append-and-effects',
  } as const
  for (const [title, between] of Object.entries(moments))
    test(
      title,
      async () => {
        const kills = [ledger, trading, ledger, otherLedger]
        const result = await run(title, (platform) => killEach(platform, between, kills))
        expect(result.restarts).toBe(kills.length)
      },
      RUN_MS_MAX,
    )

  test(
    'two shards that both believe they own a partition',
    async () => {
      const contested = [ledger, trading]
      let deposed = 0
      await run(
        'two shards that both believe they own a partition',
        async ({ shards, proxies, mind, served, nextEpoch }) => {
          mind(false)
          const [endMs, lastMs] = [performance.now() + CONTEST_MS, performance.now() + WAIT_MS_MAX]
          const goesOn = (): boolean =>
            performance.now() < endMs || (deposed < DEPOSED_LEAST && performance.now() < lastMs)
          for (let round = 0; goesOn(); round++) {
            // Whoever has stepped down is told at once that it owns the partition after all.
            for (const shard of shards) {
              const reports = await shard.call<{ partition: number; state: string }[]>('status')
              deposed += reports.filter(({ state }) => state === 'deposed').length
              const under = nextEpoch()
              const beliefs = contested.map((partition) =>
                shard.call('acquire', partition, under).catch(() => undefined),
              )
              if (round % 4 === 0) await Promise.all(beliefs)
            }
            // The one consumer that RabbitMQ allows becomes the other one's, in the middle of what it holds.
            for (const name of round % 2 === 0 ? ['shard-a'] : ['shard-b']) proxies.get(name)?.cut()
            await pause(250)
          }
          mind(true)
          // Whom the operator means is the only one in the end.
          for (const partition of contested)
            await shards[1].call('release', partition, nextEpoch()).catch(() => undefined)
          await pause(500)
          await served()
        },
      )
      expect(deposed).toBeGreaterThanOrEqual(DEPOSED_LEAST)
    },
    RUN_MS_MAX,
  )

  test(
    'a partition moved twenty times',
    async () => {
      const pauses: number[] = []
      const result = await run('a partition moved twenty times', async ({ move }) => {
        for (let count = 0; count < MOVES; count++) {
          const startedMs = performance.now()
          pauses.push(await move(count % 2 === 0 ? ledger : trading))
          await pause(MOVE_EVERY_MS - (performance.now() - startedMs))
        }
      })
      process.stderr.write(`moves: ${pauses.map(Math.round).join(' ')} ms from release to serving\n`)
      expect(pauses).toHaveLength(MOVES)
      // What was released was released: nobody had to step down.
      expect(result.reacquired).toBe(0)
    },
    RUN_MS_MAX,
  )

  test(
    'a gateway killed with requests in flight, the clients repeating on another',
    async () => {
      const title = 'a gateway killed with requests in flight, the clients repeating on another'
      const result = await run(title, async ({ gateways }) => {
        for (const gateway of [...gateways, ...gateways]) {
          await until(async () => gateway.isReady(), Boolean)
          await gateway.kill()
          await pause(900)
        }
      })
      expect(result.restarts).toBe(4)
      expect(result.done.filter(({ attempts }) => attempts > 1).length).toBeGreaterThan(0)
    },
    RUN_MS_MAX,
  )

  test(
    'all processes killed at once',
    async () => {
      const title = 'all processes killed at once, RabbitMQ with them'
      const result = await run(title, async ({ shards, gateways, mind }) => {
        mind(false)
        await Promise.all([...[...shards, ...gateways].map((part) => part.kill()), rabbit.kill()])
        await rabbit.start()
        mind(true)
      })
      expect(result.restarts).toBe(4)
    },
    RUN_MS_MAX,
  )
})
