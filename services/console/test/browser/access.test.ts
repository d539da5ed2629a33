import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { bankClient } from '../../../all-in-one/test/support/clients.ts'
import { lookAt } from './support/axe.ts'
import { openBankDesk, openTab } from './support/bank.ts'
import { missingChromium } from './support/chromium.ts'
import { openDesk, type Desk, type Visit } from './support/desk.ts'
import { press, typeInto } from './support/keyboard.ts'
import { expectLoaded, goTo } from './support/page.ts'
import { openPlatform } from './support/platform.ts'
import { step } from './support/step.ts'
import { apiOf, fillTicket, PASSWORD, sendTicket, signUpByForm } from './support/trader.ts'
import { calm } from './support/world.ts'

const CUSTOMER = 'user_123'
const BANK_TABS = ['overview', 'customers', 'transactions', 'trade', 'statement', 'events', 'sandbox'] as const

/** Four looks at a page, said as one step. */
const expectAccessible = async (page: Page, name: string): Promise<void> => {
  await expectLoaded(page)
  expect(await lookAt(page)).toEqual([])
  step(`${name}: nothing serious, light and dark, phone and desktop`)
}

describeUnless(missingChromium, 'the console for everybody', () => {
  let desk: Desk
  const visit = (path: string): Promise<Visit> => desk.visit(path, { reducedMotion: 'reduce' })
  beforeAll(async () => {
    desk = await openDesk({ pairs: [calm('BTC_USDC', '60000'), calm('SOL_USDC', '240')] })
  })
  afterAll(() => desk.stop())

  test('has no serious fault of access for a stranger', async () => {
    const { page, leave } = await visit('/')
    for (const name of ['Trade', 'History', 'Wallet', 'Bank desk', 'Platform']) {
      await goTo(page, name)
      await expectAccessible(page, `${name}, signed out`)
    }
    await goTo(page, 'Trade')
    await page.getByRole('button', { name: 'Sign up' }).first().click()
    await expectAccessible(page, 'signing up')
    await leave()
  })

  test('has none for a trader with open and closed trades', async () => {
    const seen = await visit('/')
    const { page } = seen
    await signUpByForm(page, 'ada@example.com')
    await fillTicket(page, { direction: 'Long', margin: '100', leverage: 20 })
    const first = await sendTicket(page)
    await fillTicket(page, { direction: 'Short', margin: '50', leverage: 3 })
    await sendTicket(page, [first])
    await (await apiOf(seen, desk.bourse.url)).close(first)
    await page.getByTestId(`trade-${first}`).waitFor({ state: 'detached' })
    await fillTicket(page, { direction: 'Long', margin: '100', leverage: 20 })
    await expectAccessible(page, 'Trade, with a preview and an open trade')
    for (const name of [/^Stop · target/, /^Close Short/]) {
      await page.getByTestId('open-trades').getByRole('button', { name }).click()
      await expectAccessible(
        page,
        `dialog "${await page.getByRole('dialog').getByRole('heading').first().innerText()}"`,
      )
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
    }
    await goTo(page, 'History')
    await page.getByRole('button', { name: /^Explain/ }).click()
    await page.getByTestId('explanation').waitFor()
    await expectAccessible(page, 'History, with an explanation')
    await goTo(page, 'Wallet')
    await expectAccessible(page, 'Wallet')
    await seen.leave()
  })

  test('has none for a bank’s staff and an operator', async () => {
    const bank = bankClient(desk.bourse.url)
    expect((await bank.deposit(CUSTOMER, '500.00')).status).toBe(201)
    expect((await bank.buy(CUSTOMER, '100.00')).status).toBe(201)
    const { page, leave } = await visit('/bank')
    await openBankDesk(page)
    for (const tab of BANK_TABS) {
      await openTab(page, tab)
      await expectAccessible(page, `bank desk, ${tab}`)
    }
    await goTo(page, 'Platform')
    await openPlatform(page)
    await expectAccessible(page, 'Platform, open')
    await leave()
  })

  test('can be worked by keyboard alone: signing in, an order, its close', async () => {
    const email = 'keys@example.com'
    const before = await visit('/')
    await signUpByForm(before.page, email)
    await before.leave()

    const seen = await visit('/')
    const { page } = seen
    await expectLoaded(page)
    await press(page, page.getByRole('button', { name: 'Sign in' }).first())
    await typeInto(page, page.getByLabel('E-mail'), email)
    await typeInto(page, page.getByLabel('Password'), PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByTestId('account-available').waitFor()
    step('signed in by keyboard')
    await typeInto(page, page.getByTestId('ticket-margin'), '100')
    await page.getByTestId('preview-quantity').waitFor()
    await press(page, page.getByTestId('ticket-submit'))
    await page.getByTestId('open-trades').locator('[data-trade]').waitFor()
    const api = await apiOf(seen, desk.bourse.url)
    expect((await api.balance()).trades).toHaveLength(1)
    step('opened a trade by keyboard')
    await press(page, page.getByTestId('trade-close'))
    await press(page, page.getByTestId('close-submit'))
    await page.getByTestId('open-trades').locator('[data-trade]').waitFor({ state: 'detached' })
    expect((await api.balance()).trades).toHaveLength(0)
    step('closed it by keyboard')
    await seen.leave()
  })
})
