/**
 * Serves one prepared partition, tells when it answered its first strong read, and ends in order.
 *
 *   serve.ts FOLDER
 */
import pino from 'pino'
import { createEmbeddedBus } from '@bourse/common/adapters/embedded/bus.ts'
import { createEmbeddedEvents } from '@bourse/common/adapters/embedded/events.ts'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createPartitionClient } from '@bourse/common/kernel/client.ts'
import { createRunner } from '@bourse/common/kernel/runner.ts'
import { decodeMarketAnswer, encodeMarketQuery } from '@bourse/risk-rules/trading/codec.ts'
import { createTradingHost } from '@bourse/trading/host/trading-host.ts'
import { PARTITION } from '../../market.ts'
import { createMachine, placesIn } from './journal-data.ts'

const HOUR_MS = 3_600_000

const places = placesIn(process.argv[2] ?? '')
const clock = createSystemClock()
const logger = pino({ level: 'error' }, process.stderr)
const journal = openSqliteJournal({ path: places.journal })
const snapshots = await openFileSnapshots({ folder: places.snapshots, clock })
const bus = createEmbeddedBus({ clock })
const events = createEmbeddedEvents({ journal, clock })
const runner = createRunner({
  partition: PARTITION,
  host: createTradingHost(createMachine),
  bus,
  journal,
  snapshots,
  events,
  clock,
  logger,
  snapshotPolicy: { intervalMs: HOUR_MS, keep: 2, compression: 'zstd' },
})
const { snapshotSequence, replayed, doubted } = await runner.start()
const answer = await createPartitionClient({ bus }).read(PARTITION, encodeMarketQuery(), { deadlineMs: HOUR_MS })
if (!answer.ok) throw new Error('the partition does not serve')
const { openCount } = decodeMarketAnswer(answer.value.outcome)
process.send?.({ type: 'serving' })
// What was recovered is looked at only now: the clock has been stopped.
const stateHash = await runner.stateHash()
const snapshot = String(snapshotSequence)
process.send?.({ type: 'report', openCount, replayed, doubted: doubted.length, snapshot, stateHash })
await runner.stop({ snapshot: false })
await events.close()
await bus.close()
await snapshots.close()
await journal.close()
process.disconnect?.()
