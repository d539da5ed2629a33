import { connect } from 'amqplib'
import { deadLetterQueueName, partitionQueueName, QUEUE_PREFIX } from '@bourse/common/adapters/rabbitmq/topology.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { WatchedPlatform } from '../../servers/watched-platform.ts'
import type { Mode } from '../mode.ts'
import { PRICE_PAGES, TRADING_PAGES } from '../pages.ts'
import { killAgain } from '../strike.ts'

const LEDGER_QUEUE = partitionQueueName(QUEUE_PREFIX, partitionNumber('ledger', 0))

const BROKER: readonly Mode<WatchedPlatform>[] = [
  {
    name: 'broker-gone',
    title: 'RabbitMQ is gone',
    door: 'kill -9 of the server; healed by a start on the same data',
    tells: ['BourseServerAway'],
    alongside: TRADING_PAGES,
    inject: async ({ rabbitMq }) => {
      await rabbitMq.kill()
      return rabbitMq.start
    },
  },
  {
    name: 'broker-frozen',
    title: 'RabbitMQ hangs: connections stay, nothing is confirmed',
    door: 'SIGSTOP of the server',
    tells: ['BourseMessagesNotConfirmed'],
    alongside: [...TRADING_PAGES, 'BourseServerAway'],
    slowSeconds: 30,
    inject: ({ rabbitMq }) => {
      rabbitMq.signal('SIGSTOP')
      return Promise.resolve(() => Promise.resolve(rabbitMq.signal('SIGCONT')))
    },
  },
  {
    name: 'broker-blocked',
    title: 'RabbitMQ takes no messages: its disk alarm is on',
    door: 'rabbitmqctl set_disk_free_limit, above what is free',
    tells: ['BourseBrokerBlocked'],
    alongside: TRADING_PAGES,
    inject: async ({ rabbitMq }) => {
      await rabbitMq.control('set_disk_free_limit', '100000GB')
      return async () => void (await rabbitMq.control('set_disk_free_limit', '50MB'))
    },
  },
  {
    name: 'dead-letter',
    title: 'A partition is sent bytes that are no command',
    door: 'published to the queue of a ledger partition; healed by taking the dead letter out',
    tells: ['BourseDeadLetters'],
    slowSeconds: 10,
    inject: async ({ rabbitMq }) => {
      const connection = await connect(rabbitMq.url)
      const channel = await connection.createConfirmChannel()
      channel.sendToQueue(LEDGER_QUEUE, Buffer.from('these bytes are no command'))
      await channel.waitForConfirms()
      await connection.close()
      return async () => void (await rabbitMq.control('purge_queue', deadLetterQueueName(QUEUE_PREFIX)))
    },
  },
  {
    name: 'leaking-consumer',
    title: 'A foreign consumer of a partition’s queue takes messages and never acknowledges',
    door: 'an AMQP consumer that waits at the queue of a ledger partition, and a restart of the ledger that lets it in',
    tells: ['BourseDeliveriesUnacknowledged'],
    alongside: TRADING_PAGES,
    slowSeconds: 30,
    inject: async (platform) => {
      const connection = await connect(platform.rabbitMq.url)
      const channel = await connection.createChannel()
      await channel.consume(LEDGER_QUEUE, () => undefined, { noAck: false })
      await killAgain(platform, 'ledger-0', 1)
      return () => connection.close()
    },
  },
]

const STORES: readonly Mode<WatchedPlatform>[] = [
  {
    name: 'journal-slow',
    title: 'MongoDB is slow, and so is every append',
    door: 'a proxy that holds every byte to and from MongoDB back for 120 ms',
    tells: ['BourseAppendSlow'],
    alongside: TRADING_PAGES,
    inject: ({ mongoProxy }) => {
      mongoProxy.delay(120)
      return Promise.resolve(() => Promise.resolve(mongoProxy.heal()))
    },
  },
  {
    name: 'journal-gone',
    title: 'MongoDB is gone',
    door: 'a proxy that resets every connection to MongoDB',
    tells: ['BourseServerAway'],
    alongside: TRADING_PAGES,
    slowSeconds: 30,
    inject: ({ mongoProxy }) => {
      mongoProxy.refuse()
      return Promise.resolve(() => Promise.resolve(mongoProxy.heal()))
    },
  },
  {
    name: 'redis-gone',
    title: 'Redis is gone',
    door: 'kill -9 of the server; healed by a start, empty',
    tells: ['BourseServerAway', 'BourseRateLimiterOpen'],
    alongside: [...PRICE_PAGES, ...TRADING_PAGES],
    inject: async ({ redis }) => {
      await redis.kill()
      return redis.start
    },
  },
]

/** The servers that the platform stands on. */
export const SERVER_MODES: readonly Mode<WatchedPlatform>[] = [...BROKER, ...STORES]
