import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { ConfirmChannel, ConsumeMessage } from 'amqplib'
import type { RabbitBus } from '../../../src/adapters/rabbitmq/bus.ts'
import { openRabbitConnection, type RabbitConnection } from '../../../src/adapters/rabbitmq/connection.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '../../../src/testkit/servers/rabbitmq.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { partitionNumber } from '../../../src/kernel/partition.ts'
import type { Delivery } from '../../../src/ports/bus.ts'
import {
  clock,
  command,
  eventually,
  freshPrefix,
  HERE,
  kindOf,
  logger,
  openBus,
  START_TIMEOUT_MS,
  textOf,
} from './bus-support.ts'

describeUnless(rabbitMqMissing(), 'the bus on RabbitMQ', () => {
  let server: RabbitMqServer
  let operator: RabbitConnection
  let bus: RabbitBus
  let prefix = ''
  beforeAll(async () => {
    server = await startRabbitMq()
    operator = await openRabbitConnection({ url: server.url, clock, logger, name: 'operator' })
    prefix = freshPrefix()
    bus = await openBus(server.url, { prefix, expiryToleranceMs: 1_000 })
  }, START_TIMEOUT_MS)
  afterAll(async () => {
    await bus.close()
    await operator.close()
    await server.stop()
  }, START_TIMEOUT_MS)

  const queueOf = (name: string): string => `${prefix}.partition.${name}`
  const onChannel = <Value>(task: (channel: ConfirmChannel) => Promise<Value>): Promise<Value> =>
    operator.withChannel(task)
  const collect = (partition: number, seen: string[], settle = (one: Delivery): void => one.acknowledge()) =>
    bus.consume(partition, (one) => (seen.push(textOf(one)), settle(one)), { inFlightMax: 10_000 })

  test('sends a lone message alone with its trace, and thousands of one turn in few packs and in order', async () => {
    const there = partitionNumber('ledger', 1)
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', own: 'x' }
    await bus.send(there, { ...command('lone'), headers })
    const lone = await onChannel(async (channel) => {
      return new Promise<ConsumeMessage | null>((resolve, reject) => {
        channel.consume(queueOf('ledger/1'), resolve, { noAck: true }).catch(reject)
      })
    })
    expect(lone!.properties.headers).toEqual({ traceparent: headers.traceparent })
    expect(lone!.properties.deliveryMode).toBe(2)
    const before = bus.counts().commands.packs
    const names = Array.from({ length: 5_000 }, (_, index) => `message ${index}`)
    await Promise.all(names.map((name) => bus.send(there, command(name))))
    expect(bus.counts().commands.packs - before).toBeLessThan(40)
    const seen: string[] = []
    const consumer = await collect(there, seen)
    await eventually('all arrive', () => seen.length >= names.length)
    await consumer.stop()
    expect(seen).toEqual(names)
    // Acknowledged packs do not come again.
    const again: string[] = []
    const next = await collect(there, again)
    await clock.sleep(100)
    await next.stop()
    expect(again).toEqual([])
  })

  test('answers a thousand requests of one turn in packs, each with its own reply', async () => {
    const there = partitionNumber('ledger', 2)
    const consumer = await collect(there, [], (one) => {
      one.acknowledge()
      one.reply({ status: 'ok', sequence: 1n, body: one.message.body })
    })
    const names = Array.from({ length: 1_000 }, (_, index) => `question ${index}`)
    const before = bus.counts().replies.packs
    const answers = await Promise.all(
      names.map((name) => bus.request(there, { ...command(name), deadlineMs: 100_000 })),
    )
    expect(answers.map(({ body }) => new TextDecoder().decode(body))).toEqual(names)
    expect(bus.counts().replies.packs - before).toBeLessThan(50)
    await consumer.stop()
  })

  test('brings of a half-settled pack only the unsettled part again, to the next consumer of this process', async () => {
    const there = partitionNumber('ledger', 3)
    const names = Array.from({ length: 10 }, (_, index) => `message ${index}`)
    await bus.send(there, command('opens the lane'))
    await Promise.all(names.map((name) => bus.send(there, command(name))))
    const first: string[] = []
    const consumer = await collect(there, first, (one) => {
      if (!/[02468]$/.test(textOf(one))) one.acknowledge()
    })
    await eventually('all came', () => first.length >= 11)
    await consumer.stop()
    const attempts: number[] = []
    const second: string[] = []
    const next = await collect(there, second, (one) => {
      attempts.push(one.attempt)
      one.acknowledge()
    })
    await eventually('the rest came', () => second.length >= 5)
    await clock.sleep(50)
    expect(second).toEqual(names.filter((_, index) => index % 2 === 0))
    expect(new Set(attempts)).toEqual(new Set([2]))
    await next.stop()
  })

  test('counts deliveries over many moves and never drops a message for it', async () => {
    const there = partitionNumber('ledger', 4)
    await bus.send(there, command('moves'))
    const attempts: number[] = []
    for (let move = 1; move <= 30; move++) {
      const consumer = await bus.consume(there, (one) => void attempts.push(one.attempt), { inFlightMax: 1 })
      await eventually(`delivery ${move}`, () => attempts.length >= move)
      await consumer.stop()
    }
    expect(attempts).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
    const seen: string[] = []
    const last = await collect(there, seen)
    await eventually('it is there still', () => seen.length === 1)
    await last.stop()
    expect(await bus.deadLetterCount()).toBe(0)
  })

  test('sets a poison message aside with envelope and reason, and goes on with the next', async () => {
    const seen: string[] = []
    const consumer = await collect(HERE, seen)
    await onChannel(async (channel) => {
      channel.sendToQueue(queueOf('trading/0/0'), Buffer.from('no pack'), { persistent: true })
      await channel.waitForConfirms()
    })
    await bus.send(HERE, command('sound'))
    await eventually('the sound one arrives', () => seen.includes('sound'))
    await eventually('the poison is set aside', async () => (await bus.deadLetterCount()) === 1)
    const [letter] = await bus.deadLetters(10)
    expect(letter).toMatchObject({ partition: HERE })
    expect(letter!.reason).toMatch(/^unreadable: /)
    expect(new TextDecoder().decode(letter!.message.body)).toBe('no pack')
    expect(bus.counts().consumers).toMatchObject({ unreadable: 1, deadLettered: 1 })
    const ready = await onChannel((channel) => channel.checkQueue(queueOf('trading/0/0')))
    expect(ready.messageCount).toBe(0)
    expect(seen).toEqual(['sound'])
    expect(await bus.resend(letter!.id)).toBe(true)
    await eventually('sent again it comes, wrapped', () => seen.includes('no pack'))
    await consumer.stop()
    expect(await bus.deadLetterCount()).toBe(0)
  })

  test('drops what nobody waits for any more, counted', async () => {
    const there = partitionNumber('ledger', 5)
    await bus.send(there, command('opens the lane'))
    const { packs } = bus.counts().commands
    // It is to leave while somebody waits for it: a busy machine gets more time.
    for (let deadlineMs = 50; bus.counts().commands.packs === packs; deadlineMs *= 2) {
      const failure = await bus.request(there, { ...command('stale'), deadlineMs }).catch(kindOf)
      expect(['timeout', 'unavailable']).toContain(failure)
    }
    await clock.sleep(1_200)
    await bus.send(there, command('fresh'))
    const seen: string[] = []
    const consumer = await collect(there, seen)
    await eventually('the fresh one arrives', () => seen.includes('fresh'))
    await consumer.stop()
    expect(seen).toEqual(['opens the lane', 'fresh'])
    expect(bus.counts().consumers.expired).toBe(1)
  })
})
