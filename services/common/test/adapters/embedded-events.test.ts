import { hash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createEmbeddedEvents } from '../../src/adapters/embedded/events.ts'
import { openSqliteJournal } from '../../src/adapters/embedded/journal.ts'
import type { Events, StreamEvent } from '../../src/ports/events.ts'
import type { Journal, StoredRecord } from '../../src/ports/journal.ts'
import { createManualClock, type ManualClock } from '../../src/testkit/manual-clock.ts'

describe('streams in one process', () => {
  let clock: ManualClock
  let journal: Journal
  let events: Events
  let journalLooks = 0
  let failures = 0
  let isJournalBroken = false
  let isDamaged = false

  const damaged = async function* (partition: number, sequence: bigint): AsyncGenerator<StoredRecord> {
    for await (const record of journal.readFrom(partition, sequence)) {
      const body = record.body.slice()
      body[0]! ^= 0x80
      yield { ...record, body }
    }
  }

  beforeEach(() => {
    clock = createManualClock(0)
    journal = openSqliteJournal({ path: ':memory:' })
    ;[journalLooks, failures, isJournalBroken, isDamaged] = [0, 0, false, false]
    const watched: Journal = {
      ...journal,
      readFrom: (partition, sequence) => {
        journalLooks += 1
        if (isJournalBroken) throw new Error('the journal is away')
        return isDamaged ? damaged(partition, sequence) : journal.readFrom(partition, sequence)
      },
    }
    events = createEmbeddedEvents({ journal: watched, clock, onFailure: () => void (failures += 1) })
  })
  afterEach(async () => {
    await events.close()
    await journal.close()
  })

  const append = async (sequence: bigint): Promise<StreamEvent> => {
    const body = Uint8Array.of(Number(sequence) & 0xff)
    await journal.append(1, { sequence, body, hash: hash('sha256', body, 'buffer') })
    return { partition: 1, sequence, body }
  }
  const noting =
    (seen: bigint[]) =>
    async ({ sequence }: StreamEvent): Promise<void> =>
      void seen.push(sequence)

  test('what is published in order comes once each, and the journal is read once', async () => {
    const seen: bigint[] = []
    events.subscribe(1, 1n, noting(seen))
    await clock.advance(0)
    for (let sequence = 1n; sequence <= 100n; sequence++) events.publish(await append(sequence))
    await clock.advance(0)
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => BigInt(index + 1)))
    expect(journalLooks).toBe(1)
  })

  test('a gap is filled at once, no time has to pass', async () => {
    const seen: bigint[] = []
    events.subscribe(1, 1n, noting(seen))
    await clock.advance(0)
    await append(1n)
    await append(2n)
    events.publish(await append(3n))
    await clock.advance(0)
    expect(seen).toEqual([1n, 2n, 3n])
    events.publish(await append(4n))
    await clock.advance(0)
    expect(seen).toEqual([1n, 2n, 3n, 4n])
    expect(journalLooks).toBe(2)
  })

  test('a journal that can not be read is asked again, and said', async () => {
    isJournalBroken = true
    const seen: bigint[] = []
    events.subscribe(1, 1n, noting(seen))
    await append(1n)
    await clock.advance(2_000)
    expect(seen).toEqual([])
    expect(failures).toBeGreaterThan(1)
    isJournalBroken = false
    await clock.advance(1_000)
    expect(seen).toEqual([1n])
  })

  test('damaged bytes are never handed over; once the journal is repaired its own are', async () => {
    isDamaged = true
    const bodies: Uint8Array[] = []
    events.subscribe(1, 1n, async ({ body }) => void bodies.push(body))
    await append(1n)
    await clock.advance(2_000)
    expect(bodies).toEqual([])
    expect(failures).toBeGreaterThan(1)
    isDamaged = false
    await clock.advance(1_000)
    expect(bodies).toEqual([Uint8Array.of(1)])
  })

  test("stop ends a handler's retries at once", async () => {
    await append(1n)
    const subscription = events.subscribe(1, 1n, () => Promise.reject(new Error('never')))
    await clock.advance(250)
    expect(failures).toBeGreaterThan(0)
    await subscription.stop()
    const before = failures
    await clock.advance(1_000)
    expect(failures).toBe(before)
  })
})
