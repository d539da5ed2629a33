import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newKey, until, type Answer } from './support/calls.ts'
import { bankClient, codeOf, type BankClient } from './support/clients.ts'
import { LIMIT_MS } from './support/limits.ts'
import { insist } from './support/load.ts'
import { writeManifests } from './support/manifests.ts'
import { expectRefusal, withoutTrace } from './support/refusal.ts'
import { banksOf, CUSTOMER, OTHER_KEY, startWorld, type World } from './support/world.ts'

describe("refusals of a bank's calls", () => {
  let world: World

  beforeAll(async () => {
    world = await startWorld()
  }, LIMIT_MS)
  afterAll(() => world.stop())

  const bank = () => bankClient(world.bourse.url)

  test('quotes: expired, used, foreign, of another customer or amount, and unknown ones buy nothing', async () => {
    const { quoteId: used } = await bank().quote(CUSTOMER, '10.00')
    const buyOf = (client: BankClient, quoteId: string, customer = CUSTOMER, amount = '10.00'): Promise<Answer> => {
      const key = newKey()
      return insist(() => client.buy(customer, amount, key, quoteId))
    }
    const buy = (...args: [quoteId: string, customer?: string, amount?: string]) =>
      withoutTrace(world, () => buyOf(bank(), ...args))
    expectRefusal(await buy(used, 'ben'), '400 VALIDATION_ERROR', /bankUserId is not the one that was quoted/)
    expectRefusal(await buy(used, CUSTOMER, '11.00'), '400 VALIDATION_ERROR', /amount is not the one that was quoted/)
    expect((await buyOf(bank(), used)).status).toBe(201)
    expectRefusal(await buy(used), '409 QUOTE_USED', /ask for a new one/)
    const { quoteId: foreign } = await bank().quote(CUSTOMER, '10.00')
    const other = bankClient(world.bourse.url, OTHER_KEY)
    expectRefusal(await buyOf(other, foreign, 'zoe'), '404 QUOTE_NOT_FOUND', /ask for a new one/)
    expectRefusal(await buy(`q_${'0'.repeat(32)}`), '404 QUOTE_NOT_FOUND', /ask for a new one/)
  })

  test('a quote whose time is over buys nothing', async () => {
    await writeManifests(world.bourse.manifests, [], banksOf({ ttlSeconds: 1 }))
    const short = await until(
      () => bank().quote(CUSTOMER, '10.00'),
      ({ expiresAt }) => Date.parse(expiresAt) < Date.now() + 60_000,
    )
    await until(
      async () => Date.now(),
      (nowMs) => nowMs > Date.parse(short.expiresAt),
    )
    const key = newKey()
    const late = await withoutTrace(world, () => insist(() => bank().buy(CUSTOMER, '10.00', key, short.quoteId)))
    expectRefusal(late, '409 QUOTE_EXPIRED', /ask for a new one/)
    await writeManifests(world.bourse.manifests, [], banksOf())
    await until(
      () => bank().quote(CUSTOMER, '10.00'),
      ({ expiresAt }) => Date.parse(expiresAt) > Date.now() + 60_000,
    )
  })

  test('of two that race for one quote exactly one buys', async () => {
    const { quoteId } = await bank().quote(CUSTOMER, '10.00')
    const keys = Array.from({ length: 6 }, newKey)
    const race = await Promise.all(keys.map((key) => insist(() => bank().buy(CUSTOMER, '10.00', key, quoteId))))
    expect(race.map((answer) => codeOf(answer) ?? answer.status).sort()).toEqual([201, ...Array(5).fill('QUOTE_USED')])
  })

  test.each<[string, string, object, string, RegExp]>([
    [
      'a buy of a fraction of a cent',
      '/trade/buy',
      { amount: '10.005', currency: 'AZN' },
      '400 VALIDATION_ERROR',
      /10\.005 is not a multiple of 0\.01/,
    ],
    [
      'a sell of a fraction of a lot',
      '/trade/sell',
      { amount: '1.005', currency: 'USDT' },
      '400 VALIDATION_ERROR',
      /1\.005 is not a multiple of 0\.01/,
    ],
    [
      'a buy below the minimum',
      '/trade/buy',
      { amount: '0.99', currency: 'AZN' },
      '422 LIMIT_EXCEEDED',
      /0\.99 AZN is below the minimum of 1\.00/,
    ],
    [
      'a buy above the maximum',
      '/trade/buy',
      { amount: '100000.01', currency: 'AZN' },
      '422 LIMIT_EXCEEDED',
      /above the maximum of 100000\.00/,
    ],
    [
      'a buy above the balance',
      '/trade/buy',
      { amount: '5000.00', currency: 'AZN' },
      '422 INSUFFICIENT_FUNDS',
      /balance is too low/,
    ],
    [
      'a sell above the balance',
      '/trade/sell',
      { amount: '5000.00', currency: 'USDT' },
      '422 INSUFFICIENT_FUNDS',
      /balance is too low/,
    ],
    [
      'a currency the bank does not trade',
      '/trade/buy',
      { amount: '5.00', currency: 'EUR' },
      '400 VALIDATION_ERROR',
      /EUR/,
    ],
    [
      'a withdrawal above the balance',
      '/withdrawals',
      { amount: '5000.00', currency: 'AZN', reference: 'r' },
      '422 INSUFFICIENT_FUNDS',
      /balance is too low/,
    ],
    [
      'a deposit of crypto',
      '/deposits',
      { amount: '5.00', currency: 'USDT', reference: 'r' },
      '400 VALIDATION_ERROR',
      /USDT is not a fiat currency/,
    ],
  ])('%s is refused', async (_, path, fields, refusal, message) => {
    const key = newKey()
    const send = () => insist(() => bank().post(path, { bankUserId: CUSTOMER, ...fields }, key))
    const answer = await withoutTrace(world, send)
    expectRefusal(answer, refusal, message)
  })

  test("a bank sees nothing of another's", async () => {
    const [transaction] = await until(
      () => bank().transactions(),
      ({ length }) => length > 0,
    )
    const other = bankClient(world.bourse.url, OTHER_KEY)
    for (const path of [
      `/transactions/${transaction?.id}`,
      `/users/${CUSTOMER}/accounts`,
      `/transactions?idempotencyKey=${transaction?.idempotencyKey}`,
    ]) {
      expect([(await bank().get(path)).status, (await other.get(path)).status]).toEqual([200, 404])
    }
    const others = await until(
      () => other.transactions(),
      ({ length }) => length > 0,
    )
    expect(others.map(({ bankUserId, status }) => [bankUserId, status])).toEqual([['zoe', 'FAILED']])
  })

  test(
    'a suspended bank is refused without a restart, and served again once it is active',
    async () => {
      await writeManifests(world.bourse.manifests, [], banksOf({ state: 'Suspended' }))
      const buy = () => bank().buy(CUSTOMER, '10.00')
      const refused = await until(buy, (answer) => codeOf(answer) === 'BANK_SUSPENDED')
      expectRefusal(refused, '403 BANK_SUSPENDED', /suspended; ask the platform/)
      await writeManifests(world.bourse.manifests, [], banksOf())
      await until(buy, ({ status }) => status === 201)
    },
    LIMIT_MS,
  )
})
