import { mkdtempSync, rmSync } from 'node:fs'
import { hash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from '@jest/globals'
import { pino } from 'pino'
import { openSqliteJournal } from '../../../src/adapters/embedded/journal.ts'
import { openRabbitEvents } from '../../../src/adapters/rabbitmq/events.ts'
import { createSystemClock } from '../../../src/adapters/system/clock.ts'
import { eventsContract, type EventsHarness } from '../../../src/testkit/contracts/events.contract.ts'
import { faultSets } from '../../../src/testkit/faults/plan.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '../../../src/testkit/servers/rabbitmq.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { PATIENT, START_TIMEOUT_MS } from '../rabbitmq/bus-support.ts'

describeUnless(rabbitMqMissing(), 'the Events contract on RabbitMQ', () => {
  let server: RabbitMqServer
  beforeAll(async () => void (server = await startRabbitMq()), START_TIMEOUT_MS)
  afterAll(() => server.stop(), START_TIMEOUT_MS)
  const logger = pino({ level: 'silent' })
  const clock = createSystemClock()
  let worlds = 0

  /** What one process publishes another hears; both read the same journal. */
  const open = async (): Promise<EventsHarness> => {
    const folder = mkdtempSync(join(tmpdir(), 'events-'))
    const journal = openSqliteJournal({ path: join(folder, 'journal.db') })
    const settings = { url: server.url, journal, clock, logger, prefix: `world${(worlds += 1)}`, ...PATIENT }
    const [shard, gateway] = [await openRabbitEvents(settings), await openRabbitEvents(settings)]
    const heads = new Map<number, bigint>()
    return {
      port: { publish: shard.publish, subscribe: gateway.subscribe, close: gateway.close },
      append: async (partition) => {
        const sequence = (heads.get(partition) ?? 0n) + 1n
        heads.set(partition, sequence)
        const body = new TextEncoder().encode(`record ${sequence} of ${partition}`)
        await journal.append(partition, { sequence, body, hash: hash('sha256', body, 'buffer') })
        return { partition, sequence, body }
      },
      destroy: async () => {
        await Promise.all([shard.close(), gateway.close()])
        await journal.close()
        rmSync(folder, { recursive: true })
      },
    }
  }

  for (const faults of faultSets('forgets', 'twice')) eventsContract({ name: 'streams on RabbitMQ', open, faults })
})
