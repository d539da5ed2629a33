import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { startProxy, type Proxy } from '@bourse/common/testkit/servers/proxy.ts'
import { pause, until } from '../../../all-in-one/test/support/calls.ts'
import { adminClient, type TraderClient } from '../../../all-in-one/test/support/clients.ts'
import { missingChromium } from './support/chromium.ts'
import { openDesk, type Desk, type Visit } from './support/desk.ts'
import { step } from './support/step.ts'
import { missingTape, startTape, type TapeTicker } from './support/tape.ts'
import { apiOf, fillTicket, sendTicket, signUpByForm } from './support/trader.ts'
import { SOON_OLD, worldOn } from './support/world.ts'

const MARKET = 'BTC_USDC'

describeUnless(missingChromium ?? missingTape, 'a trader whose connection, price or market fails', () => {
  let tape: TapeTicker
  let desk: Desk
  let proxy: Proxy
  let visit: Visit
  let page: Page
  let api: TraderClient

  const openIds = async (): Promise<string[]> => (await api.balance()).trades.map(({ tradeId }) => tradeId)
  const shownIds = (): Promise<string[]> =>
    page.locator('[data-trade]').evaluateAll((cards) => cards.map((card) => card.getAttribute('data-trade') ?? ''))
  const reason = () => page.getByTestId('ticket-reason')
  const submit = () => page.getByTestId('ticket-submit')
  /** The page may lag behind what the API answers. */
  const expectShown = async (ids: readonly string[]): Promise<void> => {
    await until(shownIds, (shown) => shown.join() === ids.join())
  }
  const openMarket = async (symbol: string): Promise<void> => {
    await page.getByTestId(`market-${symbol}`).first().click()
    await fillTicket(page, { direction: 'Long', margin: '100', leverage: 10 })
  }

  beforeAll(async () => {
    tape = await startTape()
    desk = await openDesk(worldOn(tape))
    proxy = await startProxy({ port: Number(new URL(desk.bourse.url).port) })
    visit = await desk.visit('/', { url: proxy.urlOf(desk.bourse.url) })
    page = visit.page
    await signUpByForm(page, 'grace@example.com')
    api = await apiOf(visit, desk.bourse.url)
    await openMarket(MARKET)
  })
  afterAll(async () => {
    await desk.stop()
    await proxy.stop()
    await tape.stop()
  })

  // What one test broke is whole again for the next one.
  afterEach(() => {
    proxy.heal()
    tape.stand()
  })

  test('loses an order’s answer and all connections, and has exactly one trade', async () => {
    // The order goes forth; nothing comes back any more, neither its answer nor prices.
    proxy.blackHole('back')
    await submit().click()
    const [opened, ...others] = await until(openIds, ({ length }) => length > 0)
    expect(others).toEqual([])
    step('the order was executed, its answer is lost')
    // Connections end while nothing comes back: the answer can not slip through.
    proxy.refuse()
    await page.getByTestId('notice-connection').waitFor()
    step(`notice: ${(await page.getByTestId('notice-connection').innerText()).replaceAll('\n', ' ')}`)
    await page.getByTestId('notice-order').waitFor()
    step(`notice: ${(await page.getByTestId('notice-order').innerText()).replaceAll('\n', ' ')}`)
    expect(await submit().isDisabled()).toBe(true)
    await pause(2_000)
    proxy.heal()
    await page.getByTestId('notice-connection').waitFor({ state: 'detached' })
    await page.getByTestId('open-trades').locator('[data-trade]').waitFor()
    // It is asked for again by itself for half a minute; later, where a machine took so long, by a person.
    const notice = page.getByTestId('notice-order')
    const again = notice.getByRole('button', { name: 'Ask again' })
    await until(
      async () => {
        if (await again.isVisible()) await again.click()
        return notice.count()
      },
      (count) => count === 0,
    )
    await expectShown([opened ?? ''])
    expect(await openIds()).toEqual([opened])
    step('connected again: one trade at the server, one on the page')
  })

  test('hears after a cut of what happened during it, once', async () => {
    const [first] = await openIds()
    await pause(500)
    proxy.refuse()
    await page.getByTestId('notice-connection').waitFor()
    const opened = await api.open({ asset: MARKET, margin: '50', leverage: 3 })
    const closed = await api.close(first ?? '')
    expect([opened.status, closed.status]).toEqual([200, 200])
    step('meanwhile another device opened a trade and closed the first one')
    proxy.heal()
    await page.getByTestId('notice-connection').waitFor({ state: 'detached' })
    await page.getByTestId(`trade-${first ?? ''}`).waitFor({ state: 'detached' })
    const [second] = await openIds()
    await page.getByTestId(`trade-${second ?? ''}`).waitFor()
    await expectShown(await openIds())
    step('the page shows the one that is open, and only that')
  })

  test('is not let trade on an old price, and is told why', async () => {
    await openMarket(SOON_OLD)
    tape.fall()
    await reason().getByText(/price/i).waitFor()
    expect(await submit().isDisabled()).toBe(true)
    step(`the source fell silent: "${(await reason().innerText()).replaceAll('\n', ' ')}"`)
    await page.getByTestId(`market-${SOON_OLD}`).first().getByText(/old/i).waitFor()
    tape.stand()
    await reason().waitFor({ state: 'detached' })
    await until(
      () => submit().isEnabled(),
      (isEnabled) => isEnabled,
    )
    step('it speaks again: the button can be pressed')
    await openMarket(MARKET)
  })

  test('is not let trade in a halted market, and is told why', async () => {
    const admin = adminClient(desk.bourse.url)
    expect((await admin.act(`/markets/${MARKET}/halt`)).status).toBe(200)
    await reason()
      .getByText(/halted/i)
      .waitFor()
    expect(await submit().isDisabled()).toBe(true)
    step(`halted: "${(await reason().innerText()).replaceAll('\n', ' ')}"`)
    expect((await admin.act(`/markets/${MARKET}/reopen`)).status).toBe(200)
    await reason().waitFor({ state: 'detached' })
    const before = await openIds()
    // Once its order is open the ticket is empty.
    await fillTicket(page, { direction: 'Short', margin: '60', leverage: 4 })
    await sendTicket(page, before)
    expect(await openIds()).toHaveLength(before.length + 1)
    step('open again: the order went through')
  })

  test('broke nothing on the way', async () => {
    await visit.leave()
  })
})
