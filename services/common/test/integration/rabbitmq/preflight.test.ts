import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  openRabbitConnection,
  parseVersion,
  shownUrl,
  type RabbitConnection,
} from '../../../src/adapters/rabbitmq/connection.ts'
import { checkRabbitMq, judgeServer } from '../../../src/adapters/rabbitmq/preflight.ts'
import { deadLetterQueue, partitionQueue } from '../../../src/adapters/rabbitmq/topology.ts'
import { partitionNumber } from '../../../src/kernel/partition.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '../../../src/testkit/servers/rabbitmq.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { clock, freshPrefix, kindOf, logger, openBus, START_TIMEOUT_MS } from './bus-support.ts'

const PARTITION = partitionNumber('ledger', 0)
const ALL = { publisher_confirms: true, 'basic.nack': true, 'connection.blocked': true, consumer_cancel_notify: true }

describe('what is asked of a RabbitMQ server', () => {
  test('is 3.10 or later, with confirms, refusals, alarms and cancellations', () => {
    for (const text of ['3.10.8', '3.13.7', '4.1.0', '10.0.0']) expect(judgeServer(parseVersion(text), ALL)).toEqual([])
    for (const text of ['3.9.29', '2.8.7', 'unknown'])
      expect(judgeServer(parseVersion(text), ALL)).toMatchObject([{ code: 'server-too-old', losesData: true }])
    const found = judgeServer(parseVersion('4.0.0'), { 'basic.nack': true, 'connection.blocked': true })
    expect(found.map(({ code }) => code)).toEqual(['confirms-unavailable', 'capability-missing'])
  })

  test('queues have no limit of deliveries: RabbitMQ 4 is told so, 3 does not know the argument', () => {
    const limitOf = (text: string): unknown =>
      partitionQueue('x', PARTITION, parseVersion(text)).options.arguments['x-delivery-limit']
    expect([limitOf('3.10.8'), limitOf('4.0.2')]).toEqual([undefined, -1])
  })
})

describeUnless(rabbitMqMissing(), 'the look at RabbitMQ before the start', () => {
  let server: RabbitMqServer
  let operator: RabbitConnection
  beforeAll(async () => {
    server = await startRabbitMq()
    operator = await openRabbitConnection({ url: server.url, clock, logger, name: 'operator' })
  }, START_TIMEOUT_MS)
  afterAll(async () => {
    await operator.close()
    await server.stop()
  }, START_TIMEOUT_MS)

  const check = (prefix: string) => checkRabbitMq({ url: server.url, clock, logger, prefix, partitions: [PARTITION] })
  const codes = async (prefix: string): Promise<string[]> => (await check(prefix)).map(({ code }) => code)
  const declare = (name: string, options: object): Promise<unknown> =>
    operator.withChannel((channel) => channel.assertQueue(name, options))

  test('finds nothing on a fresh server, and nothing once the bus has declared its queues', async () => {
    const prefix = freshPrefix()
    expect(await check(prefix)).toEqual([])
    const bus = await openBus(server.url, { prefix })
    await bus.send(PARTITION, { type: 'command', body: new Uint8Array(1) })
    await bus.deadLetterCount()
    await bus.close()
    expect(await check(prefix)).toEqual([])
  })

  test('refuses classic, non-durable and differently bounded queues under our names, with the remedy', async () => {
    const [classic, fleeting, bounded] = [freshPrefix(), freshPrefix(), freshPrefix()]
    const { name: classicName, options: ours } = partitionQueue(classic, PARTITION, operator.version())
    await declare(classicName, { ...ours, arguments: { ...ours.arguments, 'x-queue-type': 'classic' } })
    const plain = freshPrefix()
    await declare(`${plain}.partition.ledger/0`, { durable: true })
    await declare(`${fleeting}.dead-letters`, { durable: false })
    const { name, options } = deadLetterQueue(bounded, operator.version(), 5)
    await declare(name, options)
    const [finding] = await check(classic)
    expect(finding).toMatchObject({ service: 'rabbitmq', code: 'queue-not-quorum', losesData: true })
    expect(finding!.remedy).toContain(`rabbitmqctl delete_queue '${classic}.partition.ledger/0'`)
    expect(await codes(plain)).toEqual(['queue-wrong-arguments'])
    expect(await codes(fleeting)).toEqual(['queue-not-durable'])
    expect(await codes(bounded)).toEqual(['queue-wrong-arguments'])
  })

  test('refuses a server under an alarm and says which', async () => {
    await server.control('set_vm_memory_high_watermark', '0.00001')
    try {
      const [finding] = await check(freshPrefix())
      expect(finding).toMatchObject({ code: 'alarm', losesData: true })
      expect(finding!.message).toContain('memory')
    } finally {
      await server.control('set_vm_memory_high_watermark', '0.4')
    }
  })

  test('fails unavailable, without credentials, when the login is refused or nobody is there', async () => {
    const wrong = server.url.replace('bourse-test', 'a-wrong-password')
    for (const url of [wrong, 'amqp://bourse:a-wrong-password@127.0.0.1:1', 'a-wrong-password']) {
      const error: unknown = await checkRabbitMq({ url, clock, logger, firstConnectMs: 300 }).catch(
        (failure: unknown) => failure,
      )
      expect(kindOf(error)).toBe('unavailable')
      expect(String(error)).not.toContain('a-wrong-password')
      expect(shownUrl(url)).not.toContain('a-wrong-password')
    }
  })
})
