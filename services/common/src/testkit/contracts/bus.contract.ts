import { expect } from '@jest/globals'
import { partitionNumber } from '../../kernel/partition.ts'
import type { Bus, BusMessage, BusReply, Delivery } from '../../ports/bus.ts'
import { PortError } from '../../ports/failure.ts'
import { withBusFaults } from '../faults/ports.ts'
import { describeContract, expectFailure, pause, until, type Define, type Opened, type Subject } from './scenario.ts'

/** A bus for the suite; its queues are small, so that filling one is quick. */
export interface BusHarness extends Opened<Bus> {
  readonly queueMax: number
}

const HERE = partitionNumber('ledger', 0)
const THERE = partitionNumber('bridge', 1)
const WIDE = { inFlightMax: 1_000 }

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (body: Uint8Array): string => new TextDecoder().decode(body)
/** Beyond what a busy machine takes. */
const PATIENCE_MS = 100_000
const command = (text: string): BusMessage => ({ type: 'command', body: bytes(text), deadlineMs: PATIENCE_MS })
const request = (text: string, deadlineMs: number) => ({ ...command(text), deadlineMs })
const reply = (text: string): BusReply => ({ status: 'ok', sequence: 7n, body: bytes(text) })
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `message ${index}`)
/** The order in which things came first: repeats are allowed (at least once). */
const firsts = (texts: readonly string[]): string[] => [...new Set(texts)]

const acknowledge = (delivery: Delivery): void => delivery.acknowledge()

/** A handler that notes what comes and, if told, deals with it. */
const noting =
  (seen: string[], settle: (delivery: Delivery) => void = acknowledge) =>
  (delivery: Delivery): void => {
    seen.push(textOf(delivery.message.body))
    settle(delivery)
  }
const keep = (): void => undefined

type World = Parameters<Parameters<Define<Bus, BusHarness>>[1]>[0]

/** Sends in order: together when the bus is sound, one after the other when a send may have to be repeated. */
const sendAll = async ({ port, call, isFaulty }: World, texts: readonly string[]): Promise<void> => {
  if (!isFaulty) await Promise.all(texts.map((text) => port.send(HERE, command(text))))
  else for (const text of texts) await call(() => port.send(HERE, command(text)))
}

const sending = (define: Define<Bus, BusHarness>): void => {
  define('B1 what send has answered for arrives', async (world) => {
    await sendAll(world, ['one'])
    const seen: string[] = []
    await world.port.consume(HERE, noting(seen), WIDE)
    await until(() => seen.includes('one'))
  })

  define('B2 messages arrive in the order their send was called', async (world) => {
    const seen: string[] = []
    await world.port.consume(HERE, noting(seen), WIDE)
    await sendAll(world, names(30))
    await until(() => firsts(seen).length === 30)
    expect(firsts(seen)).toEqual(names(30))
  })

  define('B2 what is requeued comes again in its old place', async (world) => {
    await sendAll(world, names(3))
    const seen: string[] = []
    const settle = (delivery: Delivery): void => (delivery.attempt < 3 ? delivery.requeue() : delivery.acknowledge())
    await world.port.consume(HERE, noting(seen, settle), { inFlightMax: 1 })
    await until(() => firsts(seen).length === 3 && seen.length >= 9)
    expect(seen.slice(0, 3)).toEqual(['message 0', 'message 0', 'message 0'])
    expect(firsts(seen)).toEqual(names(3))
  })

  define(
    'B6 bodies, sequences, sender and headers come as they were sent',
    async ({ port, call }) => {
      const body = Uint8Array.from({ length: 512 }, (_, index) => index & 0xff)
      const sent: BusMessage = {
        type: 'effect',
        body,
        sender: THERE,
        sequence: 2n ** 63n - 1n,
        headers: { traceparent: 'ü' },
        deadlineMs: PATIENCE_MS,
      }
      const seen: Delivery[] = []
      await port.consume(HERE, (delivery) => void seen.push(delivery), WIDE)
      await call(() => port.send(HERE, sent))
      body.fill(0) // The sender may use its buffer again.
      await until(() => seen.length > 0)
      const { message } = seen[0]!
      expect([...message.body]).toEqual(Array.from({ length: 512 }, (_, index) => index & 0xff))
      expect({ ...message, body: null }).toEqual({ ...sent, body: null })
    },
    ['done-but-timed-out'],
  )

  define(
    'B7 a queue is bounded: beyond it send and request fail full at once, other partitions go on',
    async (world) => {
      const { port, call, harness } = world
      const fill = async (): Promise<void> => {
        for (let count = 0; count <= harness.queueMax; count++) await call(() => port.send(HERE, command('filler')))
      }
      await expectFailure('full', fill)
      await expectFailure('full', () => call(() => port.request(HERE, request('one more', PATIENCE_MS))))
      await call(() => port.send(THERE, command('elsewhere')))
      const seen: string[] = []
      const consumer = await port.consume(HERE, noting(seen), WIDE)
      await until(() => seen.length === harness.queueMax)
      await consumer.stop()
      await call(() => port.send(HERE, command('room again')))
    },
  )

  define('B8 a message to a partition nobody consumes waits', async (world) => {
    await sendAll(world, ['early'])
    await pause(30)
    const seen: string[] = []
    await world.port.consume(HERE, noting(seen), WIDE)
    await until(() => seen.includes('early'))
  })
}

const consuming = (define: Define<Bus, BusHarness>): void => {
  define(
    'B3 what is not acknowledged when its consumer stops comes again, in order, with its attempt raised',
    async (world) => {
      const texts = names(5)
      await sendAll(world, texts)
      const first: string[] = []
      const attempts: number[] = []
      const consumer = await world.port.consume(HERE, noting(first, keep), WIDE)
      await until(() => firsts(first).length === 5)
      await consumer.stop()
      const again: string[] = []
      await world.port.consume(
        HERE,
        noting(again, (delivery) => {
          attempts.push(delivery.attempt)
          delivery.acknowledge()
        }),
        WIDE,
      )
      await until(() => firsts(again).length === 5)
      expect(firsts(again)).toEqual(texts)
      expect(Math.min(...attempts)).toBeGreaterThan(1)
    },
  )

  define('B3 what a stopped consumer says about a delivery is void', async (world) => {
    await sendAll(world, ['mine'])
    const held: Delivery[] = []
    const consumer = await world.port.consume(HERE, (delivery) => void held.push(delivery), WIDE)
    await until(() => held.length > 0)
    await consumer.stop()
    for (const delivery of held) delivery.acknowledge()
    const seen: string[] = []
    await world.port.consume(HERE, noting(seen), WIDE)
    await until(() => seen.includes('mine'))
  })

  define('B4 a second consumer gets nothing until the first has stopped', async (world) => {
    const [first, second]: [string[], string[]] = [[], []]
    const consumer = await world.port.consume(HERE, noting(first), WIDE)
    const waiting = world.port.consume(HERE, noting(second), WIDE)
    await sendAll(world, names(10))
    await until(() => firsts(first).length === 10)
    expect(second).toEqual([])
    await consumer.stop()
    await waiting
    await sendAll(world, ['after'])
    await until(() => second.includes('after'))
    expect(first).not.toContain('after')
  })

  define('B9 unacknowledged deliveries never exceed inFlightMax', async (world) => {
    await sendAll(world, names(20))
    const held: Delivery[] = []
    let most = 0
    let dealtWith = 0
    await world.port.consume(HERE, (delivery) => (most = Math.max(most, held.push(delivery))), { inFlightMax: 4 })
    await until(() => held.length === 4)
    await pause(20)
    while (dealtWith < 20) {
      await until(() => held.length > 0)
      held.shift()!.acknowledge()
      dealtWith += 1
    }
    expect(most).toBe(4)
  })

  define('B10 a dead letter keeps envelope and reason and comes again only when resent', async (world) => {
    const { port, call, harness } = world
    const sent: BusMessage = { ...command('broken'), type: 'effect', sender: THERE, sequence: 3n }
    await call(() => port.send(HERE, sent))
    // Copies that a repeating sender made come as well, and all of them before this one.
    await harness.port.send(HERE, { ...sent, body: bytes('sound') })
    let [copies, isThrough] = [0, false]
    const sorting = (delivery: Delivery): void => {
      if (textOf(delivery.message.body) === 'sound') {
        isThrough = true
        delivery.acknowledge()
        return
      }
      if (delivery.attempt === 1) copies += 1
      delivery.deadLetter('not a command')
    }
    const consumer = await port.consume(HERE, sorting, WIDE)
    await until(() => isThrough)
    await until(async () => (await call(() => port.deadLetterCount())) === copies)
    await consumer.stop()
    const letters = await call(() => port.deadLetters(100))
    const [letter] = letters
    expect(letter).toMatchObject({ partition: HERE, reason: 'not a command' })
    expect(letter!.message).toMatchObject({ type: 'effect', sender: THERE, sequence: 3n })
    expect(textOf(letter!.message.body)).toBe('broken')
    expect(await call(() => port.deadLetterCount())).toBe(letters.length)
    const seen: string[] = []
    await port.consume(HERE, noting(seen), WIDE)
    await pause(20)
    expect(seen).toEqual([])
    expect(await port.resend(letter!.id)).toBe(true)
    await until(() => seen.length === 1)
    expect(await port.resend(letter!.id)).toBe(false)
    expect(await call(() => port.deadLetters(100))).toHaveLength(letters.length - 1)
    expect(await call(() => port.deadLetterCount())).toBe(letters.length - 1)
  })

  define('B12 a handler that throws does not end the consumer, and gets the message again', async (world) => {
    await sendAll(world, ['hard', 'easy'])
    const seen: string[] = []
    let failures = 0
    await world.port.consume(
      HERE,
      noting(seen, (delivery) => {
        if (delivery.attempt === 1) {
          failures += 1
          throw new Error('not yet')
        }
        delivery.acknowledge()
      }),
      { inFlightMax: 1 },
    )
    await until(() => firsts(seen).length === 2 && failures >= 2 && seen.length >= failures * 2)
    expect(firsts(seen)).toEqual(['hard', 'easy'])
  })
}

const asking = (define: Define<Bus, BusHarness>): void => {
  define('B5 request resolves with the reply', async ({ port, call }) => {
    await port.consume(
      HERE,
      (delivery) => {
        delivery.acknowledge()
        delivery.reply(reply(`answer to ${textOf(delivery.message.body)}`))
      },
      WIDE,
    )
    const answer = await call(() => port.request(HERE, request('a question', PATIENCE_MS)))
    expect({ ...answer, body: textOf(answer.body) }).toEqual({
      status: 'ok',
      sequence: 7n,
      body: 'answer to a question',
    })
  })

  define(
    'B5 request fails timeout no sooner than its deadline; the command arrived, a late reply is no error',
    async (world) => {
      const { port, harness } = world
      const held: Delivery[] = []
      await harness.port.consume(HERE, (delivery) => void held.push(delivery), WIDE)
      // What nobody waits for any more may never leave: a busy machine gets more time.
      const failures = new Set<unknown>()
      for (let deadlineMs = 50; held.length === 0; deadlineMs *= 2) {
        const startMs = performance.now()
        const asking = port.request(HERE, request('unanswered', deadlineMs)).then(() => 'an answer')
        failures.add(await asking.catch((error: unknown) => (error instanceof PortError ? error.kind : error)))
        expect(performance.now() - startMs).toBeGreaterThanOrEqual(deadlineMs - 1)
      }
      expect(failures.delete('timeout')).toBe(true)
      failures.delete('unavailable')
      expect([...failures]).toEqual([])
      expect(firsts(held.map(({ message }) => textOf(message.body)))).toEqual(['unanswered'])
      held[0]!.reply(reply('too late'))
      held[0]!.acknowledge()
    },
    ['fails', 'done-but-timed-out'],
  )

  define('B6 a reply carries its bytes and a 64-bit sequence', async ({ port, call }) => {
    const body = Uint8Array.from({ length: 300 }, (_, index) => index & 0xff)
    await port.consume(
      HERE,
      (delivery) => {
        delivery.acknowledge()
        delivery.reply({ status: 'overloaded', sequence: 2n ** 63n - 1n, body })
      },
      WIDE,
    )
    const answer = await call(() => port.request(HERE, request('?', PATIENCE_MS)))
    expect(answer).toMatchObject({ status: 'overloaded', sequence: 2n ** 63n - 1n })
    expect([...answer.body]).toEqual([...body])
  })

  define('B11 calls after close fail closed, and so do requests that wait', async ({ port, call, harness }) => {
    const waiting = expectFailure('closed', () => harness.port.request(HERE, request('pending', PATIENCE_MS)))
    await harness.port.close()
    await waiting
    await expectFailure('closed', () => call(() => port.send(HERE, command('late'))))
    await expectFailure('closed', () => call(() => port.request(HERE, request('late', 1_000))))
    await expectFailure('closed', () => port.consume(HERE, keep, WIDE))
    await expectFailure('closed', () => call(() => port.deadLetters(1)))
    await expectFailure('closed', () => call(() => port.deadLetterCount()))
    await expect(port.resend('dead-1')).rejects.toBeInstanceOf(PortError)
    await port.close()
  })
}

/** The Bus contract. */
export const busContract = (subject: Subject<BusHarness>): void =>
  describeContract(subject, withBusFaults, (define) => {
    sending(define)
    consuming(define)
    asking(define)
  })
