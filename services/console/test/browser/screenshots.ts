/**
 * Makes the pictures of the console in `docs/images/`, of a platform that runs: the longer it has run, the more bars there are.
 *
 *   node services/console/test/browser/screenshots.ts --url URL --bank-key KEY
 *
 * It signs a new trader up there and moves money of the demo bank, so take a platform of your own.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { inRoot } from '../../../common/tooling/paths.mjs'
import { openBankDesk, openTab } from './support/bank.ts'
import { launchChromium, screens, type Screen } from './support/chromium.ts'
import { expectLoaded } from './support/page.ts'
import { fillTicket, sendTicket, signInByForm, signUpByForm } from './support/trader.ts'

const FOLDER = inRoot('docs/images')
/** How long a page settles: prices come, the chart draws. */
const SETTLE_MS = 1_500

const { values } = parseArgs({ options: { url: { type: 'string' }, 'bank-key': { type: 'string' } } })
const { url, 'bank-key': bankKey } = values
if (url === undefined || bankKey === undefined) throw new Error('--url and --bank-key are needed')

const opened = async (browser: Browser, path: string, screen: Screen, colorScheme: 'light' | 'dark'): Promise<Page> => {
  const context = await browser.newContext({
    ...screens[screen],
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'UTC',
    serviceWorkers: 'block',
  })
  const page = await context.newPage()
  await page.goto(new URL(path, url).href)
  await expectLoaded(page)
  return page
}

const picture = async (page: Page, name: string): Promise<void> => {
  await page.evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
  })
  await page.mouse.move(0, 0)
  await page.waitForTimeout(SETTLE_MS)
  await page.screenshot({ path: join(FOLDER, `${name}.png`) })
  await page.context().close()
}

/** What happened to the trades lies over the page until it is closed. */
const closeMessages = async (page: Page): Promise<void> => {
  const close = page.locator('.messages').getByRole('button')
  while ((await close.count()) > 0) await close.first().click()
}

const trader = async (browser: Browser): Promise<void> => {
  const email = `ada-${Date.now()}@example.com`
  const desktop = await opened(browser, '/', 'desktop', 'dark')
  await signUpByForm(desktop, email)
  await fillTicket(desktop, { direction: 'Long', margin: '500', leverage: 50 })
  const first = await sendTicket(desktop)
  await desktop.getByTestId('market-SOL_USDC').first().click()
  await fillTicket(desktop, { direction: 'Short', margin: '250', leverage: 10 })
  await sendTicket(desktop, [first])
  await desktop.getByTestId('market-BTC_USDC').first().click()
  await fillTicket(desktop, { direction: 'Long', margin: '1000', leverage: 25 })
  await closeMessages(desktop)
  await desktop.evaluate(() => scrollTo(0, 0))
  const phone = await opened(browser, '/', 'phone', 'light')
  await signInByForm(phone, email)
  await picture(phone, 'trade-phone')
  await picture(desktop, 'trade')
}

const bank = async (browser: Browser): Promise<void> => {
  const page = await opened(browser, '/bank', 'desktop', 'light')
  await openBankDesk(page, bankKey)
  await openTab(page, 'trade')
  await page.getByRole('radio', { name: 'Deposit' }).check()
  await page.getByTestId('trade-customer').fill('user_123')
  await page.getByTestId('trade-amount').fill('500')
  await page.getByTestId('trade-reference').fill('salary')
  await page.getByTestId('trade-submit').click()
  await page.getByTestId('trade-done').waitFor()
  await page.getByRole('radio', { name: 'Buy' }).check()
  await page.getByTestId('trade-amount').fill('100')
  await page.getByTestId('quote-ask').click()
  await page.getByTestId('quote-use').click()
  await page.getByTestId('trade-result').getByTestId('entry').nth(3).waitFor()
  await page.evaluate(() => scrollTo(0, 0))
  await picture(page, 'bank')
}

mkdirSync(FOLDER, { recursive: true })
const browser = await launchChromium()
try {
  await trader(browser)
  await bank(browser)
} finally {
  await browser.close()
}
