import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openRabbitBus } from '@bourse/common/adapters/rabbitmq/bus.ts'
import { partitionQueueName } from '@bourse/common/adapters/rabbitmq/topology.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import type { DeadLetter } from '@bourse/common/ports/bus.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '@bourse/common/testkit/servers/rabbitmq.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { connect } from 'amqplib'
import { pino } from 'pino'
import { pause, until } from '../../support/calls.ts'
import { LIMIT_MS } from '../../support/limits.ts'
import { partitions, partitionsOf } from './support/market.ts'
import { FLAWLESS, runFault, RUN_MS_MAX, type Fault, type RunResult } from './support/run.ts'
import { openSqliteStores } from './support/stores.ts'

/** Longer than the heartbeats take to find a connection dead. */
const BLACK_HOLE_MS = 6_000
const ALARM_MS = 3_000
/** Of every queue: how soon a sender declares it again, and how the consumer hears of its end, is a race. */
const DELETIONS = 5

describeUnless(rabbitMqMissing(), 'RabbitMQ fails under load, and nothing is lost or doubled', () => {
  let rabbit: RabbitMqServer
  beforeAll(async () => void (rabbit = await startRabbitMq()), LIMIT_MS)
  afterAll(() => rabbit.stop(), LIMIT_MS)

  const run = async (title: string, fault: Fault): Promise<RunResult> => {
    const result = await runFault({ title, rabbit, fault, openStores: (_, folder) => openSqliteStores(folder) })
    expect(result).toMatchObject({ ...FLAWLESS, acknowledged: result.sent })
    return result
  }
  const faultTest = (title: string, fault: Fault): void =>
    test(title, async () => void (await run(title, fault)), RUN_MS_MAX)

  faultTest('RabbitMQ killed with -9 and restarted', async () => {
    await rabbit.kill()
    await pause(500)
    await rabbit.start()
  })

  faultTest('connections cut, again and again', async ({ proxies }) => {
    for (let round = 0; round < 5; round++) {
      for (const proxy of proxies.values()) proxy.cut()
      await pause(700)
    }
  })

  faultTest('connections black-holed', async ({ proxies }) => {
    for (const proxy of proxies.values()) proxy.blackHole()
    await pause(BLACK_HOLE_MS)
    for (const proxy of proxies.values()) proxy.heal()
  })

  faultTest('answers of RabbitMQ black-holed, what is sent arrives', async ({ proxies }) => {
    for (let round = 0; round < 4; round++) {
      for (const proxy of proxies.values()) proxy.blackHole('back')
      await pause(400)
      for (const proxy of proxies.values()) proxy.heal()
      await pause(600)
    }
  })

  faultTest('memory alarm raised', async () => {
    await rabbit.control('set_vm_memory_high_watermark', '0.00001')
    await pause(ALARM_MS)
    await rabbit.control('set_vm_memory_high_watermark', '0.4')
  })

  faultTest('every queue deleted underneath', async ({ prefix }) => {
    const connection = await connect(rabbit.url)
    const channel = await connection.createChannel()
    for (let round = 0; round < DELETIONS; round++) {
      for (const partition of partitions) {
        await channel.deleteQueue(partitionQueueName(prefix, partition))
        await pause(200)
      }
    }
    await connection.close()
  })

  test(
    'poison messages',
    async () => {
      const poison = [randomBytes(300), Buffer.alloc(0), Buffer.from('{"type":"command"}')]
      const noCommand = new Uint8Array(randomBytes(64))
      let letters: readonly DeadLetter[] = []
      const result = await run('poison messages', async ({ prefix }) => {
        const connection = await connect(rabbit.url)
        const channel = await connection.createConfirmChannel()
        for (const partition of partitions)
          for (const bytes of poison)
            channel.sendToQueue(partitionQueueName(prefix, partition), bytes, { persistent: true })
        await channel.waitForConfirms()
        await connection.close()
        const logger = pino({ level: 'silent' })
        const bus = await openRabbitBus({ url: rabbit.url, prefix, clock: createSystemClock(), logger })
        for (const partition of partitions) await bus.send(partition, { type: 'command', body: noCommand })
        const expected = partitions.length * (poison.length + 1)
        letters = await until(
          () => bus.deadLetters(1_000),
          ({ length }) => length >= expected,
        )
        await bus.close()
      })
      const told = letters.map(({ partition, message }) => `${partition} ${Buffer.from(message.body).toString('hex')}`)
      const sent = [...poison, Buffer.from(noCommand)].map((bytes) => bytes.toString('hex'))
      expect(told.sort()).toEqual(partitions.flatMap((partition) => sent.map((hex) => `${partition} ${hex}`)).sort())
      expect(letters.filter(({ reason }) => !/^unreadable: .+|^not a command/u.test(reason))).toEqual([])
      expect(result.restarts).toBe(0)
    },
    RUN_MS_MAX,
  )

  faultTest('a partition moved while its queue returns what it holds, connections cut', async ({ move, proxies }) => {
    const [partition] = partitionsOf('ledger')
    for (let round = 0; round < 4; round++) {
      const moved = move(partition!)
      for (const proxy of proxies.values()) proxy.cut()
      await moved
    }
  })
})
