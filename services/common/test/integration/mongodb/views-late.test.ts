import { expect, test } from '@jest/globals'
import { openMongoViews } from '../../../src/adapters/mongodb/views.ts'
import type { ViewWrite } from '../../../src/ports/views.ts'
import { otherModel, sampleModel } from '../../../src/testkit/contracts/views.contract.ts'
import { connect, connectAgain, discard } from './support.ts'
import { describeOnMongo, type SharedServer } from './subjects.ts'

const models = [sampleModel, otherModel]
const PARTITION = 0x01000001
const merge = (id: string, fields: ViewWrite['fields']): ViewWrite => ({
  kind: 'merge',
  model: sampleModel,
  id,
  fields,
})
const insert = (id: string, fields: ViewWrite['fields']): ViewWrite => ({
  kind: 'insert',
  model: sampleModel,
  id,
  fields,
})

const folders = async (server: SharedServer) => {
  const first = await connect(server.current())
  const second = await connectAgain(server.current(), first)
  return {
    one: await openMongoViews(first, { models }),
    two: await openMongoViews(second, { models }),
    first,
    end: async () => {
      await second.close()
      await discard(first)
    },
  }
}

const late = (server: SharedServer): void => {
  test('a folder that is late undoes nothing of a newer record, in no document, and no cursor goes back', async () => {
    const { one, two, end } = await folders(server)
    await one.project('p', PARTITION, 1n, [insert('a', { rank: 1 }), insert('b', { rank: 1 })])
    await two.project('p', PARTITION, 2n, [merge('a', { rank: 2, note: 'two' }), merge('c', { rank: 2 })])
    await two.project('p', PARTITION, 3n, [merge('a', { rank: 3 })])
    // Deposed long ago, it comes with what it had folded.
    await one.project('p', PARTITION, 1n, [insert('a', { rank: 1 }), insert('b', { rank: 1 })])
    await one.project('p', PARTITION, 2n, [merge('a', { rank: 2, note: 'two' }), merge('c', { rank: 2 })])
    expect(await one.get(sampleModel, 'a')).toMatchObject({ rank: 3, note: 'two' })
    expect(await one.get(sampleModel, 'b')).toMatchObject({ rank: 1 })
    expect(await one.get(sampleModel, 'c')).toMatchObject({ rank: 2 })
    expect(await one.cursor('p', PARTITION)).toBe(3n)
    await end()
  })

  test('a record that was half written before a crash is written whole when it comes again', async () => {
    const { one, two, first, end } = await folders(server)
    const writes = [merge('a', { rank: 5 }), insert('b', { rank: 5 }), merge('b', { note: 'n' })]
    await one.project('p', PARTITION, 4n, [insert('a', { rank: 4, group: 'g' })])
    // Documents before the cursor: only one of them was written.
    await one.project('p', PARTITION, 5n, writes.slice(0, 1))
    for (const { name } of await first.database.listCollections({}, { nameOnly: true }).toArray()) {
      if (!name.startsWith('view_cursors_')) continue
      await first.database.collection(name).updateMany({}, { $set: { sequence: 4n } })
    }
    expect(await two.cursor('p', PARTITION)).toBe(4n)
    await two.project('p', PARTITION, 5n, writes)
    expect(await two.get(sampleModel, 'a')).toMatchObject({ rank: 5, group: 'g' })
    expect(await two.get(sampleModel, 'b')).toMatchObject({ rank: 5, note: 'n' })
    expect(await two.cursor('p', PARTITION)).toBe(5n)
    await end()
  })

  test('many folders of the same records at once leave what one leaves', async () => {
    const { one, two, end } = await folders(server)
    const writesOf = (sequence: bigint): ViewWrite[] => [
      merge('shared', { rank: Number(sequence), amount: 10n ** 20n * sequence }),
      insert(`own${sequence}`, { rank: Number(sequence) }),
      ...(sequence > 1n ? [merge(`own${sequence - 1n}`, { note: `closed by ${sequence}` })] : []),
    ]
    const fold = async (views: typeof one, pauseEvery: bigint): Promise<void> => {
      for (let sequence = 1n; sequence <= 40n; sequence++) {
        await views.project('p', PARTITION, sequence, writesOf(sequence))
        if (sequence % pauseEvery === 0n) await new Promise((resolve) => setTimeout(resolve, 3))
      }
    }
    await Promise.all([fold(one, 3n), fold(two, 5n), fold(one, 7n), fold(two, 2n)])
    expect(await one.get(sampleModel, 'shared')).toMatchObject({ rank: 40, amount: 40n * 10n ** 20n })
    for (let sequence = 1; sequence < 40; sequence++) {
      expect(await two.get(sampleModel, `own${sequence}`)).toMatchObject({
        rank: sequence,
        note: `closed by ${sequence + 1}`,
      })
    }
    expect(await two.cursor('p', PARTITION)).toBe(40n)
    await end()
  })

  test('records of another partition and another projection are not measured against each other', async () => {
    const { one, end } = await folders(server)
    await one.project('p', PARTITION, 9n, [merge('a', { rank: 9 })])
    await one.project('p', PARTITION + 1, 2n, [merge('a', { note: 'other partition' })])
    expect(await one.get(sampleModel, 'a')).toMatchObject({ rank: 9, note: 'other partition' })
    await one.project('q', PARTITION, 1n, [merge('a', { rank: 1 })])
    expect(await one.get(sampleModel, 'a')).toMatchObject({ rank: 1 })
    await end()
  })
}

for (const kind of ['mongod', 'mongo-memory', 'ferretdb'] as const) {
  describeOnMongo(kind, 'views with several folders', late)
}
