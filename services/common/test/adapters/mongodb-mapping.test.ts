import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import mongoose, { Schema } from 'mongoose'
import { failureOf, isDuplicate } from '../../src/adapters/mongodb/failures.ts'
import { judgeMongo, type MongoFacts } from '../../src/adapters/mongodb/preflight.ts'
import { joinWrites, mapModel } from '../../src/adapters/mongodb/view-mapping.ts'
import { fieldCodecOf } from '../../src/adapters/mongodb/view-values.ts'
import { PortError } from '../../src/ports/failure.ts'
import type { ViewValue } from '../../src/ports/views.ts'
import { sampleModel } from '../../src/testkit/contracts/views.contract.ts'
import { viewModels } from '../../src/views/models.ts'

const kindOf = (error: unknown): unknown => (error instanceof PortError ? error.kind : error)

describe('values of views in MongoDB', () => {
  const integer = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n })

  test('integers of any size come back, and their text sorts as they do', () => {
    const codec = fieldCodecOf('BigInt')
    fc.assert(fc.property(integer, (value) => codec.decode(codec.encode(value)) === value))
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        const [left, right] = [codec.encode(a) as string, codec.encode(b) as string]
        return Buffer.compare(Buffer.from(left), Buffer.from(right)) === (a < b ? -1 : a > b ? 1 : 0)
      }),
    )
  })

  test('nested values come back, whatever their keys are called', () => {
    const codec = fieldCodecOf('Mixed')
    const leaf = fc.oneof(integer, fc.string(), fc.boolean(), fc.constant(null), fc.integer())
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('value')),
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$set', '$integer', 'a.b')), tie('value')),
      ),
    }))
    fc.assert(
      fc.property(value, (one) => {
        expect(codec.decode(codec.encode(one as ViewValue))).toEqual(one)
      }),
    )
  })

  test.each([
    ['String', 1n],
    ['Number', '1'],
    ['Number', Number.NaN],
    ['Number', 1n],
    ['BigInt', 1],
    ['Boolean', 0],
  ] as const)('a field of kind %s refuses %p', (instance, value) => {
    expect(() => fieldCodecOf(instance).encode(value)).toThrow(PortError)
    expect(fieldCodecOf(instance).encode(null)).toBeNull()
    expect(fieldCodecOf(instance).decode(undefined)).toBeNull()
  })
})

describe('views as collections', () => {
  test('every model of the platform has a collection of its own, named by its shape', () => {
    const names = viewModels.map((model) => mapModel(model).collection)
    expect(new Set(names).size).toBe(viewModels.length)
    expect(names).toEqual(viewModels.map((model) => mapModel(model).collection))
    const wider = new Schema({
      _id: { type: String, required: true },
      label: { type: String, index: true },
      more: Number,
    })
    const narrow = new Schema({ _id: { type: String, required: true }, label: { type: String, index: true } })
    const collectionOf = (schema: Schema): string => mapModel({ name: 'n', schema }).collection
    expect(collectionOf(wider)).not.toBe(collectionOf(narrow))
  })

  test('a page goes on behind its last document and is bounded by an index', () => {
    const { find } = mapModel(sampleModel)
    const after = { sortValue: 5, id: 'd' }
    const query = { filter: { group: 'g' }, sortBy: 'rank', direction: 'descending', after, limit: 3 } as const
    expect(find(query)).toEqual({
      conditions: [
        { group: { $eq: 'g' } },
        { rank: { $lte: 5 } },
        { $or: [{ rank: { $lt: 5 } }, { _id: { $lt: 'd' } }] },
      ],
      sort: { rank: -1, _id: -1 },
      limit: 3,
    })
  })

  test('what a record does to one document becomes one write', () => {
    const one = (set: Record<string, number>, setOnInsert: Record<string, number> = {}) => ({
      id: 'a',
      set,
      setOnInsert,
    })
    expect(joinWrites([one({ x: 1 }), one({}, { x: 9, y: 9 }), one({ z: 3 })])).toEqual([one({ x: 1, z: 3 })])
    expect(joinWrites([one({}, { x: 1, y: 1 }), one({}, { x: 2 }), one({ y: 5 })])).toEqual([one({ y: 5 }, { x: 1 })])
    expect(joinWrites([one({ x: 1 }), { ...one({ x: 2 }), id: 'b' }])).toHaveLength(2)
  })
})

describe("errors of MongoDB's driver", () => {
  const { mongo } = mongoose
  const server = (code: number, message = 'no') => new mongo.MongoServerError({ message, code })
  const network = (beforeHandshake: boolean) => new mongo.MongoNetworkError('gone', { beforeHandshake })

  test.each([
    ['no connection was made', network(true), 'unavailable', 'unavailable'],
    ['the connection broke', network(false), 'unknown', 'unavailable'],
    [
      'the socket itself broke',
      Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET' }),
      'unknown',
      'unavailable',
    ],
    ['nobody answered in time', new mongo.MongoNetworkTimeoutError('late', {}), 'unknown', 'unavailable'],
    ['a server that is no primary', server(10107), 'unavailable', 'unavailable'],
    ['a primary that stepped down in between', server(189), 'unknown', 'unavailable'],
    ['a majority that did not confirm in time', server(64), 'unknown', 'unavailable'],
    ['a server that shuts down', server(91), 'unknown', 'unavailable'],
    ['wrong credentials', server(18), 'unavailable', 'unavailable'],
    ['too large a document', server(10334), 'full', 'full'],
  ])('%s', (_, error, written, read) => {
    expect([kindOf(failureOf(error, 'it', 'write')), kindOf(failureOf(error, 'it', 'read'))]).toEqual([written, read])
  })

  test('a bug stays a bug, and a refusal of ours stays what it is', () => {
    const bug = Object.assign(new TypeError('x is not a function'), { code: 'ERR_INVALID_ARG_TYPE' })
    expect(failureOf(bug, 'it', 'write')).toBe(bug)
    const refusal = new PortError('corrupt', 'no')
    expect(failureOf(refusal, 'it', 'write')).toBe(refusal)
  })

  test('duplicates are recognised by every server’s code, and nothing else is', () => {
    expect([server(11000), server(1, 'E11000 duplicate key error')].map(isDuplicate)).toEqual([true, true])
    expect([server(1, 'internal error'), server(2), new Error('E11000')].map(isDuplicate)).toEqual([
      false,
      false,
      false,
    ])
  })
})

describe('what a look at MongoDB finds', () => {
  const good: MongoFacts = {
    version: '7.0.14',
    standIn: undefined,
    isReplicated: true,
    isJournaled: true,
    isMajorityJournaled: true,
    majorityFailure: undefined,
    clock: { differenceMs: 100, doubtMs: 1 },
  }
  const codesOf = (facts: Partial<MongoFacts>): string[] =>
    judgeMongo({ ...good, ...facts }, 1_000).map(({ code }) => code)

  test.each<[string, Partial<MongoFacts>, string[]]>([
    ['nothing where all is well', {}, []],
    ['a standalone server', { isReplicated: false }, ['standalone']],
    ['no journal', { isJournaled: false }, ['journaling-off']],
    ['a majority without journals', { isMajorityJournaled: false }, ['majority-not-journaled']],
    ['no majority', { majorityFailure: 'waiting for replication timed out' }, ['majority-unavailable']],
    ['an old server', { version: '5.0.31' }, ['server-too-old']],
    ['an older server', { version: '4.4.0' }, ['server-too-old']],
    ['an unknown version', { version: undefined }, ['server-too-old']],
    ['the oldest that will do', { version: '6.0.0' }, []],
    ['a clock ahead', { clock: { differenceMs: 1_500, doubtMs: 10 } }, ['clocks-apart']],
    ['a clock behind', { clock: { differenceMs: -1_500, doubtMs: 10 } }, ['clocks-apart']],
    ['a clock that may well be right', { clock: { differenceMs: 1_500, doubtMs: 900 } }, []],
    ['a stand-in, of which nothing else is asked', { standIn: 'ferretdb', isReplicated: false }, ['stand-in']],
  ])('%s', (_, facts, codes) => {
    expect(codesOf(facts)).toEqual(codes)
    expect(judgeMongo({ ...good, ...facts }, 1_000).every(({ losesData, remedy }) => losesData && remedy !== '')).toBe(
      true,
    )
  })
})
