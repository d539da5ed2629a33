import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import mongoose from 'mongoose'
import { columnCodecOf } from '@bourse/common/adapters/embedded/view-values.ts'
import { mapModel } from '@bourse/common/adapters/embedded/view-mapping.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { ViewModel, ViewValue } from '@bourse/common/ports/views.ts'
import { fuzzed, readOnce } from '@bourse/common/testkit/fuzz.ts'

interface Probe {
  readonly _id: string
  readonly text: string | null
  readonly count: number | null
  readonly amount: bigint | null
  readonly done: boolean | null
  readonly rest: ViewValue
}

const schema = new mongoose.Schema({
  _id: String,
  text: { type: String, index: true },
  count: { type: Number, index: true },
  amount: { type: BigInt, index: true },
  done: { type: Boolean, index: true },
  rest: {},
})
const model = { name: 'probe', schema } as unknown as ViewModel<Probe>

/** UTF-8 carries no lone halves of a pair. */
const texts = fc.string({ unit: 'binary', maxLength: 40 })
const wholes = fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n })
const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value))
const keys = fc
  .oneof(texts, fc.constantFrom('$integer', '$$integer', '$', 'a.b', 'constructor'))
  .filter((key) => key !== '__proto__')
const nested: fc.Arbitrary<ViewValue> = fc.letrec<{ value: ViewValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(fc.constant(null), texts, numbers, wholes, fc.boolean()),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value

const documents: fc.Arbitrary<Probe> = fc.record({
  _id: texts,
  text: fc.option(texts),
  count: fc.option(numbers),
  amount: fc.option(wholes),
  done: fc.option(fc.boolean()),
  rest: nested,
})

describe('values of views', () => {
  let database: DatabaseSync
  const mapping = mapModel(model)
  beforeAll(() => {
    database = new DatabaseSync(':memory:')
    for (const sql of mapping.createSql) database.exec(sql)
  })
  afterAll(() => {
    database.close()
  })

  test('come out of the database as they went in, whatever they hold', () => {
    fc.assert(
      fc.property(documents, ({ _id, ...fields }) => {
        database.exec(mapping.clearSql)
        const write = mapping.write({ model, kind: 'merge', id: _id, fields } as never)
        database.prepare(write.sql).run(...write.values)
        const get = mapping.get(_id)
        const row = database.prepare(get.sql).get(...get.values)
        expect(mapping.documentOf(row as never)).toEqual({ _id, ...fields })
        for (const [field, value] of Object.entries({
          text: fields.text,
          count: fields.count,
          amount: fields.amount,
          done: fields.done,
        })) {
          const find = mapping.find({ filter: { [field]: value }, sortBy: field, direction: 'ascending', limit: 2 })
          expect(database.prepare(find.sql).all(...find.values)).toHaveLength(1)
        }
      }),
      fuzzed(),
    )
  })

  test('of another kind than the field’s are refused PortError before anything is written', () => {
    const kinds = fc.constantFrom('String', 'Number', 'BigInt', 'Boolean', 'Mixed')
    const others = fc.oneof(nested, fc.constantFrom<ViewValue>(Number.NaN, Number.POSITIVE_INFINITY, 10n ** 1_000n))
    fc.assert(
      fc.property(kinds, others, (kind, value) => {
        const codec = columnCodecOf(kind)
        const read = readOnce(() => codec.encode(value), [PortError])
        if ('value' in read && kind !== 'Mixed') expect(codec.decode(read.value as never)).toEqual(value)
      }),
      fuzzed(),
    )
  })
})
