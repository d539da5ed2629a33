import { randomBytes } from 'node:crypto'
import mongoose from 'mongoose'
import {
  mongoLabel,
  mongoMissing,
  startMongo,
  type MongoKind,
  type MongoServer,
} from '@bourse/common/testkit/servers/mongodb.ts'
import { ratioAtLeast } from '../../goals.ts'
import type { Group, Sample } from '../../row.ts'
import { withFolder } from '../fsync/folder.ts'
import { brokerUnavailable, withBroker } from './support/broker.ts'
import { openBenchBus, startProducer, type Producer } from './support/producer.ts'
import { startShards, type Shards, type Written } from './support/shards.ts'

const SLICE = 65_536
const WINDOW = 16_384
const ROUNDS = 3
const BARE_SLICE_MS = 600
/** Documents of one size that take turns: the same bytes would stay in every cache. */
const BODIES = 8

/** What `startMongo` will take, for the row's text: a stand-in proves no speed of MongoDB. */
const servers: readonly MongoKind[] = ['given', 'mongod', 'mongo-memory', 'ferretdb']
const server = servers.find((kind) => mongoMissing(kind) === undefined)
const isStandIn = server === 'mongo-memory' || server === 'ferretdb'

/** Why the rows on MongoDB can't be measured here, or null. */
export const mongoUnavailable = async (): Promise<string | null> =>
  (await brokerUnavailable()) ?? mongoMissing() ?? null

/** The server that is measured, for the text of a row. */
export const mongoText =
  `${server === undefined ? 'MongoDB' : mongoLabel(server)}` +
  (isStandIn ? ', in place of a server that is not to be had here: this says nothing about the speed of MongoDB' : '')

/** Runs a task with a database of its own on a private server, or on the one that was given. */
export const withMongo = async <Value>(task: (url: string) => Promise<Value>): Promise<Value> => {
  const running: MongoServer = await startMongo()
  const name = `bourse_bench_${randomBytes(6).toString('hex')}`
  try {
    return await task(running.urlOf(name))
  } finally {
    if (running.kind === 'given') {
      const client = new mongoose.mongo.MongoClient(running.url)
      await client.db(name).dropDatabase()
      await client.close()
    }
    await running.stop()
  }
}

/** The peer `bare-insert`: the driver's insertOne of documents of this size, one after the other, confirmed as ours are. */
const openBareInsert = async (url: string, bodyBytes: number) => {
  const client = await new mongoose.mongo.MongoClient(url, { noDelay: true, retryWrites: false }).connect()
  const collection = client
    .db()
    .collection<{ readonly _id: bigint }>('bare_insert', { writeConcern: { w: 'majority', journal: true } })
  const { Binary } = mongoose.mongo
  const bodies = Array.from({ length: BODIES }, () => new Binary(randomBytes(bodyBytes)))
  const hash = new Binary(randomBytes(32))
  let sequence = 0n
  return {
    /** Inserts for about so long; ms for each. */
    work: async (durationMs: number): Promise<number> => {
      const startMs = performance.now()
      const first = sequence
      while (performance.now() - startMs < durationMs) {
        sequence += 1n
        const body = bodies[Number(sequence % BigInt(BODIES))]!
        const document = { _id: sequence, hash, body, size: bodyBytes }
        await collection.insertOne(document)
      }
      return (performance.now() - startMs) / Number(sequence - first)
    },
    close: () => client.close(),
  }
}

const compareWithInserts = async (url: string, shards: Shards, producer: Producer): Promise<Sample> => {
  await producer.orderMix(SLICE, WINDOW)
  const before: Written = await shards.written()
  await producer.orderMix(SLICE, WINDOW)
  const after: Written = await shards.written()
  const records = after.records - before.records
  const commandsPerRecord = (after.commands - before.commands) / records
  const bare = await openBareInsert(url, Math.round((after.bytes - before.bytes) / records))
  await bare.work(BARE_SLICE_MS)
  let ownMs = 0
  let insertMs = 0
  for (let round = 0; round < ROUNDS; round++) {
    ownMs += await producer.orderMix(SLICE, WINDOW)
    insertMs += await bare.work(BARE_SLICE_MS)
  }
  await bare.close()
  return {
    value: (1_000 * ROUNDS * SLICE) / ownMs,
    peers: { 'bare-insert': (1_000 * ROUNDS * commandsPerRecord) / insertMs },
  }
}

const measure = (): Promise<Sample> =>
  withFolder((folder) =>
    withBroker((brokerUrl) =>
      withMongo(async (mongodb) => {
        const packing = 'packed'
        const shards = await startShards({
          ...{ brokerUrl, packing, folder, shards: 1, journal: { mongodb }, room: 'throughput' },
        })
        await shards.acquire(0)
        const bus = await openBenchBus(brokerUrl, packing)
        const sample = await compareWithInserts(mongodb, shards, await startProducer(brokerUrl, bus))
        await bus.close()
        await shards.stop()
        return sample
      }),
    ),
  )

/** The journal on MongoDB or what stands in for it. */
export const tradingMongodb: Group = {
  name: 'broker/trading-mongodb',
  rows: [
    {
      name: 'broker/trading-mongodb',
      what:
        `Opens and closes in turn at 100,000 open trades, ${WINDOW} on their way at a time, packed, from a producer in a ` +
        `process of its own through RabbitMQ to the kernel’s runner with the journal on ${mongoText}. Peer \`bare-insert\`: ` +
        'the driver’s insertOne of as large documents, one after the other as the journal must, each counted as as many ' +
        'commands; no broker, no machine, no check.',
      unit: 'commands/s',
      kind: 'core + broker',
      goal: ratioAtLeast('bare-insert', 0.5),
    },
  ],
  unavailable: mongoUnavailable,
  measure: async () => ({ 'broker/trading-mongodb': await measure() }),
}
