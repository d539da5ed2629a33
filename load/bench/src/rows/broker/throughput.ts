import { allOf, atLeast, ratioAtLeast } from '../../goals.ts'
import type { Goal, Group, Sample } from '../../row.ts'
import { withFolder } from '../fsync/folder.ts'
import { startBareClient, type BareClient } from './support/bare-client.ts'
import { brokerUnavailable, withBroker } from './support/broker.ts'
import {
  closedLoop,
  openBenchBus,
  startProducer,
  type Packing,
  type Producer,
  type Traffic,
} from './support/producer.ts'
import { startShards } from './support/shards.ts'

/** Commands of one slice, and how many of them are on their way at a time: packed, twice what a runner holds. */
const SIZES: Readonly<Record<Packing, { readonly slice: number; readonly window: number }>> = {
  packed: { slice: 131_072, window: 16_384 },
  single: { slice: 12_288, window: 512 },
}
const ROUNDS = 3

/** Commands that the echo answers in the same AMQP messages, of the same bytes, as many of them on their way. */
const echoSlice = (bare: BareClient, traffic: Traffic, size: (typeof SIZES)[Packing]): Promise<number> => {
  const { perMessage } = traffic
  const messages = Math.round(size.slice / perMessage)
  const window = Math.max(1, Math.round(size.window / perMessage))
  return closedLoop(messages, window, (answered) => bare.ask(traffic, answered)).then(
    (tookMs) => (tookMs * size.slice) / (messages * perMessage),
  )
}

/** Commands per second of the producer and of the echo, in slices by turns after a warm-up of each. */
export const compareWithEcho = async (options: {
  readonly producer: Producer
  readonly bare: BareClient
  readonly packing: Packing
}): Promise<Sample> => {
  const { producer, bare, packing } = options
  const size = SIZES[packing]
  await producer.orderMix(size.slice, size.window)
  const traffic = producer.traffic()
  process.stderr.write(`${packing}: ${traffic.perMessage.toFixed(2)} commands in a message\n`)
  await echoSlice(bare, traffic, size)
  let ownMs = 0
  let echoMs = 0
  for (let round = 0; round < ROUNDS; round++) {
    ownMs += await producer.orderMix(size.slice, size.window)
    echoMs += await echoSlice(bare, traffic, size)
  }
  const perSecond = (tookMs: number): number => (1_000 * ROUNDS * size.slice) / tookMs
  return { value: perSecond(ownMs), peers: { 'amqplib-echo': perSecond(echoMs) } }
}

const measure = (packing: Packing): Promise<Sample> =>
  withFolder((folder) =>
    withBroker(async (brokerUrl) => {
      const shards = await startShards({
        ...{ brokerUrl, packing, folder, shards: 1, journal: 'sqlite', room: 'throughput' },
      })
      await shards.acquire(0)
      const bus = await openBenchBus(brokerUrl, packing)
      const bare = await startBareClient(brokerUrl)
      const producer = await startProducer(brokerUrl, bus)
      const sample = await compareWithEcho({ producer, bare, packing })
      await bare.close()
      await bus.close()
      await shards.stop()
      return sample
    }),
  )

const INSIDE =
  'from a producer in a process of its own through RabbitMQ (quorum queue, persistent, confirmed) to the kernel’s runner with ' +
  'the SQLite journal flushed to the disk, and each outcome back to the producer; effects are confirmed beside the runner, ' +
  'events stay in its process. Peer `amqplib-echo`: a bare amqplib consumer that answers messages'

const groupOf = (packing: Packing, what: string, goal: Goal): Group => {
  const name = `broker/trading-${packing}`
  return {
    name,
    rows: [{ name, what, unit: 'commands/s', kind: 'core + broker', goal }],
    unavailable: brokerUnavailable,
    measure: async () => ({ [name]: await measure(packing) }),
  }
}

/** As the bus packs them. */
export const tradingPacked = groupOf(
  'packed',
  `Opens and closes in turn at 100,000 open trades, ${SIZES.packed.window} on their way at a time, ${INSIDE} of the mean ` +
    'size and number of commands that the bus made of them.',
  allOf(atLeast(100_000, 'commands/s'), ratioAtLeast('amqplib-echo', 0.3)),
)

/** One command in each message. */
export const tradingSingle = groupOf(
  'single',
  `The same with packing turned off, one command in a message, ${SIZES.single.window} on their way at a time; ${INSIDE} of ` +
    'the mean size of a command.',
  ratioAtLeast('amqplib-echo', 0.3),
)
