import { describe, expect, test } from '@jest/globals'
import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import type { BusMessage, Delivery } from '../../src/ports/bus.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'

const message = (text: string, deadlineMs?: number): BusMessage => ({
  type: 'command',
  body: new TextEncoder().encode(text),
  ...(deadlineMs === undefined ? {} : { deadlineMs }),
})
const textOf = ({ message: { body } }: Delivery): string => new TextDecoder().decode(body)
const WIDE = { inFlightMax: 10_000 }

describe('the bus in one process', () => {
  test('times requests out at their deadline, each at its own, by one sweep', async () => {
    const clock = createManualClock(0)
    const bus = createEmbeddedBus({ clock })
    const ended: string[] = []
    const ask = (name: string, deadlineMs: number): Promise<unknown> =>
      bus.request(1, { ...message(name), deadlineMs }).catch((error: { kind: string }) => {
        ended.push(`${name} ${error.kind} ${clock.monotonicMs()}`)
      })
    const asked = [ask('late', 500), ask('soon', 35), ask('never', 1_000_000)]
    const sleepersBefore = clock.sleepers()
    await clock.advance(34)
    expect(ended).toEqual([])
    await clock.advance(600)
    expect(ended).toEqual(['soon timeout 40', 'late timeout 500'])
    expect(sleepersBefore).toBeLessThanOrEqual(1)
    await bus.close()
    await Promise.all(asked)
    expect(ended[2]).toMatch(/^never closed/u)
  })

  test('drops unhandled what nobody waits for any more, and counts it', async () => {
    const clock = createManualClock(0)
    const bus = createEmbeddedBus({ clock })
    await bus.send(1, message('stale', 100))
    await bus.send(1, message('patient'))
    await clock.advance(101)
    const seen: string[] = []
    await bus.consume(1, (delivery) => void seen.push(textOf(delivery)), WIDE)
    await clock.advance(0)
    expect(seen).toEqual(['patient'])
    expect(bus.stats()).toMatchObject({ expired: 1, waiting: 1 })
    await bus.close()
  })

  test('answers a parked read late, as long as its deadline has not come', async () => {
    const clock = createManualClock(0)
    const bus = createEmbeddedBus({ clock })
    const parked: Delivery[] = []
    await bus.consume(
      1,
      (delivery) => {
        parked.push(delivery)
        delivery.acknowledge()
      },
      WIDE,
    )
    const answer = bus.request(1, { type: 'read', body: new Uint8Array(1), deadlineMs: 5_000 })
    await clock.advance(4_900)
    parked[0]!.reply({ status: 'ok', sequence: 3n, body: Uint8Array.of(9) })
    expect((await answer).sequence).toBe(3n)
    await bus.close()
  })

  test('keeps a bounded number of dead letters and counts what it dropped', async () => {
    const clock = createManualClock(0)
    const bus = createEmbeddedBus({ clock, deadLettersMax: 3 })
    await bus.consume(1, (delivery) => delivery.deadLetter('bad'), WIDE)
    for (let index = 0; index < 5; index++) await bus.send(1, message(`letter ${index}`))
    await clock.advance(1)
    const letters = await bus.deadLetters(10)
    expect(letters.map(({ message: { body } }) => new TextDecoder().decode(body))).toEqual([
      'letter 2',
      'letter 3',
      'letter 4',
    ])
    expect(bus.stats().deadLettersDropped).toBe(2)
    await bus.close()
  })

  test('gives the event loop a turn within a long queue', async () => {
    const bus = createEmbeddedBus({ clock: createManualClock(0) })
    let delivered = 0
    await bus.consume(
      1,
      (delivery) => {
        delivered += 1
        delivery.acknowledge()
      },
      WIDE,
    )
    for (let index = 0; index < 5_000; index++) await bus.send(1, message('m'))
    const seenAtTurns: number[] = []
    while (delivered < 5_000) {
      await new Promise((resolve) => setImmediate(resolve))
      seenAtTurns.push(delivered)
    }
    expect(seenAtTurns.length).toBeGreaterThanOrEqual(4)
    await bus.close()
  })

  test('a handler that always throws is called at a bounded rate', async () => {
    const clock = createManualClock(0)
    const bus = createEmbeddedBus({ clock })
    await bus.consume(
      1,
      () => {
        throw new Error('always')
      },
      WIDE,
    )
    await bus.send(1, message('m'))
    await clock.advance(1_000)
    expect(bus.stats().handlerFailures).toBeGreaterThan(10)
    expect(bus.stats().handlerFailures).toBeLessThan(60)
    await bus.close()
  })

  test('keeps thousands of messages in order through stops, requeues and returns', async () => {
    const bus = createEmbeddedBus({ clock: createManualClock(0) })
    for (let index = 0; index < 9_000; index++) await bus.send(1, message(String(index)))
    const done: number[] = []
    while (done.length < 9_000) {
      const held: Delivery[] = []
      const consumer = await bus.consume(1, (delivery) => void held.push(delivery), { inFlightMax: 3_000 })
      while (held.length < Math.min(3_000, 9_000 - done.length)) await new Promise((resolve) => setImmediate(resolve))
      for (const delivery of held.slice(0, 2_000)) {
        done.push(Number(textOf(delivery)))
        delivery.acknowledge()
      }
      await consumer.stop()
    }
    expect(done).toEqual(Array.from({ length: 9_000 }, (_, index) => index))
    await bus.close()
  })
})
