import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { API_KEY } from '../../../all-in-one/test/support/bourse.ts'
import { until } from '../../../all-in-one/test/support/calls.ts'
import { bankClient, bankControl, exchangeControl } from '../../../all-in-one/test/support/clients.ts'
import { endOfDeed, openBankDesk, openTab } from './support/bank.ts'
import { missingChromium } from './support/chromium.ts'
import { openDesk, type Desk, type Visit } from './support/desk.ts'
import { step } from './support/step.ts'

const CUSTOMER = 'user_123'
/** What these tests do: a deposit, and three buys of which one fails. Each becomes one event. */
const DEEDS = 4

const fill = async (page: Page, kind: string, amount: string, reference?: string): Promise<void> => {
  await page.getByRole('radio', { name: kind }).check()
  await page.getByTestId('trade-customer').fill(CUSTOMER)
  await page.getByTestId('trade-amount').fill(amount)
  if (reference !== undefined) await page.getByTestId('trade-reference').fill(reference)
}

const words = async (page: Page, testId: string): Promise<string> =>
  (await page.getByTestId(testId).first().innerText()).replaceAll('\n', ' ')

describeUnless(missingChromium, 'a bank’s staff at their desk', () => {
  let desk: Desk
  let visit: Visit
  let page: Page
  const bank = () => bankClient(desk.bourse.url)

  beforeAll(async () => {
    desk = await openDesk({})
    visit = await desk.visit('/bank')
    page = visit.page
  })
  afterAll(() => desk.stop())

  test('open it with the bank’s key, which is kept nowhere', async () => {
    await page.getByLabel('API key of your bank', { exact: true }).fill('a key of no bank, as long as one of them is')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByRole('alert').waitFor()
    step(`a wrong key: "${(await page.getByRole('alert').innerText()).replaceAll('\n', ' ')}"`)
    await openBankDesk(page)
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, document.cookie, history.state]),
    )
    expect(kept).not.toContain(API_KEY)
    step(`opened: ${await words(page, 'bank-name')}; the key is in no storage, no cookie, no address`)
  })

  test('book a deposit, ask for a quote and buy at it: four entries', async () => {
    await openTab(page, 'trade')
    await fill(page, 'Deposit', '500.00', 'salary')
    await page.getByTestId('trade-submit').click()
    expect(await endOfDeed(page)).toBe('trade-done')
    step('500.00 AZN are in')
    await fill(page, 'Buy', '100.00')
    await page.getByTestId('quote-ask').click()
    const price = await words(page, 'quote-price')
    await page.getByTestId('quote-use').click()
    await page.getByTestId('trade-done').waitFor()
    await page.getByTestId('trade-result').getByTestId('entry').nth(3).waitFor()
    const entries = await page.getByTestId('trade-result').getByTestId('entry').allInnerTexts()
    const booked = await bank().byKey(await words(page, 'trade-key'))
    expect(entries).toHaveLength(4)
    expect(booked.entries).toHaveLength(4)
    const shown = entries.join(' ').replaceAll(',', '').replaceAll('−', '-')
    for (const { amount, balanceAfter } of booked.entries) {
      expect(shown).toContain(amount)
      expect(shown).toContain(balanceAfter)
    }
    step(`bought at ${price}; the four entries are the books' own, balances included`)
  })

  test('see an order that never arrives fail in words, and find by its key that it did not happen', async () => {
    await openTab(page, 'sandbox')
    await page.getByTestId('sandbox-order-timeout').click()
    await page.getByTestId('sandbox-ready').waitFor()
    step(`sandbox: ${await words(page, 'sandbox-ready')}`)
    await openTab(page, 'trade')
    await fill(page, 'Buy', '50.00')
    await page.getByTestId('trade-submit').click()
    await page.getByTestId('trade-sending').waitFor()
    expect(await endOfDeed(page)).toBe('trade-refused')
    step(`the exchange timed out: "${await words(page, 'trade-refused')}"`)
    expect(await words(page, 'trade-refused')).toContain('INSUFFICIENT_LIQUIDITY')
    const key = await words(page, 'trade-key')
    await openTab(page, 'transactions')
    await page.getByTestId('transaction-search').fill(key)
    await page.getByTestId('transaction-find').click()
    await page.getByTestId('search-found').getByText('Failed').first().waitFor()
    expect((await bank().byKey(key)).status).toBe('FAILED')
    const orders = await exchangeControl(desk.bourse.exchangeUrl).orders()
    expect(orders).toHaveLength(1)
    step('did it happen? By its key: failed, and the exchange has no second order')
    await page.getByTestId('transaction-search').fill(randomUUID())
    await page.getByTestId('transaction-find').click()
    step(`a key that was never used: "${await words(page, 'search-none')}"`)
  })

  test('see an order of unknown fate pending, ask again with its key, and have it once', async () => {
    await openTab(page, 'sandbox')
    await page.getByTestId('sandbox-fate-unknown').click()
    await page.getByTestId('sandbox-ready').waitFor()
    await openTab(page, 'trade')
    await fill(page, 'Buy', '40.00')
    await page.getByTestId('trade-submit').click()
    // After 15 s it is pending; where the machine stood still meanwhile, there may be no answer at all. Both can be asked again.
    await page.getByTestId('trade-again').waitFor()
    const key = await words(page, 'trade-key')
    step(`after 15 s: "${await words(page, 'trade-result')}"`)
    expect(await endOfDeed(page)).toBe('trade-done')
    expect(await words(page, 'trade-key')).toBe(key)
    const { id, status } = await bank().byKey(key)
    const orders = await exchangeControl(desk.bourse.exchangeUrl).orders()
    expect([status, orders.filter(({ clientOrderId }) => clientOrderId === id)]).toEqual([
      'COMPLETED',
      [expect.objectContaining({ status: 'FILLED' })],
    ])
    step('asked again with the same key: completed, one order at the exchange')
  })

  test('see customers, the statement and events of their bank', async () => {
    await openTab(page, 'customers')
    await page.getByTestId(`customer-${CUSTOMER}`).waitFor()
    await openTab(page, 'statement')
    await page.getByRole('table').first().waitFor()
    const events = await until(
      () => bank().events(),
      ({ length }) => length === DEEDS,
    )
    await openTab(page, 'events')
    await page.getByTestId('event-1').getByText('Deposit booked').waitFor()
    for (const { sequence } of events) await page.getByTestId(`event-${sequence}`).waitFor()
    expect(await page.getByTestId('events').getByRole('listitem').count()).toBe(events.length)
    step(`customers, statement and events have what was done, in ${events.length} events`)
  })

  test('have an event sent again, which their server acknowledged before', async () => {
    const server = bankControl(desk.bourse.bankUrl)
    const before = await until(
      async () => (await server.events()).find(({ sequence }) => sequence === 1),
      (event) => event !== undefined,
    )
    await page.getByTestId('redelivery-from').fill('1')
    await page.getByTestId('redelivery-send').click()
    await page.getByTestId('redelivery-accepted').waitFor()
    const again = await until(
      async () => (await server.events()).find(({ sequence }) => sequence === 1),
      (event) => (event?.duplicates ?? 0) > (before?.duplicates ?? 0),
    )
    expect(again?.id).toBe(before?.id)
    step(`sent again: "${await words(page, 'redelivery-accepted')}"; the bank's server got it a second time`)
  })

  test('lose the key with a reload', async () => {
    await page.reload()
    await page.getByLabel('API key of your bank', { exact: true }).waitFor()
    expect(await page.getByTestId('bank-tab-customers').count()).toBe(0)
    step('a reload forgets the key')
    await visit.leave()
  })
})
