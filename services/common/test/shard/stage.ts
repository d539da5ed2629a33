import { afterEach, beforeEach } from '@jest/globals'
import { join } from 'node:path'
import pino from 'pino'
import { openSqliteViews } from '../../src/adapters/embedded/views.ts'
import type { PartitionClient } from '../../src/kernel/client.ts'
import type { PartitionNumber } from '../../src/kernel/partition.ts'
import type { JournalRecord } from '../../src/kernel/record.ts'
import type { Views, ViewWrite } from '../../src/ports/views.ts'
import { createGiveWay } from '../../src/shard/give-way.ts'
import { startHeartbeat, type Heartbeat } from '../../src/shard/heartbeat.ts'
import { createShard, type Shard, type ShardKind, type ShardPorts } from '../../src/shard/shard.ts'
import type { ShardPartition } from '../../src/shard/types.ts'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { commandWrites } from '../../src/views/commands.ts'
import { commandModel, viewModels } from '../../src/views/models.ts'
import { DEADLINE_MS, openWorld, removeWorld, type World } from '../kernel/harness.ts'
import { createTallyMachine, tallyCommand, tallyKinds, totalIn } from '../kernel/tally-machine.ts'

/** Name of the views' cursors in these tests. */
export const PROJECTION = 'test'

/** What a test changes about a shard. */
export interface ShardOptions {
  readonly ports?: Partial<ShardPorts>
  readonly kind?: Partial<ShardKind<bigint>>
}

/** A world with views, and shards of the tally machine in it. */
export interface Stage {
  readonly world: World
  readonly views: Views
  shard(name: string, options?: ShardOptions): Shard<bigint>
}

/** Every command with an id becomes a document, so that what was folded can be counted. */
export const foldTally = (record: JournalRecord): readonly ViewWrite[] => commandWrites(record, () => true)

/** Gives every test of the file a stage of its own; its shards are stopped after it. */
export const stageOfEachTest = (): Stage => {
  let world: World
  let views: Views
  const shards: Shard<bigint>[] = []
  beforeEach(async () => {
    world = await openWorld()
    views = openSqliteViews({ path: join(world.folder, 'views.sqlite'), models: viewModels })
  })
  afterEach(async () => {
    await Promise.all(shards.splice(0).map((shard) => shard.stop()))
    await views.close()
    await world.close()
    await removeWorld(world.folder)
  })
  return {
    get world() {
      return world
    },
    get views() {
      return views
    },
    shard: (name, options = {}) => {
      const { bus, journal, snapshots, events, clock } = world
      const made = createShard<bigint>({
        name,
        ports: { bus, journal, snapshots, events, views, ...options.ports },
        clock,
        logger: pino({ level: 'silent' }),
        projection: PROJECTION,
        kind: {
          machine: 'ledger',
          hostOf: () => ({ factory: () => createTallyMachine() }),
          foldOf: () => foldTally,
          policyOf: () => ({ intervalMs: 3_600_000, keep: 3, compression: 'zstd' }),
          applySpec: () => Promise.resolve(),
          ...options.kind,
        },
      })
      shards.push(made)
      return made
    },
  }
}

/** What a test changes about a shard's heartbeat. */
export interface HeartOptions {
  /** How far the shard's clock is off. */
  readonly offsetMs?: () => number
  readonly views?: Views
}

/** A shard's heartbeat and what it counts. */
export const startHeart = (
  stage: Stage,
  shard: Shard<bigint>,
  { offsetMs = () => 0, views = stage.views }: HeartOptions = {},
): { readonly heart: Heartbeat; readonly metrics: Metrics } => {
  const logger = pino({ level: 'silent' })
  const clock = { ...stage.world.clock, nowMs: () => stage.world.clock.nowMs() + offsetMs() }
  const metrics = createMetrics()
  const giveWay = createGiveWay({ shard, views, metrics, titleOf: String, logger })
  const controlUrl = `http://${shard.name}`
  return { heart: startHeartbeat({ shard, views, giveWay, clock, logger, controlUrl }), metrics }
}

/** Makes heartbeats that beat when they are told to. */
export const heartIn =
  (stage: Stage) =>
  async (shard: Shard<bigint>, options?: HeartOptions): Promise<Heartbeat> => {
    const { heart } = startHeart(stage, shard, options)
    await heart.stop()
    return heart
  }

/** What a shard says of one partition. */
export const statusOf = (shard: Shard<bigint>, partition: PartitionNumber): ShardPartition | undefined =>
  shard.status().find((one) => one.partition === partition)

/** How long a command waits that nobody answers any more once its owner has stepped down, ms. */
export const REFUSED_WITHIN_MS = 3_000

/** Adds 1 under an id; the sum then. @throws when it is refused, or not answered in time */
export const addOne = async (
  client: PartitionClient,
  partition: PartitionNumber,
  id: number,
  deadlineMs = DEADLINE_MS,
): Promise<bigint> => {
  const answer = await client.command(partition, tallyCommand(tallyKinds.add, [1n], id), deadlineMs)
  if (!answer.ok) throw new Error(`${answer.refusal.code}: ${answer.refusal.message}`)
  return totalIn(answer.value.outcome)
}

/** How many commands the views hold. */
export const commandsIn = async (views: Views): Promise<number> => {
  let count = 0
  let after: { readonly sortValue: number; readonly id: string } | undefined
  for (;;) {
    const page = await views.find(commandModel, {
      filter: {},
      sortBy: 'atMs',
      direction: 'ascending',
      limit: 1_000,
      ...(after === undefined ? {} : { after }),
    })
    count += page.length
    const last = page.at(-1)
    if (last === undefined || page.length < 1_000) return count
    after = { sortValue: last.atMs, id: last._id }
  }
}
