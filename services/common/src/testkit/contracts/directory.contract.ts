import { expect } from '@jest/globals'
import {
  MANIFEST_CHARACTERS_MAX,
  type AuditRecord,
  type Directory,
  type ManifestRecord,
  type UserRecord,
} from '../../ports/directory.ts'
import { withDirectoryFaults } from '../faults/ports.ts'
import { describeContract, expectFailure, type Define, type Opened, type Subject } from './scenario.ts'

const user = (id: string, email = `${id}@example.com`): UserRecord => ({
  id,
  email,
  passwordHash: 'scrypt$…',
  createdAtMs: 1_780_000_000_123,
  locked: false,
  sessionsValidFromMs: 0,
})
const audit = (index: number, idempotencyKey = `key-${index}`): AuditRecord => ({
  id: `audit-${index}`,
  atMs: 1_780_000_000_000 + index,
  who: 'ops@example.com',
  action: 'halt',
  reason: 'Prüfung 😀',
  idempotencyKey,
  requestHash: 'ab'.repeat(32),
  detail: '{"pair":"BTC/USDC"}',
})
const FAR_MS = 4_000_000_000_000

type World = Parameters<Parameters<Define<Directory, Opened<Directory>>>[1]>[0]

/** Creates as a careful caller does: `taken` by the very same id is one's own earlier try. */
const create = async ({ port, call }: World, wanted: UserRecord): Promise<'created' | 'taken'> => {
  const answer = await call(() => port.createUser(wanted))
  if (answer === 'created') return answer
  return (await call(() => port.userByEmail(wanted.email)))?.id === wanted.id ? 'created' : 'taken'
}

const users = (define: Define<Directory, Opened<Directory>>): void => {
  define('D1 an e-mail belongs to one user, also in a race: exactly one wins', async (world) => {
    const contenders = Array.from({ length: 8 }, (_, index) => user(`user-${index}`, 'same@example.com'))
    const answers = await Promise.all(contenders.map((contender) => create(world, contender)))
    expect(answers.filter((answer) => answer === 'created')).toHaveLength(1)
    const winner = contenders[answers.indexOf('created')]!
    expect(await world.call(() => world.port.userByEmail('same@example.com'))).toEqual(winner)
    for (const loser of contenders) {
      if (loser !== winner) expect(await world.call(() => world.port.userById(loser.id))).toBeNull()
    }
  })

  define('D2 reads see every write that had resolved', async (world) => {
    const { port, call } = world
    expect(await call(() => port.userByEmail('a@example.com'))).toBeNull()
    await create(world, user('a'))
    expect(await call(() => port.userByEmail('a@example.com'))).toEqual(user('a'))
    expect(await call(() => port.userById('a'))).toEqual(user('a'))
    expect(await call(() => port.setUserLocked('a', true))).toBe(true)
    expect((await call(() => port.userById('a')))?.locked).toBe(true)
    expect(await call(() => port.setUserLocked('a', false))).toBe(true)
    expect((await call(() => port.userById('a')))?.locked).toBe(false)
    expect(await call(() => port.setUserLocked('nobody', true))).toBe(false)
  })

  define('D3 a revoked session stays revoked, others are not touched', async ({ port, call }) => {
    await call(() => port.revokeSession('session-1', FAR_MS))
    await call(() => port.revokeSession('session-1', FAR_MS - 1_000))
    await call(() => port.revokeSession('session-2', FAR_MS))
    expect(await call(() => port.isSessionRevoked('session-1'))).toBe(true)
    expect(await call(() => port.isSessionRevoked('session-2'))).toBe(true)
    expect(await call(() => port.isSessionRevoked('session-3'))).toBe(false)
  })

  define(
    'D4 endSessions voids those issued before the moment, and an earlier moment gives none back',
    async (world) => {
      const { port, call } = world
      await create(world, user('a'))
      await create(world, user('b'))
      await call(() => port.endSessions('a', 5_000))
      await call(() => port.endSessions('a', 4_000))
      expect((await call(() => port.userById('a')))?.sessionsValidFromMs).toBe(5_000)
      expect((await call(() => port.userById('b')))?.sessionsValidFromMs).toBe(0)
    },
  )

  define('D7 writes are there after a restart', async (world) => {
    const { port, call } = world
    await create(world, user('a'))
    await call(() => port.recordAudit(audit(1)))
    await call(() => port.revokeSession('session', FAR_MS))
    await call(() => port.putBankKey({ bank: 'alpha', keyHash: 'h1', createdAtMs: 1, expiresAtMs: null }))
    await call(() => port.setSettingOnce('partitions', '4'))
    const reopened = world.harness.reopen === undefined ? port : await world.reopen()
    expect(await call(() => reopened.userById('a'))).toEqual(user('a'))
    expect(await call(() => reopened.listAudit(null, 10))).toEqual([audit(1)])
    expect(await call(() => reopened.isSessionRevoked('session'))).toBe(true)
    expect(await call(() => reopened.bankKeys())).toEqual([
      { bank: 'alpha', keyHash: 'h1', createdAtMs: 1, expiresAtMs: null },
    ])
    expect(await call(() => reopened.setting('partitions'))).toBe('4')
  })
}

const records = (define: Define<Directory, Opened<Directory>>): void => {
  define('D2 bank keys are put, replaced and removed', async ({ port, call }) => {
    const key = { bank: 'alpha', keyHash: 'h1', createdAtMs: 1, expiresAtMs: null }
    await call(() => port.putBankKey(key))
    await call(() => port.putBankKey({ ...key, keyHash: 'h2', createdAtMs: 2 }))
    await call(() => port.putBankKey({ ...key, expiresAtMs: 9 }))
    expect(await call(() => port.bankKeys())).toEqual([
      { ...key, expiresAtMs: 9 },
      { ...key, keyHash: 'h2', createdAtMs: 2 },
    ])
    await call(() => port.removeBankKey('h1'))
    await call(() => port.removeBankKey('h1'))
    expect((await call(() => port.bankKeys())).map(({ keyHash }) => keyHash)).toEqual(['h2'])
  })

  define('D5 a known idempotency key answers the first record and stores nothing', async ({ port, call }) => {
    expect(await call(() => port.recordAudit(audit(1)))).toEqual(audit(1))
    expect(await call(() => port.recordAudit(audit(2, 'key-1')))).toEqual(audit(1))
    expect(await call(() => port.listAudit(null, 10))).toEqual([audit(1)])
  })

  define('D6 a setting is kept whole, and the first one stays', async ({ port, call }) => {
    const value = `{"text":"${'ä'.repeat(20_000)}"}`
    expect(await call(() => port.setting('s'))).toBeNull()
    expect(await call(() => port.setSettingOnce('s', value))).toBe(value)
    expect(await call(() => port.setSettingOnce('s', 'another'))).toBe(value)
    expect(await call(() => port.setting('s'))).toBe(value)
    const answers = await Promise.all(['1', '2', '3'].map((wanted) => call(() => port.setSettingOnce('race', wanted))))
    expect(new Set(answers).size).toBe(1)
  })

  define('D8 audit pages are newest first and stable while others are added', async ({ port, call }) => {
    for (let index = 1; index <= 7; index++) await call(() => port.recordAudit(audit(index)))
    const first = await call(() => port.listAudit(null, 3))
    expect(first.map(({ id }) => id)).toEqual(['audit-7', 'audit-6', 'audit-5'])
    await call(() => port.recordAudit(audit(8)))
    const second = await call(() => port.listAudit(first.at(-1)!.id, 3))
    const third = await call(() => port.listAudit(second.at(-1)!.id, 3))
    expect([...second, ...third].map(({ id }) => id)).toEqual(['audit-4', 'audit-3', 'audit-2', 'audit-1'])
    expect(await call(() => port.listAudit('audit-1', 3))).toEqual([])
  })

  define('D9 calls after close fail closed', async ({ port, call, harness }) => {
    await harness.port.close()
    await harness.port.close()
    await expectFailure('closed', () => call(() => port.createUser(user('a'))))
    await expectFailure('closed', () => call(() => port.userById('a')))
    await expectFailure('closed', () => call(() => port.recordAudit(audit(1))))
    await expectFailure('closed', () => call(() => port.listAudit(null, 1)))
    await expectFailure('closed', () => call(() => port.setting('s')))
    await expectFailure('closed', () => call(() => port.putManifest(manifest('a', 1))))
    await expectFailure('closed', () => call(() => port.manifests()))
  })
}

const manifest = (name: string, fence: number, generation = 1): ManifestRecord => ({
  kind: 'TradingPair',
  name,
  generation,
  document: `{"kind":"TradingPair","metadata":{"name":"${name}"},"spec":{"note":"fence ${fence} ä😀"}}`,
  fence,
})

const manifests = (define: Define<Directory, Opened<Directory>>): void => {
  define('D10 a manifest is replaced under the same or a higher fence, never under a lower one', async (world) => {
    const { port, call } = world
    expect(await call(() => port.putManifest(manifest('a', 5)))).toBe('stored')
    expect(await call(() => port.putManifest(manifest('a', 5, 2)))).toBe('stored')
    expect(await call(() => port.putManifest(manifest('a', 7)))).toBe('stored')
    expect(await call(() => port.putManifest(manifest('a', 6, 9)))).toBe('fenced')
    expect(await call(() => port.removeManifest('TradingPair', 'a', 6))).toBe('fenced')
    expect(await call(() => port.manifests())).toEqual([manifest('a', 7)])
    expect(await call(() => port.putManifest(manifest('b', 1)))).toBe('stored')
    const long = { ...manifest('c', 8), document: 'x'.repeat(MANIFEST_CHARACTERS_MAX + 1) }
    await expectFailure('full', () => call(() => port.putManifest(long)))
  })

  define('D10 of a race the highest fence stands, whatever came last', async ({ port, call }) => {
    const fences = [3, 8, 1, 5, 8, 2]
    await Promise.all(fences.map((fence) => call(() => port.putManifest(manifest('a', fence)))))
    expect(await call(() => port.manifests())).toEqual([manifest('a', 8)])
  })

  define('D11 what was removed does not come back under a lower fence', async ({ port, call }) => {
    await call(() => port.putManifest(manifest('a', 5)))
    expect(await call(() => port.removeManifest('TradingPair', 'a', 6))).toBe('removed')
    expect(await call(() => port.removeManifest('TradingPair', 'never', 6))).toBe('removed')
    expect(await call(() => port.putManifest(manifest('a', 5)))).toBe('fenced')
    expect(await call(() => port.putManifest(manifest('never', 5)))).toBe('fenced')
    expect(await call(() => port.manifests())).toEqual([])
    expect(await call(() => port.putManifest(manifest('a', 6)))).toBe('stored')
    expect(await call(() => port.manifests())).toEqual([manifest('a', 6)])
  })

  define('D12 manifests come whole, by kind and name, and are there after a restart', async (world) => {
    const { port, call } = world
    const bank: ManifestRecord = { ...manifest('b', 3, 4_000_000_000), kind: 'Bank' }
    await call(() => port.putManifest(manifest('b', 2)))
    await call(() => port.putManifest(manifest('a', 2 ** 40)))
    await call(() => port.putManifest(bank))
    const reopened = world.harness.reopen === undefined ? port : await world.reopen()
    expect(await call(() => reopened.manifests())).toEqual([bank, manifest('a', 2 ** 40), manifest('b', 2)])
    await call(() => reopened.removeManifest('Bank', 'b', 3))
    expect((await call(() => reopened.manifests())).map(({ kind }) => kind)).toEqual(['TradingPair', 'TradingPair'])
  })
}

/** The Directory contract. */
export const directoryContract = (subject: Subject<Opened<Directory>>): void =>
  describeContract(subject, withDirectoryFaults, (define) => {
    users(define)
    records(define)
    manifests(define)
  })
