import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteJournal, type SqliteJournal } from '../../src/adapters/embedded/journal.ts'
import { partitionNumber } from '../../src/kernel/partition.ts'
import type { StoredRecord } from '../../src/ports/journal.ts'

const HERE = partitionNumber('ledger', 0)
const BESIDE = partitionNumber('ledger', 1)
const MEBIBYTE = 1024 * 1024

let folder = ''
let journal: SqliteJournal

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bourse-pages-'))
  journal = openSqliteJournal({ path: join(folder, 'journal.sqlite') })
})
afterEach(async () => {
  await journal.close()
  await rm(folder, { recursive: true })
})

/** Every byte there is, zeros, and what is no text in any encoding, at lengths that share no divisor. */
const bodyOf = (index: number, bytes: number): Uint8Array =>
  new Uint8Array(bytes).map((_, at) => (index % 3 === 0 ? 0 : at * 7 + index * 31))
const recordOf = (index: number, bytes: number): StoredRecord => ({
  sequence: BigInt(index),
  hash: new Uint8Array(32).map((_, at) => (index % 2 === 0 ? 0 : at + index)),
  body: bodyOf(index, bytes),
})

const writeAll = async (records: readonly StoredRecord[]): Promise<void> => {
  await Promise.all(records.map((record) => journal.append(HERE, record)))
  await journal.append(BESIDE, recordOf(1, 5))
}

const same = (found: StoredRecord, expected: StoredRecord): boolean =>
  found.sequence === expected.sequence &&
  Buffer.compare(found.hash, expected.hash) === 0 &&
  Buffer.compare(found.body, expected.body) === 0

describe('pages of the SQLite journal', () => {
  test.each([
    ['small records over several pages', 700, (index: number) => (index * 37) % 211],
    ['records larger than a page', 4, () => 5 * MEBIBYTE],
    ['small ones around one that fills a page', 20, (index: number) => (index === 10 ? 6 * MEBIBYTE : index)],
  ])('give %s byte for byte, from any place on', async (_, count, bytesOf) => {
    const records = Array.from({ length: count }, (__, index) => recordOf(index + 1, bytesOf(index + 1)))
    await writeAll(records)
    for (const from of [1, 2, Math.ceil(count / 2), count]) {
      let index = from - 1
      for await (const record of journal.readFrom(HERE, BigInt(from))) {
        if (!same(record, records[index]!)) throw new Error(`record ${index + 1} is read otherwise`)
        index += 1
      }
      expect(index).toBe(count)
    }
  })
})
