import { expect } from '@jest/globals'
import { Schema } from 'mongoose'
import { VIEW_PAGE_MAX, type ViewModel, type ViewQuery, type Views, type ViewWrite } from '../../ports/views.ts'
import { withViewFaults } from '../faults/ports.ts'
import { describeContract, expectFailure, type Define, type Opened, type Subject } from './scenario.ts'

interface Sample {
  readonly _id: string
  readonly group: string
  readonly amount: bigint | null
  readonly rank: number
  readonly flag: boolean
  readonly note: string | null
  readonly nested: unknown
}

const text = { type: String, default: null } as const

/** A model with every kind of field; the subject opens its views with it. */
export const sampleModel: ViewModel<Sample> = {
  name: 'contractsamples',
  schema: new Schema({
    _id: { type: String, required: true },
    group: { ...text, index: true },
    amount: { type: BigInt, default: null, index: true },
    rank: { type: Number, index: true },
    flag: Boolean,
    note: text,
    nested: Schema.Types.Mixed,
  }),
}

/** A second model, so that one can be cleared without the other. */
export const otherModel: ViewModel<{ readonly _id: string; readonly label: string }> = {
  name: 'contractothers',
  schema: new Schema({ _id: { type: String, required: true }, label: { ...text, index: true } }),
}

const PARTITION = 0x01000007
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
const query = (part: Partial<ViewQuery>): ViewQuery => ({
  filter: {},
  sortBy: '_id',
  direction: 'ascending',
  limit: 100,
  ...part,
})
const digits = (index: number): string => String(index).padStart(4, '0')

type World = Parameters<Parameters<Define<Views, Opened<Views>>>[1]>[0]

const project = (
  { port, call }: World,
  sequence: bigint,
  writes: readonly ViewWrite[],
  projection = 'samples',
): Promise<void> => call(() => port.project(projection, PARTITION, sequence, writes))
const get = ({ port, call }: World, id: string): Promise<Sample | null> => call(() => port.get(sampleModel, id))
const idsOf = async ({ port, call }: World, part: Partial<ViewQuery>): Promise<string[]> =>
  (await call(() => port.find(sampleModel, query(part)))).map(({ _id }) => _id)

const projecting = (define: Define<Views, Opened<Views>>): void => {
  define(
    'V1 merge sets the given fields and leaves the others, insert does nothing to what is there',
    async (world) => {
      await project(world, 1n, [
        merge('a', { group: 'g', rank: 1, note: 'first' }),
        insert('b', { group: 'g', rank: 2 }),
      ])
      await project(world, 2n, [
        merge('a', { rank: 5 }),
        insert('b', { rank: 9, note: 'ignored' }),
        merge('a', { flag: true }),
      ])
      expect(await get(world, 'a')).toMatchObject({ _id: 'a', group: 'g', rank: 5, note: 'first', flag: true })
      const untouched = await get(world, 'b')
      expect(untouched).toMatchObject({ group: 'g', rank: 2 })
      expect(untouched?.note ?? null).toBeNull()
    },
  )

  define('V1 projecting the same or an older record again leaves the same documents', async (world) => {
    await project(world, 1n, [merge('a', { rank: 1 })])
    await project(world, 2n, [merge('a', { rank: 2 })])
    const before = await get(world, 'a')
    await project(world, 2n, [merge('a', { rank: 2 })])
    await project(world, 1n, [merge('a', { rank: 1 })])
    expect(await get(world, 'a')).toEqual(before)
    expect(await world.call(() => world.port.cursor('samples', PARTITION))).toBe(2n)
  })

  define('V2 the cursor is never ahead of the documents, however a projection ends', async (world) => {
    const { port, call } = world
    for (let sequence = 1n; sequence <= 40n; sequence++) {
      const writes = [
        merge(`x${sequence}`, { rank: Number(sequence) }),
        merge(`y${sequence}`, { rank: Number(sequence) }),
      ]
      // Not repeated: a later one goes on after it, as after a crash.
      await port.project('samples', PARTITION, sequence, writes).catch(() => undefined)
      if ((await call(() => port.cursor('samples', PARTITION))) < sequence) await project(world, sequence, writes)
      expect(await get(world, `x${sequence}`)).not.toBeNull()
      expect(await get(world, `y${sequence}`)).not.toBeNull()
    }
  })

  define('V2 a projection that is refused moves no cursor and writes nothing', async (world) => {
    await expectFailure('corrupt', () => project(world, 1n, [merge('a', { rank: 1 }), merge('b', { unknown: 1 })]))
    expect(await world.call(() => world.port.cursor('samples', PARTITION))).toBe(0n)
    expect(await get(world, 'a')).toBeNull()
  })

  define('V3 cursors are kept per projection and partition, 64 bits wide', async (world) => {
    const { port, call } = world
    expect(await call(() => port.cursor('samples', PARTITION))).toBe(0n)
    await project(world, 2n ** 62n, [])
    await call(() => port.project('others', PARTITION, 3n, []))
    await call(() => port.project('samples', PARTITION + 1, 4n, []))
    const reopened = world.harness.reopen === undefined ? port : await world.reopen()
    expect(await call(() => reopened.cursor('samples', PARTITION))).toBe(2n ** 62n)
    expect(await call(() => reopened.cursor('others', PARTITION))).toBe(3n)
    expect(await call(() => reopened.cursor('samples', PARTITION + 1))).toBe(4n)
  })

  define('V8 clear removes the given models and the cursors of the projection, nothing else', async (world) => {
    const { port, call } = world
    await project(world, 5n, [merge('a', { rank: 1 })])
    const other: ViewWrite = { kind: 'merge', model: otherModel, id: 'o', fields: { label: 'l' } }
    await call(() => port.project('others', PARTITION, 6n, [other]))
    await call(() => port.clear('samples', [sampleModel]))
    expect(await get(world, 'a')).toBeNull()
    expect(await call(() => port.cursor('samples', PARTITION))).toBe(0n)
    expect(await call(() => port.get(otherModel, 'o'))).toMatchObject({ label: 'l' })
    expect(await call(() => port.cursor('others', PARTITION))).toBe(6n)
    await project(world, 1n, [merge('a', { rank: 7 })])
    expect(await get(world, 'a')).toMatchObject({ rank: 7 })
  })
}

const values = (define: Define<Views, Opened<Views>>): void => {
  const wide = [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 10n ** 20n - 1n, -(10n ** 20n) + 1n, 10n ** 30n]
  const integers = [0n, 1n, -1n, 10n, -10n, 99n, ...wide]

  define('V5 integers of any size, text of any script, null, booleans and nested values round-trip', async (world) => {
    const nested = { list: [1n, 'two', null, { $integer: '3', deep: -(10n ** 25n) }], $dollar: true }
    const note = 'Grüße, 你好, 😀 \u0000 "quoted" \\ and\nlines'
    await project(world, 1n, [
      ...integers.map((amount, index) => merge(`i${index}`, { amount })),
      merge('t', { note, nested, flag: false, rank: 0.1, amount: null }),
    ])
    for (const [index, amount] of integers.entries()) expect((await get(world, `i${index}`))?.amount).toBe(amount)
    expect(await get(world, 't')).toMatchObject({ note, nested, flag: false, rank: 0.1, amount: null })
  })

  define('V5 integers sort and compare as numbers, not as text', async (world) => {
    const { port, call } = world
    await project(
      world,
      1n,
      integers.map((amount, index) => merge(`i${digits(index)}`, { group: 'g', amount })),
    )
    const sorted = await call(() => port.find(sampleModel, query({ filter: { group: 'g' }, sortBy: 'amount' })))
    expect(sorted.map(({ amount }) => amount)).toEqual([...integers].sort((a, b) => (a < b ? -1 : 1)))
    const between = query({ filter: { amount: { gt: 1n, lte: 2n ** 63n - 1n } }, sortBy: 'amount' })
    const above = await call(() => port.find(sampleModel, between))
    expect(above.map(({ amount }) => amount)).toEqual([10n, 99n, 2n ** 53n + 1n, 2n ** 63n - 1n])
  })
}

const finding = (define: Define<Views, Opened<Views>>): void => {
  define(
    'V4 walking pages sees each document once that was there all the while, in either direction',
    async (world) => {
      const { port, call } = world
      const early = Array.from({ length: 25 }, (_, index) => `d${digits(index)}`)
      // Many share a rank: the id decides among them.
      await project(
        world,
        1n,
        early.map((id, index) => merge(id, { group: 'g', rank: index % 4 })),
      )
      for (const direction of ['ascending', 'descending'] as const) {
        const seen: string[] = []
        let after: ViewQuery['after']
        let sequence = direction === 'ascending' ? 100n : 200n
        for (;;) {
          const base = query({ filter: { group: 'g' }, sortBy: 'rank', direction, limit: 7 })
          const page = await call(() => port.find(sampleModel, after === undefined ? base : { ...base, after }))
          seen.push(...page.map(({ _id }) => _id))
          const last = page.at(-1)
          if (last === undefined) break
          after = { sortValue: last.rank, id: last._id }
          sequence += 1n
          await project(world, sequence, [merge(`new${sequence}`, { group: 'g', rank: Number(sequence % 4n) })])
        }
        expect(new Set(seen).size).toBe(seen.length)
        expect(early.filter((id) => !seen.includes(id))).toEqual([])
      }
    },
  )

  define('V4 filters: equality, null, lists, ranges', async (world) => {
    await project(world, 1n, [
      merge('a', { group: 'x', rank: 1, amount: 5n }),
      merge('b', { group: 'x', rank: 2, amount: null }),
      merge('c', { group: 'y', rank: 3, amount: 7n }),
      merge('d', { group: 'z', rank: 4, amount: 8n }),
    ])
    expect(await idsOf(world, { filter: { group: 'x' } })).toEqual(['a', 'b'])
    expect(await idsOf(world, { filter: { group: { in: ['x', 'z'] } } })).toEqual(['a', 'b', 'd'])
    expect(await idsOf(world, { filter: { group: { in: [] } } })).toEqual([])
    expect(await idsOf(world, { filter: { rank: { gte: 2, lt: 4 } } })).toEqual(['b', 'c'])
    expect(await idsOf(world, { filter: { amount: null } })).toEqual(['b'])
    expect(await idsOf(world, { filter: { group: 'x', rank: { gt: 1 } } })).toEqual(['b'])
    expect(await idsOf(world, { filter: { _id: { in: ['c', 'a'] } }, direction: 'descending' })).toEqual(['c', 'a'])
    expect(await idsOf(world, { filter: {}, sortBy: 'rank', direction: 'descending', limit: 2 })).toEqual(['d', 'c'])
  })

  define('V6 get and find see every project that had resolved', async (world) => {
    expect(await get(world, 'a')).toBeNull()
    for (let sequence = 1n; sequence <= 20n; sequence++) {
      await project(world, sequence, [merge('a', { group: 'g', rank: Number(sequence) })])
      expect((await get(world, 'a'))?.rank).toBe(Number(sequence))
      expect(await idsOf(world, { filter: { rank: Number(sequence) } })).toEqual(['a'])
    }
  })

  define('V7 fields the schema does not name, and filters and sorts without an index, are refused', async (world) => {
    await expectFailure('corrupt', () => project(world, 1n, [merge('a', { nowhere: 1 })]))
    await expectFailure('corrupt', () => project(world, 1n, [insert('a', { nowhere: 1 })]))
    await expectFailure('corrupt', () => idsOf(world, { filter: { note: 'n' } }))
    await expectFailure('corrupt', () => idsOf(world, { filter: { nowhere: 'n' } }))
    await expectFailure('corrupt', () => idsOf(world, { sortBy: 'note' }))
  })

  define('V7 a value of another kind than its field is refused', async (world) => {
    await expectFailure('corrupt', () => project(world, 1n, [merge('a', { amount: 'ten' })]))
    await expectFailure('corrupt', () => project(world, 1n, [merge('a', { rank: 10n })]))
    await expectFailure('corrupt', () => project(world, 1n, [merge('a', { note: 3 })]))
  })

  define('V9 a page is at most VIEW_PAGE_MAX', async (world) => {
    await expectFailure('corrupt', () => idsOf(world, { limit: VIEW_PAGE_MAX + 1 }))
    expect(await idsOf(world, { limit: VIEW_PAGE_MAX })).toEqual([])
  })

  define('V10 calls after close fail closed', async (world) => {
    await world.harness.port.close()
    await world.harness.port.close()
    await expectFailure('closed', () => project(world, 1n, []))
    await expectFailure('closed', () => get(world, 'a'))
    await expectFailure('closed', () => idsOf(world, {}))
    await expectFailure('closed', () => world.call(() => world.port.cursor('samples', PARTITION)))
    await expectFailure('closed', () => world.call(() => world.port.clear('samples', [])))
  })
}

/** The Views contract. The subject opens the views with `sampleModel` and `otherModel`. */
export const viewsContract = (subject: Subject<Opened<Views>>): void =>
  describeContract(subject, withViewFaults, (define) => {
    projecting(define)
    values(define)
    finding(define)
  })
