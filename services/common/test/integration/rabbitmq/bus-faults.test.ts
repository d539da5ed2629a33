import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { RabbitBus, RabbitBusOptions } from '../../../src/adapters/rabbitmq/bus.ts'
import { CONFIRM_TIMEOUT_MS } from '../../../src/adapters/rabbitmq/bus-publisher.ts'
import { openRabbitConnection } from '../../../src/adapters/rabbitmq/connection.ts'
import { pauseInSteps } from '../../../src/testkit/contracts/scenario.ts'
import { startProxy, type Proxy } from '../../../src/testkit/servers/proxy.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '../../../src/testkit/servers/rabbitmq.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
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
  startLoad,
  textOf,
  WATCHFUL,
  type Tally,
} from './bus-support.ts'

const FAULT_TIMEOUT_MS = 400_000
const QUEUE_STANDS_MS = 3_000

/** How often its connection for commands was lost. */
const lostTimes = (bus: RabbitBus): number => bus.counts().connections.commands.disconnects

describeUnless(rabbitMqMissing(), 'the bus on RabbitMQ under faults', () => {
  let server: RabbitMqServer
  let proxy: Proxy
  beforeAll(async () => {
    server = await startRabbitMq()
    proxy = await startProxy({ port: server.port })
  }, START_TIMEOUT_MS)
  afterAll(async () => {
    await proxy.stop()
    await server.stop()
  }, START_TIMEOUT_MS)

  /** Two processes on the same queues, through the proxy. */
  const openPair = async (
    options: Partial<RabbitBusOptions> = {},
  ): Promise<{
    producer: RabbitBus
    consumer: RabbitBus
    prefix: string
    close(): Promise<void>
  }> => {
    const prefix = freshPrefix()
    const url = proxy.urlOf(server.url)
    const [producer, consumer] = [
      await openBus(url, { prefix, ...options }),
      await openBus(url, { prefix, ...options }),
    ]
    return {
      producer,
      consumer,
      prefix,
      close: async () => void (await Promise.all([producer.close(), consumer.close()])),
    }
  }

  /** Runs load while a fault strikes: nothing acknowledged may be lost, and sending works again afterwards. */
  const survive = async (
    fault: (producer: RabbitBus, tally: Tally) => Promise<void>,
    options: Partial<RabbitBusOptions> = {},
  ): Promise<{ line: string; producer: RabbitBus }> => {
    const { producer, consumer, close } = await openPair(options)
    try {
      const load = await startLoad(producer, consumer)
      await eventually('messages flow', () => load.tally.seen.size > 300)
      await fault(producer, load.tally)
      await eventually('all is connected', () =>
        Object.values(producer.state()).every((state) => state === 'connected'),
      )
      const before = load.tally.acknowledged.size
      await eventually('messages flow again', () => load.tally.acknowledged.size > before + 300)
      const line = await load.finish()
      expect(line).toMatch(/lost 0$/)
      return { line, producer }
    } finally {
      await close()
    }
  }

  test(
    'a broker killed with -9 and started again loses nothing it confirmed',
    async () => {
      const { producer } = await survive(async () => {
        // RabbitMQ 3.10 may not start a quorum queue again that was declared a moment before it was killed.
        await pauseInSteps(QUEUE_STANDS_MS)
        await server.kill()
        await server.start()
      })
      expect(lostTimes(producer)).toBe(1)
    },
    FAULT_TIMEOUT_MS,
  )

  test(
    'connections that are cut again and again lose nothing',
    async () => {
      const { line, producer } = await survive(async (sender, tally) => {
        const before = lostTimes(sender)
        // Confirms take a while, so that every cut finds messages on their way.
        proxy.delay(20, 'back')
        for (let count = 1; count <= 5; count++) {
          const acknowledged = tally.acknowledged.size
          await eventually('messages flow', () => tally.acknowledged.size > acknowledged)
          proxy.cut()
          await eventually('the loss is known', () => lostTimes(sender) >= before + count)
        }
        proxy.heal()
      })
      expect(line).toMatch(/unknown/)
      expect(lostTimes(producer)).toBeGreaterThanOrEqual(5)
    },
    FAULT_TIMEOUT_MS,
  )

  test(
    'a connection that swallows everything is noticed',
    async () => {
      await survive(async (producer) => {
        const before = lostTimes(producer)
        proxy.blackHole()
        // Its heart does not beat: the network says nothing.
        await eventually('it is noticed', () => lostTimes(producer) > before)
        proxy.heal()
      }, WATCHFUL)
    },
    FAULT_TIMEOUT_MS,
  )

  test(
    'a bus whose broker answers nothing any more is closed before its heart could tell, and says so to whoever waits',
    async () => {
      const { producer, consumer, close } = await openPair()
      await consumer.consume(HERE, (delivery) => delivery.acknowledge(), { inFlightMax: 10 })
      await producer.send(HERE, command('before'))
      proxy.blackHole()
      try {
        const waiting = [
          producer.send(HERE, command('x')),
          producer.request(HERE, { ...command('y'), deadlineMs: 600_000 }),
        ]
        const kinds = Promise.all(waiting.map((one) => one.then(() => 'done', kindOf)))
        await close()
        for (const bus of [producer, consumer]) expect(lostTimes(bus)).toBe(0)
        expect(await kinds).toEqual(['closed', 'closed'])
      } finally {
        proxy.heal()
      }
    },
    FAULT_TIMEOUT_MS,
  )

  test(
    'a consumer that is being started when its bus is closed says so and leaves nothing behind',
    async () => {
      for (const pauseMs of [0, 5, 30]) {
        const bus = await openBus(server.url, { prefix: freshPrefix() })
        const starting = bus.consume(HERE, (delivery) => delivery.acknowledge(), { inFlightMax: 1 })
        const fate = starting.then(() => 'started', kindOf)
        await clock.sleep(pauseMs)
        await bus.close()
        expect(['started', 'closed']).toContain(await fate)
        if (pauseMs === 0) expect(await fate).toBe('closed')
      }
    },
    FAULT_TIMEOUT_MS,
  )

  test(
    'answers that get lost leave sends unknown, never acknowledged in vain',
    async () => {
      const { line } = await survive(async (_, tally) => {
        const before = tally.failed.get('unknown') ?? 0
        proxy.blackHole('back')
        await eventually('sends are given up', () => (tally.failed.get('unknown') ?? 0) > before)
        proxy.heal()
      }, WATCHFUL)
      expect(line).toMatch(/unknown/)
    },
    FAULT_TIMEOUT_MS,
  )

  test(
    'a memory alarm holds sends back within their deadlines, and they go on after it',
    async () => {
      let laterMs = 0
      const { producer, consumer, close } = await openPair({
        clock: { ...clock, monotonicMs: () => clock.monotonicMs() + laterMs },
      })
      try {
        await producer.send(HERE, command('before'))
        await server.control('set_vm_memory_high_watermark', '0.00001')
        const short = (name: string): Promise<string> =>
          producer.send(HERE, command(name, 1_500)).then(() => 'done', kindOf)
        // The server tells of its alarm whoever publishes: one is on its way then.
        const first: Promise<string>[] = []
        await eventually('the alarm is told of', async () => {
          first.push(short(`short ${first.length}`))
          await clock.sleep(100)
          return producer.state().commands === 'blocked'
        })
        expect(await Promise.all(first)).toContain('unknown')
        // The others never leave.
        const kinds = await Promise.all(Array.from({ length: 50 }, (_, index) => short(`blocked ${index}`)))
        expect(new Set(kinds)).toEqual(new Set(['unavailable']))
        expect(producer.state().commands).toBe('blocked')
        const asked = await producer.request(HERE, { ...command('asked'), deadlineMs: 300 }).catch(kindOf)
        // Never taken by the server, or, when the machine stood still, only never answered.
        expect(['unavailable', 'timeout']).toContain(asked)
        // However long it lasts: what was on its way when it began is not taken for forgotten by the broker.
        laterMs = CONFIRM_TIMEOUT_MS
        const patient = producer.send(HERE, command('patient'))
        await server.control('set_vm_memory_high_watermark', '0.4')
        await patient
        expect(producer.counts().commands.confirmTimeouts).toBe(0)
        const seen: string[] = []
        const consuming = await consumer.consume(HERE, (one) => (seen.push(textOf(one)), one.acknowledge()), {
          inFlightMax: 10,
        })
        await eventually('the patient one arrives', () => seen.includes('patient'))
        await consuming.stop()
        expect(seen).not.toContain('asked')
        expect(seen[0]).toBe('before')
        const { commands } = producer.counts().connections
        expect(commands.blocks).toBeGreaterThanOrEqual(1)
        expect(commands.blockedMs).toBeGreaterThan(1_000)
        expect(commands.disconnects).toBe(0)
      } finally {
        await server.control('set_vm_memory_high_watermark', '0.4')
        await close()
      }
    },
    FAULT_TIMEOUT_MS,
  )

  test(
    'a queue deleted underneath is declared again by sender and consumer, and sending goes on',
    async () => {
      const { producer, consumer, prefix, close } = await openPair()
      const operator = await openRabbitConnection({ url: server.url, clock, logger, name: 'operator' })
      const deleteQueue = (): Promise<void> =>
        operator.withChannel(async (channel) => void (await channel.deleteQueue(`${prefix}.partition.trading/0/0`)))
      try {
        await producer.send(HERE, command('first'))
        await deleteQueue()
        // Nobody consumes: the sender finds the queue missing.
        await producer.send(HERE, command('second'))
        expect(producer.counts().commands.returned).toBeGreaterThanOrEqual(1)
        const seen: string[] = []
        await consumer.consume(HERE, (one) => (seen.push(textOf(one)), one.acknowledge()), { inFlightMax: 10 })
        await eventually('the second arrives', () => seen.includes('second'))
        await deleteQueue()
        await eventually('the consumer was told', () => consumer.counts().consumers.cancelled >= 1)
        let sent = 0
        await eventually('sends arrive again', async () => {
          await producer.send(HERE, command(`later ${(sent += 1)}`)).catch(() => undefined)
          return seen.some((text) => text.startsWith('later'))
        })
      } finally {
        await operator.close()
        await close()
      }
    },
    FAULT_TIMEOUT_MS,
  )

  describe('while the broker is away', () => {
    test(
      'requests on their way fail unknown at once, sends wait within their deadline',
      async () => {
        const { producer, consumer, close } = await openPair()
        try {
          const held: string[] = []
          await consumer.consume(HERE, (one) => void held.push(textOf(one)), { inFlightMax: 10 })
          const asked = producer.request(HERE, { ...command('asked'), deadlineMs: 600_000 }).catch(kindOf)
          await eventually('it is in hand', () => held.includes('asked'))
          proxy.refuse()
          expect(await asked).toBe('unknown')
          await eventually('the loss is known', () => producer.state().commands === 'disconnected')
          expect(await producer.send(HERE, command('short', 200)).catch(kindOf)).toBe('unavailable')
          const late = await producer.request(HERE, { ...command('late'), deadlineMs: 200 }).catch(kindOf)
          expect(['unavailable', 'timeout']).toContain(late)
          const patient = producer.send(HERE, command('patient'))
          proxy.heal()
          await patient
          await eventually('it arrives at the consumer, which came back by itself', () => held.includes('patient'))
          // What was never published is not delivered.
          expect(held).not.toContain('short')
          expect(held).not.toContain('late')
        } finally {
          proxy.heal()
          await close()
        }
      },
      FAULT_TIMEOUT_MS,
    )

    test(
      'the buffer is bounded: what is one too many fails full at once',
      async () => {
        let laterMs = 0
        const { producer, close } = await openPair({
          clock: { ...clock, monotonicMs: () => clock.monotonicMs() + laterMs },
        })
        try {
          proxy.refuse()
          await eventually('the loss is known', () => producer.state().commands === 'disconnected')
          const outcomes = new Map<string, number>()
          const count = (kind: string): void => void outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1)
          const sends = Array.from({ length: 70_000 }, () =>
            producer.send(HERE, command('x', 600_000)).then(
              () => count('done'),
              (error: unknown) => count(kindOf(error)),
            ),
          )
          await clock.sleep(0)
          expect(outcomes).toEqual(new Map([['full', 70_000 - 65_536]]))
          expect(producer.counts().waitingMessages).toBe(65_536)
          laterMs = 600_000
          await Promise.all(sends)
          expect(outcomes.get('unavailable')).toBe(65_536)
          expect(producer.counts()).toMatchObject({ waitingMessages: 0, commands: { bufferFull: 70_000 - 65_536 } })
        } finally {
          proxy.heal()
          await close()
        }
      },
      FAULT_TIMEOUT_MS,
    )
  })
})
