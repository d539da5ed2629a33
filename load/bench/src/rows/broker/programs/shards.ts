/**
 * Shards that serve the trading partition: as many as the settings say in one process, each with a connection of its own to
 * the broker; their journal is one. Settings: `ShardsSettings`.
 */
import { join } from 'node:path'
import pino from 'pino'
import { createEmbeddedEvents } from '@bourse/common/adapters/embedded/events.ts'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { openMongo } from '@bourse/common/adapters/mongodb/connection.ts'
import { openMongoJournal } from '@bourse/common/adapters/mongodb/journal.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import type { MachineHost } from '@bourse/common/kernel/host.ts'
import { createRunner, type Runner } from '@bourse/common/kernel/runner.ts'
import type { Bus } from '@bourse/common/ports/bus.ts'
import type { Events } from '@bourse/common/ports/events.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import { createTradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import { createTradingFactory } from '@bourse/trading/host/machine.ts'
import { createTradingHost, type TradingQuote } from '@bourse/trading/host/trading-host.ts'
import { PARTITION, PRICE } from '../../../market.ts'
import { CAPACITIES } from '../../fsync/trading-load.ts'
import { openBenchBus } from '../support/producer.ts'
import { withPromptReceivers } from '../support/receivers.ts'
import type { ShardsSettings, Written } from '../support/shards.ts'
import { serveParent, settingsOf } from '../support/worker-side.ts'

const HOUR_MS = 3_600_000

const settings = settingsOf<ShardsSettings>()
const clock = createSystemClock()
const logger = pino({ level: 'error' }, pino.destination(2))

const openJournal = async (): Promise<Journal> => {
  if (settings.journal === 'sqlite') return openSqliteJournal({ path: join(settings.folder, 'journal.sqlite') })
  return openMongoJournal(await openMongo({ url: settings.journal.mongodb, clock, logger }))
}

/** As the service has it, or with room for a run at full speed. */
const createFactory = () => {
  const wasm = loadTradingModule()
  return settings.room === 'service' ? createTradingFactory(wasm) : () => createTradingMachine({ wasm, ...CAPACITIES })
}
const factory = createFactory()

/** The trading host with a feed that has quoted before the first command comes. */
const createQuotedHost = (): MachineHost<TradingQuote> => {
  const host = createTradingHost(factory)
  let isQuoted = false
  return {
    ...host,
    resolve: (command, machine) => {
      if (!isQuoted) host.observe?.({ feedBid: PRICE, feedAsk: PRICE, timeMs: clock.nowMs() }, machine)
      isQuoted = true
      return host.resolve?.(command, machine) ?? command
    },
  }
}

const written: Written = { records: 0, commands: 0, bytes: 0 }
const counted = (events: Events): Events => ({
  ...events,
  publish: (event) => {
    written.records += 1
    written.bytes += event.body.length
    events.publish(event)
  },
})

const journal = await openJournal()
const snapshots = await openFileSnapshots({ folder: join(settings.folder, 'snapshots'), clock })
const events = createEmbeddedEvents({ journal, clock })

/** Where one shard's partition is served from; a runner serves once, so each tenure has its own. */
const createShard = (bus: Bus) => {
  let runner: Runner<TradingQuote> | null = null
  const create = (): Runner<TradingQuote> =>
    createRunner<TradingQuote>({
      partition: PARTITION,
      host: createQuotedHost(),
      bus: withPromptReceivers(bus),
      journal,
      snapshots,
      events: counted(events),
      clock,
      logger,
      snapshotPolicy: { intervalMs: HOUR_MS, keep: 2, compression: 'zstd' },
    })
  const release = async (): Promise<void> => {
    const ended = runner
    runner = null
    await ended?.release()
    written.commands += ended?.status().counts['commands'] ?? 0
  }
  return {
    bus,
    prepare: async (): Promise<void> => {
      runner = create()
      await runner.prepare()
    },
    acquire: async (): Promise<void> => {
      runner ??= create()
      await runner.start()
    },
    release,
    snapshot: async (): Promise<void> => {
      await runner?.snapshotNow()
    },
    commands: (): number => runner?.status().counts['commands'] ?? 0,
  }
}

const shards = await Promise.all(
  Array.from({ length: settings.shards }, async () =>
    createShard(await openBenchBus(settings.brokerUrl, settings.packing)),
  ),
)
const shardAt = (index: unknown): ReturnType<typeof createShard> => shards[Number(index ?? 0)]!

serveParent(
  {
    prepare: (index) => shardAt(index).prepare(),
    acquire: (index) => shardAt(index).acquire(),
    release: (index) => shardAt(index).release(),
    snapshot: (index) => shardAt(index).snapshot(),
    written: (): Written => ({
      ...written,
      commands: shards.reduce((sum, shard) => sum + shard.commands(), written.commands),
    }),
  },
  async () => {
    for (const shard of shards) {
      await shard.release()
      await shard.bus.close()
    }
    await events.close()
    await snapshots.close()
    await journal.close()
  },
)
