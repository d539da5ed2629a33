import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openSqliteDirectory, type SqliteDirectory } from '../../src/adapters/embedded/directory.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'

let directory: SqliteDirectory
beforeEach(() => {
  directory = openSqliteDirectory({ path: ':memory:', clock: createSystemClock() })
})
afterEach(() => directory.close())

const user = {
  id: 'u',
  email: 'a@b.cd',
  passwordHash: 'x',
  createdAtMs: 1,
  locked: false,
  sessionsValidFromMs: 0,
}

test('a remembered read is forgotten by every write that changes it', async () => {
  expect(await directory.userById('u')).toBeNull()
  await directory.createUser(user)
  expect(await directory.userById('u')).toEqual(user)
  await directory.setUserLocked('u', true)
  expect((await directory.userById('u'))?.locked).toBe(true)
  await directory.endSessions('u', 7)
  expect((await directory.userById('u'))?.sessionsValidFromMs).toBe(7)
  expect(await directory.isSessionRevoked('s')).toBe(false)
  await directory.revokeSession('s', Number.MAX_SAFE_INTEGER)
  expect(await directory.isSessionRevoked('s')).toBe(true)
})

test('a read between a write and its commit does not keep the old value', async () => {
  await directory.createUser(user)
  const locking = directory.setUserLocked('u', true)
  expect((await directory.userById('u'))?.locked).toBe(false)
  await locking
  expect((await directory.userById('u'))?.locked).toBe(true)
})
