import { createHash } from 'node:crypto'
import { createEmbeddedEvents } from '../../src/adapters/embedded/events.ts'
import { openSqliteJournal } from '../../src/adapters/embedded/journal.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { eventsContract, type EventsHarness } from '../../src/testkit/contracts/events.contract.ts'
import { faultSets } from '../../src/testkit/faults/plan.ts'

const open = async (): Promise<EventsHarness> => {
  const journal = openSqliteJournal({ path: ':memory:' })
  const events = createEmbeddedEvents({ journal, clock: createSystemClock() })
  const heads = new Map<number, bigint>()
  return {
    port: events,
    append: async (partition) => {
      const sequence = (heads.get(partition) ?? 0n) + 1n
      heads.set(partition, sequence)
      const body = new TextEncoder().encode(`record ${sequence} of ${partition}`)
      await journal.append(partition, {
        sequence,
        body,
        hash: Uint8Array.from(createHash('sha256').update(body).digest()),
      })
      return { partition, sequence, body }
    },
    destroy: async () => {
      await events.close()
      await journal.close()
    },
  }
}

for (const faults of faultSets('forgets', 'twice')) eventsContract({ name: 'streams in one process', open, faults })
