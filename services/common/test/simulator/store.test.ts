import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { CALL_LOG_SCHEMA, createCallLog } from '../../src/simulator/callLog.ts'
import { openSimulatorStore, type SimulatorStore } from '../../src/simulator/store.ts'

let dataDir: string
let store: SimulatorStore
const open = (): SimulatorStore =>
  openSimulatorStore(dataDir, 'test', `${CALL_LOG_SCHEMA} CREATE TABLE IF NOT EXISTS t (n INTEGER UNIQUE) STRICT;`)
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'bourse-store-'))
  store = open()
})
afterEach(async () => {
  store.close()
  await rm(dataDir, { recursive: true })
})

const insert = (n: number): void => {
  store.database.prepare('INSERT INTO t VALUES (?)').run(n)
}
const numbers = (of: SimulatorStore): unknown[] =>
  of.database
    .prepare('SELECT n FROM t ORDER BY n')
    .all()
    .map((row) => row['n'])

describe('simulator store', () => {
  test('calls of one turn share a commit, and none is answered before it', async () => {
    const answered: number[] = []
    const runs = [1, 2, 3].map(async (n) => {
      await store.run(() => {
        insert(n)
      })
      expect(store.database.isTransaction).toBe(false)
      answered.push(n)
    })
    expect(store.database.isTransaction).toBe(true)
    expect(answered).toEqual([])
    await Promise.all(runs)
    expect(answered).toEqual([1, 2, 3])
  })

  test('a call that throws takes back its own work only', async () => {
    const results = await Promise.allSettled([
      store.run(() => {
        insert(1)
      }),
      store.run(() => {
        insert(2)
        throw new Error('half done')
      }),
      store.run(() => {
        insert(3)
      }),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(numbers(store)).toEqual([1, 3])
  })

  test('a commit that fails refuses every call in it and leaves nothing; the next one works', async () => {
    store.database.exec(`CREATE TABLE p (n INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE c (n INTEGER REFERENCES p (n) DEFERRABLE INITIALLY DEFERRED) STRICT; PRAGMA foreign_keys = ON;`)
    const results = await Promise.allSettled([
      store.run(() => {
        insert(1)
      }),
      store.run(() => {
        store.database.exec('INSERT INTO c VALUES (7)')
      }),
    ])
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected'])
    await store.run(() => {
      insert(4)
    })
    expect(numbers(store)).toEqual([4])
  })

  test('what was answered is there for another reader of the file, and a closed store refuses', async () => {
    await store.run(() => {
      insert(5)
    })
    const other = open()
    expect(numbers(other)).toEqual([5])
    other.close()
    store.close()
    await expect(
      store.run(() => {
        insert(6)
      }),
    ).rejects.toThrow('stopped')
  })
})

describe('call log', () => {
  test('keeps the newest entries and never gives a number twice', async () => {
    const log = createCallLog(store.database, 5)
    const append = (): Promise<void> =>
      store.run(() => {
        log.append({ atMs: 1, method: 'GET', path: '/x', body: '{}', answer: 'null' })
      })
    for (let index = 0; index < 12; index += 1) await append()
    const seqs = (JSON.parse(log.read(0, 100)) as { seq: number }[]).map((entry) => entry.seq)
    expect(seqs).toEqual([6, 7, 8, 9, 10, 11, 12])
    store.database.exec('DELETE FROM call_log')
    await append()
    expect(JSON.parse(log.read(0, 100))).toEqual([
      { seq: 13, at: 1, method: 'GET', path: '/x', body: {}, answer: null },
    ])
  })
})
