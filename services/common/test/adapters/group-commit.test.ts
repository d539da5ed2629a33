import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createGroupCommit } from '../../src/adapters/embedded/group-commit.ts'
import { PortError } from '../../src/ports/failure.ts'

describe('group commit', () => {
  let database: DatabaseSync
  let statements: string[] = []
  let undone = 0

  beforeEach(() => {
    database = new DatabaseSync(':memory:')
    database.exec('CREATE TABLE t (value INTEGER UNIQUE)')
    database.exec('CREATE TABLE late (value REFERENCES t (value) DEFERRABLE INITIALLY DEFERRED)')
    const run = database.exec.bind(database)
    statements = []
    undone = 0
    database.exec = (sql) => {
      statements.push(sql)
      return run(sql)
    }
  })
  afterEach(() => database.close())

  const make = () => createGroupCommit(database, 'the test', () => void (undone += 1))
  const add = (value: number) => () => Number(database.prepare('INSERT INTO t VALUES (?)').run(value).changes)
  const stored = (): unknown[] =>
    database
      .prepare('SELECT value FROM t ORDER BY value')
      .all()
      .map((row) => row['value'])

  test('writes of one turn share one transaction, those of the next turn another', async () => {
    const commits = make()
    await Promise.all([1, 2, 3].map((value) => commits.run(add(value))))
    expect(statements).toEqual(['BEGIN IMMEDIATE', 'COMMIT'])
    await commits.run(add(4))
    expect(statements).toHaveLength(4)
    expect(stored()).toEqual([1, 2, 3, 4])
  })

  test('a write that refuses itself does not harm the others of its group', async () => {
    const commits = make()
    const refuse = (): never => {
      throw new PortError('corrupt', 'not this one')
    }
    const [first, refused, last] = await Promise.allSettled([
      commits.run(add(1)),
      commits.run(refuse),
      commits.run(add(2)),
    ])
    expect([first.status, refused.status, last.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(stored()).toEqual([1, 2])
    expect(undone).toBe(0)
  })

  test('a failing statement undoes the whole group and says that nothing was stored', async () => {
    const commits = make()
    const answers = await Promise.allSettled([commits.run(add(1)), commits.run(add(1))])
    expect(answers).toMatchObject([{ reason: { kind: 'unavailable' } }, { reason: { kind: 'unavailable' } }])
    expect(stored()).toEqual([])
    expect(undone).toBe(1)
    await commits.run(add(2))
    expect(stored()).toEqual([2])
  })

  test('a failing commit says unknown, and the next group is not caught in its transaction', async () => {
    const commits = make()
    database.exec('PRAGMA foreign_keys = ON')
    const dangling = (): void => void database.prepare('INSERT INTO late VALUES (99)').run()
    await expect(commits.run(dangling)).rejects.toMatchObject({ kind: 'unknown' })
    expect(undone).toBe(1)
    await commits.run(add(1))
    expect(stored()).toEqual([1])
  })

  test('close commits what waits and refuses what comes after', async () => {
    const commits = make()
    const waiting = commits.run(add(1))
    await commits.close()
    expect(await waiting).toBe(1)
    await expect(commits.run(add(2))).rejects.toMatchObject({ kind: 'closed' })
  })

  test('waiting bytes are bounded', async () => {
    const commits = make()
    const large = commits.run(add(1), 256 * 1024 * 1024)
    await expect(commits.run(add(2), 1)).rejects.toMatchObject({ kind: 'full' })
    await large
    await commits.run(add(2), 1)
    expect(stored()).toEqual([1, 2])
  })
})
