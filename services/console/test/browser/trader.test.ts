import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { until } from '../../../all-in-one/test/support/calls.ts'
import type { TradeBody, TraderClient } from '../../../all-in-one/test/support/clients.ts'
import { missingChromium } from './support/chromium.ts'
import { openDesk, type Desk, type Visit } from './support/desk.ts'
import { goTo, numberIn } from './support/page.ts'
import { step } from './support/step.ts'
import { missingTape, startTape, type TapeTicker } from './support/tape.ts'
import { apiOf, fillTicket, sendTicket, signUpByForm } from './support/trader.ts'
import { worldOn } from './support/world.ts'

/** From 50 times to the liquidation the tape has some 200 ticks. */
const FIRST_TICKS = 20

/** Facts by the names of their places, as the API writes numbers. */
const factsOf = async (page: Page, prefix: string, names: readonly string[]): Promise<Record<string, string>> => {
  const facts: Record<string, string> = {}
  for (const name of names) facts[name] = await numberIn(page.getByTestId(`${prefix}${name}`))
  return facts
}

const same = (text: string): string => formatAmount(parseAmount(text))

describeUnless(missingChromium ?? missingTape, 'a trader at the console', () => {
  let tape: TapeTicker
  let desk: Desk
  let visit: Visit
  let page: Page
  let api: TraderClient
  const opened = { first: '', second: '' }
  const openTrade = async (tradeId: string): Promise<TradeBody & Record<string, unknown>> => {
    const { trades } = await api.balance()
    const trade = trades.find((one) => one.tradeId === tradeId)
    if (trade === undefined) throw new Error(`${tradeId} is not open`)
    return trade as TradeBody & Record<string, unknown>
  }

  /** Lists may lag behind what was answered. */
  const closedTrade = async (tradeId: string): Promise<TradeBody> => {
    const trade = await until(
      async () => (await api.trades()).find((one) => one.tradeId === tradeId),
      (one) => one?.status === 'closed',
    )
    if (trade === undefined) throw new Error(`${tradeId} is not in the list`)
    return trade
  }

  beforeAll(async () => {
    tape = await startTape()
    desk = await openDesk(worldOn(tape))
    visit = await desk.visit('/')
    page = visit.page
  })
  afterAll(async () => {
    await desk.stop()
    await tape.stop()
  })

  test('signs up, gets an account with the demo balance, and sees prices move', async () => {
    await signUpByForm(page, 'ada@example.com')
    expect(await numberIn(page.getByTestId('account-available'))).toMatch(/^10000(\.0+)?$/)
    step('signed up; the demo balance of 10,000 USDC is available')
    api = await apiOf(visit, desk.bourse.url)
    const price = page.getByTestId('price-SOL_USDC').first()
    const before = await price.innerText()
    await page.waitForFunction(
      (text) => document.querySelector<HTMLElement>('[data-testid="price-SOL_USDC"]')?.innerText !== text,
      before,
    )
    step(`SOL was ${before.replaceAll('\n', ' ')}, now ${(await price.innerText()).replaceAll('\n', ' ')}`)
    await page.getByTestId('market-ETH_USDC').first().getByText('Reduce only').waitFor()
  })

  test('opens at 50 times exactly what the preview promised', async () => {
    await page.getByTestId('market-BTC_USDC').first().click()
    await fillTicket(page, { direction: 'Long', margin: '1000', leverage: 50 })
    const names = ['entryPrice', 'quantity', 'openFee', 'liquidationPrice']
    const preview = await factsOf(page, 'preview-', names)
    step(`preview: ${JSON.stringify(preview)}`)
    opened.first = await sendTicket(page)
    const { entryPrice, quantity, fees, liquidationPrice } = await openTrade(opened.first)
    const traded = { entryPrice, quantity, openFee: fees, liquidationPrice: liquidationPrice ?? '' }
    expect(Object.values(preview).map(same)).toEqual(Object.values(traded).map(same))
    step(`traded:  ${JSON.stringify(traded)}: the same to the unit`)
  })

  test('changes the stop of an open trade, and it stands', async () => {
    const card = page.getByTestId(`trade-${opened.first}`)
    const { liquidationPrice } = await openTrade(opened.first)
    // Below the liquidation, where it never fires before it.
    const stop = formatAmount(parseAmount(liquidationPrice ?? '') - parseAmount('500'))
    await card.getByRole('button', { name: /^Stop · target/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(/^Stop price/).fill(stop)
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await card.getByTestId('trade-stop').getByText(/\d/).waitFor()
    expect(same(await numberIn(card.getByTestId('trade-stop')))).toBe(same(stop))
    expect((await openTrade(opened.first))['stopLossPrice']).toBe(same(stop))
    step(`the stop is ${stop} now, at the server too`)
  })

  test('closes a second trade by hand', async () => {
    await fillTicket(page, { direction: 'Short', margin: '200', leverage: 5 })
    opened.second = await sendTicket(page, [opened.first])
    await page
      .getByTestId(`trade-${opened.second}`)
      .getByRole('button', { name: /^Close/ })
      .click()
    const dialog = page.getByRole('dialog')
    const about = await numberIn(dialog.getByTestId('close-returned'))
    await dialog.getByRole('button', { name: 'Close the trade' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByTestId(`trade-${opened.second}`).waitFor({ state: 'detached' })
    const { returned } = await closedTrade(opened.second)
    expect(same(about)).toBe(same(returned))
    step(`closed by hand: ${about} USDC came back, as the dialog had said`)
  })

  test('sees the balances that the books have', async () => {
    await goTo(page, 'Wallet')
    const { balances } = await api.balance()
    const books = { available: balances[0]?.available, locked: balances[0]?.locked }
    // Balances are read again after an event, at most once a second.
    const shown = await until(
      async () => ({
        available: same(await numberIn(page.getByTestId('wallet-available'))),
        locked: same(await numberIn(page.getByTestId('wallet-locked'))),
      }),
      ({ available, locked }) => available === books.available && locked === books.locked,
    )
    step(`the wallet says ${shown.available} available and ${shown.locked} locked, as GET_BALANCE does`)
  })

  test('sees its trade liquidated while it looks, and is told why', async () => {
    await goTo(page, 'Trade')
    const card = page.getByTestId(`trade-${opened.first}`)
    const pnl = card.getByTestId('trade-pnl')
    const before = await numberIn(pnl)
    tape.play(2, FIRST_TICKS)
    const after = await until(
      () => numberIn(pnl),
      (now) => now !== before,
    )
    step(`the tape runs: ${before}, then ${after}`)
    tape.play(2)
    await card.waitFor({ state: 'detached' })
    tape.stand()
    step(`liquidated at tick ${tape.position()} of the tape`)
    const notice = page.locator('[data-testid^="notice-"]').filter({ hasText: /liquidated/i })
    await notice.waitFor()
    step(`told at once: ${(await notice.innerText()).replaceAll('\n', ' ')}`)
    await goTo(page, 'History')
    const row = page.getByRole('row').filter({ hasText: 'Liquidated' })
    await row.waitFor()
    await row.getByRole('button').first().click()
    const explained = page.getByTestId('explanation')
    const words = await explained.innerText()
    const { returned } = await closedTrade(opened.first)
    expect(words.toLowerCase()).toContain('maintenance')
    expect(words.replaceAll(',', '')).toContain(returned)
    step(`the history explains: ${words.replaceAll('\n', ' ').slice(0, 300)}`)
  })

  test('broke nothing on the way', async () => {
    await visit.leave()
  })
})
