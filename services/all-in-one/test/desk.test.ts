import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { BUILD_FOLDER } from '@bourse/gateway/console/build.ts'
import { ADMIN_TOKEN, API_KEY, createBourse, PAIRS, type Bourse } from './support/bourse.ts'
import { call, newKey, until } from './support/calls.ts'
import { bankClient, bankControl, codeOf, dataOf } from './support/clients.ts'
import { LIMIT_MS } from './support/limits.ts'
import { insist } from './support/load.ts'
import { writeManifests } from './support/manifests.ts'
import { bought, deposited } from './support/sure.ts'
import { OTHER_KEY } from './support/world.ts'

const DAY_MS = 86_400_000
/** Time enough for a few calls, ms. */
const BEFORE_MIDNIGHT_MS = 60_000
const BANKS = [{}, { name: 'other' }]

interface BankBody {
  readonly name: string
  readonly limits: { readonly usedToday: string; readonly currency: string; readonly day: string }
  readonly key: { readonly createdAt: string; readonly ageDays: number }
}
interface CustomersBody {
  readonly customers: readonly { readonly bankUserId: string }[]
  readonly nextCursor: string | null
}

describe("what a bank's operations staff and an operator see and do", () => {
  let bourse: Bourse
  beforeAll(async () => {
    bourse = await createBourse({ banks: BANKS, env: { BOURSE_BANK_OTHER_API_KEY: OTHER_KEY } })
    await bourse.start()
    for (const customer of ['anna', 'ben', 'cleo']) await deposited(bank(), customer, '100.00')
  }, LIMIT_MS)
  afterAll(() => bourse.remove())

  const bank = () => bankClient(bourse.url)
  const self = async () => (await bank().get('/bank')).body as BankBody
  const put = (path: string, body: object) =>
    call(`${bourse.url}/api/v1/sandbox/${path}`, { method: 'PUT', body, headers: { 'x-api-key': API_KEY } })

  test('the limits show what is used of the day, and what a failed trade gave back', async () => {
    // What is used of a day is over with it: the day that this begins on lasts to its end.
    await until(
      async () => DAY_MS - (Date.now() % DAY_MS),
      (leftMs) => leftMs > BEFORE_MIDNIGHT_MS,
    )
    expect((await self()).limits).toMatchObject({ usedToday: '0.00', currency: 'AZN' })
    await bought(bank(), 'anna', '10.00')
    expect((await self()).limits.usedToday).toBe('10.00')
    const rejected = { faults: [{ on: 'order', kind: 'reject', count: 1 }] }
    expect((await put('exchange/control', rejected)).body).toMatchObject({ ...rejected, prices: { AZNUSDT: '1.7050' } })
    const failing = newKey()
    expect(codeOf(await insist(() => bank().buy('anna', '10.00', failing)))).toBe('INSUFFICIENT_LIQUIDITY')
    expect((await self()).limits.usedToday).toBe('10.00')
    expect(new Date((await self()).limits.day).getTime()).toBeLessThanOrEqual(Date.now())
  })

  test('the customers come in pages, and only the own ones', async () => {
    const page = async (query: string) => (await bank().get(`/users?limit=2${query}`)).body as CustomersBody
    const first = await until(
      () => page(''),
      ({ nextCursor }) => nextCursor !== null,
    )
    const second = await page(`&cursor=${first.nextCursor}`)
    expect([...first.customers, ...second.customers].map(({ bankUserId }) => bankUserId)).toEqual([
      'anna',
      'ben',
      'cleo',
    ])
    expect(second.nextCursor).toBeNull()
    const other = bankClient(bourse.url, OTHER_KEY)
    expect(((await other.get('/users')).body as CustomersBody).customers).toEqual([])
  })

  test('an event is sent again with its first sequence and id, and the bank takes it as the same', async () => {
    const atBank = bankControl(bourse.bankUrl)
    const events = await until(
      () => bank().events(),
      ({ length }) => length >= 3,
    )
    await until(
      () => atBank.events(),
      ({ length }) => length >= 3,
    )
    const key = newKey()
    const asked = () =>
      until(
        () => bank().post('/events/redelivery', { from: 2, to: 3 }, key),
        ({ status }) => status === 202,
      )
    const first = await asked()
    expect([first.status, first.body]).toEqual([202, { success: true, data: { from: 2, to: 3, count: 2 } }])
    const received = await until(
      () => atBank.events(),
      (found) => found.filter(({ duplicates }) => duplicates > 0).length === 2,
    )
    const again = received.filter(({ duplicates }) => duplicates > 0)
    expect(again.map(({ sequence, id }) => [sequence, id])).toEqual(
      events.slice(1, 3).map(({ sequence, id }) => [sequence, id]),
    )
    expect((await asked()).body).toEqual(first.body)
    expect((await atBank.events()).every(({ duplicates }) => duplicates <= 1)).toBe(true)
  })

  test('the sandbox tells the calls of both simulators, and is for the bank that it plays', async () => {
    expect((await bank().get('/sandbox')).body).toEqual({ exchange: true, bank: true })
    expect((await bankClient(bourse.url, OTHER_KEY).get('/sandbox')).body).toEqual({ exchange: true, bank: false })
    const paths = async (simulator: string) =>
      ((await bank().get(`/sandbox/${simulator}/log`)).body as { path: string }[]).map(({ path }) => path)
    expect(await paths('exchange')).toContain('/order')
    expect(await paths('bank')).toEqual(expect.arrayContaining(['/authorizations', '/webhooks']))
  })

  test('the platform shows every partition in this one process', async () => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
    const platform = dataOf<{ ready: boolean; shards: object[]; partitions: { name: string; state: string }[] }>(
      await call(`${bourse.url}/api/v1/admin/platform`, { headers }),
    )
    expect(platform.ready).toBe(true)
    expect(platform.shards).toEqual([
      expect.objectContaining({ name: 'this process', partitions: platform.partitions.map(({ name }) => name) }),
    ])
    expect(platform.partitions.map(({ state }) => state)).toEqual(platform.partitions.map(() => 'serving'))
  })

  test('the console is at the gateway when it is built, and says so when it is not', async () => {
    const page = await fetch(`${bourse.url}/bank/customers`)
    const built = existsSync(join(BUILD_FOLDER, 'index.html'))
    expect([page.status, (await page.text()).includes(built ? '<!doctype html>' : 'npm run build')]).toEqual([
      built ? 200 : 404,
      true,
    ])
  })

  test(
    'the key is as old as it was before a restart',
    async () => {
      const { key } = await self()
      expect(Date.parse(key.createdAt)).toBeLessThanOrEqual(Date.now())
      await bourse.stop()
      await bourse.start()
      expect((await self()).key).toEqual(key)
    },
    LIMIT_MS,
  )

  test('a suspended bank is refused at every door of its own', async () => {
    await writeManifests(bourse.manifests, PAIRS, [{ state: 'Suspended' }, { name: 'other' }])
    const refused = await until(
      () => bank().get('/bank'),
      ({ status }) => status === 403,
    )
    expect(codeOf(refused)).toBe('BANK_SUSPENDED')
    expect(codeOf(await bank().post('/events/redelivery', { from: 1 }))).toBe('BANK_SUSPENDED')
    expect(codeOf(await bank().get('/sandbox'))).toBe('BANK_SUSPENDED')
  })
})
