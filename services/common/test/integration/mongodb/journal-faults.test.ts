import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import {
  ANSWER_MS_MAX,
  CONNECT_MS_MAX,
  SERVER_SELECTION_MS_MAX,
  type MongoConnection,
} from '../../../src/adapters/mongodb/connection.ts'
import { createMongoJournalReader, openMongoJournal } from '../../../src/adapters/mongodb/journal.ts'
import { encodeSegment } from '../../../src/kernel/archive-codec.ts'
import { appendRecord, type AppendVerdict } from '../../../src/kernel/appender.ts'
import { partitionNumber } from '../../../src/kernel/partition.ts'
import { RECORD_BYTES_MAX, type ArchiveSegment, type Journal, type StoredRecord } from '../../../src/ports/journal.ts'
import { expectFailure, pause, persist, until } from '../../../src/testkit/contracts/scenario.ts'
import { startProxy, type Proxy } from '../../../src/testkit/servers/proxy.ts'
import { clock, connect, connectAgain, discard } from './support.ts'
import { describeOnMongo, type SharedServer } from './subjects.ts'

const HERE = partitionNumber('trading', 0, 1)

const recordOf = (sequence: bigint, body: Uint8Array): StoredRecord => ({
  sequence,
  body,
  hash: Uint8Array.from(createHash('sha256').update(body).digest()),
})
const record = (sequence: bigint, who: string): StoredRecord => recordOf(sequence, Buffer.from(`${who} at ${sequence}`))
const readAll = async (journal: Pick<Journal, 'readFrom'>, from = 1n): Promise<StoredRecord[]> => {
  const records: StoredRecord[] = []
  for await (const next of journal.readFrom(HERE, from)) records.push(next)
  return records
}
const textsOf = (records: readonly StoredRecord[]): string[] => records.map(({ body }) => Buffer.from(body).toString())

/** Appends as the kernel does; what it gives up is taken up again once the server answers. */
const appendForSure = async (journal: Journal, wanted: StoredRecord, retried: unknown[]): Promise<AppendVerdict> => {
  for (;;) {
    const deps = { journal, clock, onRetry: (error: unknown) => void retried.push(error) }
    const verdict = await appendRecord(deps, HERE, wanted)
    if (verdict !== 'failed') return verdict
    await persist(() => journal.head(HERE))
  }
}

const racing = (server: SharedServer): void => {
  test(
    'two writers race for every sequence: each has one winner, and each writer knows which',
    async () => {
      const first = await connect(server.current())
      const second = await connectAgain(server.current(), first)
      const writers = [
        { name: 'one', journal: await openMongoJournal(first), won: 0 },
        { name: 'two', journal: await openMongoJournal(second), won: 0 },
      ]
      for (let sequence = 1n; sequence <= 100n; sequence++) {
        const results = await Promise.all(
          writers.map(({ name, journal }) => journal.append(HERE, record(sequence, name))),
        )
        expect([...results].sort()).toEqual(['appended', 'taken'])
        const winner = writers[results.indexOf('appended')]!
        winner.won += 1
        const there = await writers[0]!.journal.read(HERE, sequence)
        expect(Buffer.from(there!.body).toString()).toBe(`${winner.name} at ${sequence}`)
      }
      expect(writers[0]!.won + writers[1]!.won).toBe(100)
      await second.close()
      await discard(first)
    },
    TEST_MS_MAX,
  )

  test('a writer that slept while its place was archived and removed does not take it again', async () => {
    const first = await connect(server.current())
    const second = await connectAgain(server.current(), first)
    const [sleeper, other] = [await openMongoJournal(first), await openMongoJournal(second)]
    expect(await sleeper.append(HERE, record(1n, 'sleeper'))).toBe('appended')
    for (let sequence = 2n; sequence <= 5n; sequence++) await other.append(HERE, record(sequence, 'other'))
    await other.archive(HERE, await encodeSegment(await readAll(other), null))
    await other.removeThrough(HERE, 5n)
    // To the server the place is free.
    expect(await sleeper.append(HERE, record(2n, 'sleeper'))).toBe('taken')
    const expected = ['sleeper at 1', 'other at 2', 'other at 3', 'other at 4', 'other at 5']
    expect(textsOf(await readAll(sleeper))).toEqual(expected)
    // Also when it died between the insert and the look at the archive: nobody sees what it left.
    await first.database
      .collection(`journal_${HERE}`)
      .insertOne({ ...record(3n, 'left behind'), _id: 3n as never, size: 1 })
    expect(textsOf(await readAll(sleeper))).toEqual(expected)
    expect(Buffer.from((await sleeper.read(HERE, 3n))!.body).toString()).toBe('other at 3')
    expect((await sleeper.head(HERE))?.sequence).toBe(5n)
    expect(await sleeper.append(HERE, record(6n, 'sleeper'))).toBe('appended')
    await second.close()
    await discard(first)
  })

  test('who only reads leaves the database as it is, and reads what there is', async () => {
    const connection = await connect(server.current())
    const reader = createMongoJournalReader(connection)
    expect(await readAll(reader)).toEqual([])
    expect(await connection.database.listCollections().toArray()).toEqual([])
    const journal = await openMongoJournal(connection)
    for (let sequence = 1n; sequence <= 4n; sequence++) await journal.append(HERE, record(sequence, 'one'))
    await journal.archive(HERE, await encodeSegment((await readAll(journal)).slice(0, 2), null))
    await journal.removeThrough(HERE, 2n)
    expect(textsOf(await readAll(reader, 2n))).toEqual(['one at 2', 'one at 3', 'one at 4'])
    await discard(connection)
  })

  test('an archive that has lost a segment is told as damaged, to who reads across the hole too', async () => {
    const connection = await connect(server.current())
    const journal = await openMongoJournal(connection)
    for (let sequence = 1n; sequence <= 6n; sequence++) await journal.append(HERE, record(sequence, 'one'))
    const all = await readAll(journal)
    let previous: ArchiveSegment | null = null
    for (let first = 0; first < 6; first += 2) {
      previous = await encodeSegment(all.slice(first, first + 2), previous)
      await journal.archive(HERE, previous)
    }
    await journal.removeThrough(HERE, 6n)
    expect(textsOf(await readAll(journal))).toEqual(textsOf(all))
    await connection.database.collection('journal_segments').deleteOne({ first: 3n })
    await expectFailure('corrupt', () => readAll(journal))
    await expectFailure('corrupt', () => readAll(journal, 4n))
    expect(textsOf(await readAll(journal, 5n))).toEqual(['one at 5', 'one at 6'])
    await discard(connection)
  })
}

/** Not on FerretDB: it takes seconds for a document of 8 MB. */
const storingLarge = (server: SharedServer): void => {
  test(
    'records of the largest size are stored, streamed one page each, and survive in an archive of many chunks',
    async () => {
      const connection = await connect(server.current())
      const journal = await openMongoJournal(connection)
      const bodies = [7, 11, 13].map((salt) => {
        const body = new Uint8Array(RECORD_BYTES_MAX)
        // Not to be compressed away.
        for (let at = 0; at < body.length; at += 32) {
          body.set(createHash('sha256').update(`${salt} ${at}`).digest(), at)
        }
        return body
      })
      const records = bodies.map((body, index) => recordOf(BigInt(index + 1), body))
      for (const one of records) expect(await journal.append(HERE, one)).toBe('appended')
      const isSame = (found: readonly StoredRecord[]): boolean =>
        found.length === 3 && found.every(({ body }, index) => Buffer.compare(body, bodies[index]!) === 0)
      expect(isSame(await readAll(journal))).toBe(true)
      const segment = await encodeSegment(records, null)
      expect(segment.bytes.length).toBeGreaterThan(16 * 1024 * 1024)
      await journal.archive(HERE, segment)
      await journal.archive(HERE, segment)
      await journal.removeThrough(HERE, 3n)
      expect(isSame(await readAll(journal))).toBe(true)
      const chunks = await connection.database
        .collection('journal_segment_chunks')
        .find({}, { projection: { _id: 1 } })
        .toArray()
      expect(chunks).toHaveLength(Math.ceil(segment.bytes.length / (8 * 1024 * 1024)))
      await discard(connection)
    },
    TEST_MS_MAX,
  )
}

/** Of tests that take seconds already where all is quiet. */
const TEST_MS_MAX = 400_000
/** As in production. */
const AS_USUAL = {
  answerMsMax: ANSWER_MS_MAX,
  serverSelectionMsMax: SERVER_SELECTION_MS_MAX,
  connectMsMax: CONNECT_MS_MAX,
} as const
const HASTY = { answerMsMax: 300, serverSelectionMsMax: 1_000, connectMsMax: CONNECT_MS_MAX } as const
/** Answers that are lost in the one test of that. */
const LOST_ANSWERS = 4

/** Faults between us and the server. */
const losing = (server: SharedServer): void => {
  let direct: MongoConnection
  let proxy: Proxy
  let through: MongoConnection
  let journal: Journal
  beforeEach(async () => {
    direct = await connect(server.current())
    const port = Number(new URL(server.current().url).port)
    proxy = await startProxy({ port })
    const url = proxy.urlOf(server.current().urlOf(direct.database.databaseName))
    // A busy machine may take longer than these limits: what is only made ready is tried again.
    through = await persist(() => connect(server.current(), { url, ...HASTY }))
    journal = await persist(() => openMongoJournal(through))
  })
  afterEach(async () => {
    await through.close()
    await proxy.stop()
    await discard(direct)
  })

  test(
    'an answer that is lost after the write is unknown, and the kernel settles it by reading back',
    async () => {
      const there = await openMongoJournal(direct)
      let [sequence, lost] = [0n, 0]
      while (lost < LOST_ANSWERS) {
        sequence += 1n
        const retried: unknown[] = []
        const isToBeLost = sequence % 5n === 0n
        if (isToBeLost) proxy.blackHole('back')
        const done = appendForSure(journal, record(sequence, 'writer'), retried)
        let isWritten = false
        if (isToBeLost) {
          // The server has it while nobody hears of it. With no connection at hand just then the record never leaves: the next
          // round is to lose an answer.
          await until(async () => {
            isWritten = (await there.read(HERE, sequence)) !== null
            return isWritten || retried.length > 0
          })
          // The answer may still be on its way to the proxy, where it must not pass.
          proxy.cut()
          proxy.heal()
        }
        expect(await done).toBe('confirmed')
        if (!isWritten) continue
        lost += 1
        expect(retried.map((error) => (error as { kind?: string }).kind)).toContain('unknown')
      }
      const stored = textsOf(await readAll(there))
      expect(stored).toEqual(Array.from({ length: Number(sequence) }, (_, index) => `writer at ${index + 1}`))
    },
    TEST_MS_MAX,
  )

  test('a lost answer in whose place another wrote deposes the writer', async () => {
    await appendForSure(journal, record(1n, 'writer'), [])
    proxy.blackHole('forth')
    const done = appendForSure(journal, record(2n, 'writer'), [])
    expect(await (await openMongoJournal(direct)).append(HERE, record(2n, 'other'))).toBe('appended')
    await until(() => proxy.counts().swallowed.forth > 0)
    proxy.heal()
    expect(await done).toBe('deposed')
  })

  test('nobody there: unavailable, in time, and all is well once the server is back', async () => {
    await until(() => through.isConnected())
    // The driver's own is half a minute.
    expect(through.mongoose.getClient().options.serverSelectionTimeoutMS).toBe(1_000)
    proxy.refuse()
    await expectFailure('unavailable', () => journal.read(HERE, 1n))
    // The driver's monitor hears of it a moment after the call.
    await until(() => !through.isConnected())
    proxy.heal()
    expect(await appendForSure(journal, record(1n, 'writer'), [])).toBe('confirmed')
    await until(() => through.isConnected())
    await through.close()
    expect(through.isConnected()).toBe(false)
    await expectFailure('closed', () => journal.read(HERE, 1n))
  })
}

describeOnMongo('mongod', 'the journal among rivals', (server) => {
  racing(server)
  storingLarge(server)
})

describeOnMongo('mongo-memory', 'the journal among rivals and faults', (server) => {
  racing(server)
  storingLarge(server)
  losing(server)
})

describeOnMongo('ferretdb', 'the journal among rivals and faults', (server) => {
  racing(server)

  test(
    'the server is killed and started again under appends: nothing acknowledged is lost or doubled',
    async () => {
      const connection = await connect(server.current(), AS_USUAL)
      const journal = await openMongoJournal(connection)
      const retried: unknown[] = []
      let isWriting = true
      let kills = 0
      const killing = (async () => {
        while (isWriting && kills < 4) {
          await pause(150)
          await server.current().kill()
          await pause(100)
          await server.current().start()
          kills += 1
          await pause(400)
        }
      })()
      const acknowledged: string[] = []
      for (let sequence = 1n; kills < 3 || sequence <= 200n; sequence++) {
        const wanted = record(sequence, `writer of ${kills}`)
        expect(await appendForSure(journal, wanted, retried)).toBe('confirmed')
        acknowledged.push(Buffer.from(wanted.body).toString())
      }
      isWriting = false
      await killing
      expect(kills).toBeGreaterThanOrEqual(3)
      expect(retried.length).toBeGreaterThan(0)
      const again = await connectAgain(server.current(), connection)
      expect(textsOf(await readAll(await openMongoJournal(again)))).toEqual(acknowledged)
      await again.close()
      await discard(connection)
    },
    TEST_MS_MAX,
  )
})
