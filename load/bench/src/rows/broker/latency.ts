import { everyRunBelow } from '../../goals.ts'
import type { Group, Sample } from '../../row.ts'
import { withFolder } from '../fsync/folder.ts'
import { startBareClient } from './support/bare-client.ts'
import { brokerUnavailable, withBroker } from './support/broker.ts'
import { paced, type Latency } from './support/pace.ts'
import { askCommand, openBenchBus, startProducer } from './support/producer.ts'
import { startShards } from './support/shards.ts'

const PER_SECOND = 1_000
const WARM_UP_MS = 2_000
const SLICE_MS = 2_000
const ROUNDS = 3
/** On their way at most: after a stall of this process more are due at once than a bus without packs has room for answers to. */
const WINDOW_MAX = 512
/** What tells the size of a command and its outcome. */
const TRAFFIC_COMMANDS = 2_048

const meanOf = (latencies: readonly Latency[], share: keyof Latency): number =>
  latencies.reduce((sum, latency) => sum + latency[share], 0) / latencies.length

const measure = (): Promise<Readonly<Record<keyof Latency, Sample>>> =>
  withFolder((folder) =>
    withBroker(async (brokerUrl) => {
      const packing = 'single'
      const shards = await startShards({
        ...{ brokerUrl, packing, folder, shards: 1, journal: 'sqlite', room: 'throughput' },
      })
      await shards.acquire(0)
      const bus = await openBenchBus(brokerUrl, packing)
      const bare = await startBareClient(brokerUrl)
      const { mix, orderMix, traffic } = await startProducer(brokerUrl, bus)
      await orderMix(TRAFFIC_COMMANDS, 1)
      const shape = traffic()
      const own = (durationMs: number): Promise<Latency> =>
        paced(PER_SECOND, durationMs, (answered) => askCommand(bus, mix.next(), answered), { windowMax: WINDOW_MAX })
      const echo = (durationMs: number): Promise<Latency> =>
        paced(PER_SECOND, durationMs, (answered) => bare.ask(shape, answered), { windowMax: WINDOW_MAX })
      await own(WARM_UP_MS)
      await echo(WARM_UP_MS)
      const ours: Latency[] = []
      const echoes: Latency[] = []
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(await own(SLICE_MS))
        echoes.push(await echo(SLICE_MS))
      }
      await bare.close()
      await bus.close()
      await shards.stop()
      const sampleOf = (share: keyof Latency): Sample => ({
        value: meanOf(ours, share),
        peers: { 'amqplib-echo': meanOf(echoes, share) },
      })
      return { p50: sampleOf('p50'), p99: sampleOf('p99') }
    }),
  )

const OF =
  'of opens and closes in turn at 1,000 a second (independent arrivals, latency from the moment a command was due), one ' +
  'command in a message, through RabbitMQ to the trading runner on SQLite and back. Peer `amqplib-echo`: the same messages ' +
  'by amqplib alone.'

/** Latency at a steady rate. */
export const requestReply: Group = {
  name: 'broker/request-reply',
  rows: [
    {
      name: 'broker/request-reply-p50',
      what: `Median ${OF}`,
      unit: 'ms',
      kind: 'core + broker',
      goal: everyRunBelow(3, 'ms'),
    },
    {
      name: 'broker/request-reply-p99',
      what: `99th percentile ${OF}`,
      unit: 'ms',
      kind: 'core + broker',
      goal: everyRunBelow(15, 'ms'),
    },
  ],
  unavailable: brokerUnavailable,
  measure: async () => {
    const { p50, p99 } = await measure()
    return { 'broker/request-reply-p50': p50, 'broker/request-reply-p99': p99 }
  },
}
