import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newKey, pause, until } from './support/calls.ts'
import { bankClient, codeOf } from './support/clients.ts'
import { writeManifests } from './support/manifests.ts'
import { expectRefusal, withoutTrace } from './support/refusal.ts'
import { banksOf, CUSTOMER, OTHER_KEY, startWorld, type World } from './support/world.ts'

const LIMIT_MS = 60_000

describe("refusals of a bank's calls", () => {
  let world: World

  beforeAll(async () => {
    world = await startWorld()
  }, LIMIT_MS)
  afterAll(() => world.stop())

  const bank = () => bankClient(world.bourse.url)

  test('quotes: expired, used, foreign, of another customer or amount, and unknown ones buy nothing', async () => {
    const { quoteId: used } = await bank().quote(CUSTOMER, '10.00')
    const buy = (quoteId: string, customer = CUSTOMER, amount = '10.00') =>
      withoutTrace(world, () => bank().buy(customer, amount, newKey(), quoteId))
    expectRefusal(await buy(used, 'ben'), '400 VALIDATION_ERROR', /bankUserId is not the one that was quoted/)
    expectRefusal(await buy(used, CUSTOMER, '11.00'), '400 VALIDATION_ERROR', /amount is not the one that was quoted/)
    expect((await bank().buy(CUSTOMER, '10.00', newKey(), used)).status).toBe(201)
    expectRefusal(await buy(used), '409 QUOTE_USED', /ask for a new one/)
    const { quoteId: old } = await bank().quote(CUSTOMER, '10.00')
    const other = bankClient(world.bourse.url, OTHER_KEY)
    expectRefusal(await other.buy('zoe', '10.00', newKey(), old), '404 QUOTE_NOT_FOUND', /ask for a new one/)
    await pause(1_200)
    expectRefusal(await buy(old), '409 QUOTE_EXPIRED', /ask for a new one/)
    expectRefusal(await buy(`q_${'0'.repeat(32)}`), '404 QUOTE_NOT_FOUND', /ask for a new one/)
  })

  test('of two that race for one quote exactly one buys', async () => {
    const { quoteId } = await bank().quote(CUSTOMER, '10.00')
    const race = await Promise.all(Array.from({ length: 6 }, () => bank().buy(CUSTOMER, '10.00', newKey(), quoteId)))
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
    const answer = await withoutTrace(world, () => bank().post(path, { bankUserId: CUSTOMER, ...fields }))
    expectRefusal(answer, refusal, message)
  })

  test("a bank sees nothing of another's", async () => {
    const [transaction] = await bank().transactions()
    const other = bankClient(world.bourse.url, OTHER_KEY)
    for (const path of [
      `/transactions/${transaction?.id}`,
      `/users/${CUSTOMER}/accounts`,
      `/transactions?idempotencyKey=${transaction?.idempotencyKey}`,
    ]) {
      expect([(await bank().get(path)).status, (await other.get(path)).status]).toEqual([200, 404])
    }
    expect((await other.transactions()).map(({ bankUserId, status }) => [bankUserId, status])).toEqual([
      ['zoe', 'FAILED'],
    ])
  })

  test(
    'a suspended bank is refused without a restart, and served again once it is active',
    async () => {
      await writeManifests(world.bourse.manifests, [], banksOf({ state: 'Suspended' }))
      const buy = () => bank().buy(CUSTOMER, '10.00')
      const refused = await until(buy, ({ status }) => status !== 201)
      expectRefusal(refused, '403 BANK_SUSPENDED', /suspended; ask the platform/)
      await writeManifests(world.bourse.manifests, [], banksOf())
      expect((await until(buy, ({ status }) => status !== 403)).status).toBe(201)
    },
    LIMIT_MS,
  )
})
