import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Schema } from 'mongoose'
import { decodeInteger, encodeInteger } from '../../src/adapters/view-text.ts'
import { openSqliteViews } from '../../src/adapters/embedded/views.ts'
import type { ViewModel, ViewWrite } from '../../src/ports/views.ts'
import { expectFailure } from '../../src/testkit/contracts/scenario.ts'
import { viewModels } from '../../src/views/models.ts'

type Any = ViewModel<{ readonly _id: string }>
const text = { type: String, required: true } as const
const model = (fields: Record<string, object>): Any => ({
  name: 'things',
  schema: new Schema({ _id: text, ...fields }),
})

describe('views on SQLite', () => {
  let path = ''
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bourse-mapping-'))
    path = join(folder, 'views.sqlite')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('integers as text round-trip and sort as the numbers do', () => {
    const integer = fc.oneof(fc.bigInt(), fc.bigInt(-100n, 100n), fc.bigInt(-(10n ** 40n), 10n ** 40n))
    fc.assert(fc.property(integer, (value) => decodeInteger(encodeInteger(value)) === value))
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        const [left, right] = [encodeInteger(a), encodeInteger(b)]
        return a === b ? left === right : a < b === left < right
      }),
    )
  })

  test('every model of the platform becomes a table', async () => {
    const views = openSqliteViews({ path, models: viewModels })
    for (const each of viewModels as readonly Any[]) {
      expect(await views.find(each, { filter: {}, sortBy: '_id', direction: 'ascending', limit: 1 })).toEqual([])
    }
    await views.close()
  })

  test('a changed schema makes the views start anew, with their cursors; an unchanged one keeps them', async () => {
    const before = model({ name: { type: String, index: true } })
    let views = openSqliteViews({ path, models: [before] })
    await views.project('p', 1, 5n, [{ kind: 'merge', model: before, id: 'a', fields: { name: 'n' } }])
    await views.close()
    views = openSqliteViews({ path, models: [before] })
    expect(views.opened).toEqual({ wasClosedCleanly: true, wasChecked: false, remade: [] })
    expect(await views.cursor('p', 1)).toBe(5n)
    await views.close()
    const after = model({ name: { type: String, index: true }, more: Number })
    views = openSqliteViews({ path, models: [after] })
    expect(views.opened.remade).toEqual(['things'])
    expect(await views.cursor('p', 1)).toBe(0n)
    expect(await views.get(after, 'a')).toBeNull()
    await views.close()
  })

  test('compound indexes of a schema make their fields filters', async () => {
    const compound = model({ owner: String, place: String })
    compound.schema.index({ owner: 1, place: -1 })
    const views = openSqliteViews({ path, models: [compound] })
    const write = (id: string): ViewWrite => ({ kind: 'merge', model: compound, id, fields: { owner: 'o', place: id } })
    await views.project('p', 1, 1n, ['b', 'a'].map(write))
    const found = await views.find(compound, {
      filter: { owner: 'o' },
      sortBy: 'place',
      direction: 'descending',
      limit: 5,
    })
    expect(found.map(({ _id }) => _id)).toEqual(['b', 'a'])
    await views.close()
  })

  test('a schema that can not be a view is refused at open', () => {
    const nested: Any = { name: 'n', schema: new Schema({ _id: text, a: { b: Number } }) }
    const withoutKey: Any = { name: 'n', schema: new Schema({ a: Number }) }
    for (const each of [nested, withoutKey]) expect(() => openSqliteViews({ path, models: [each] })).toThrow(RangeError)
  })

  test('a file that is no database is refused corrupt, and its lock is given back', async () => {
    await writeFile(path, 'this is not a database, and it is longer than a header'.repeat(100))
    for (let attempt = 0; attempt < 2; attempt++) {
      await expectFailure('corrupt', async () => openSqliteViews({ path, models: [] }))
    }
  })

  test('a file that is open is refused, also in the same process, until it is closed', async () => {
    const views = openSqliteViews({ path, models: [] })
    await expectFailure('unavailable', async () => openSqliteViews({ path, models: [] }))
    await views.close()
    await openSqliteViews({ path, models: [] }).close()
  })
})
