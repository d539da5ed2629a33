import type { Page } from 'playwright-core'
import { API_KEY } from '../../../../all-in-one/test/support/bourse.ts'
import { expectLoaded } from './page.ts'

/** Opens the bank desk that asks for its key. */
export const openBankDesk = async (page: Page, key: string = API_KEY): Promise<void> => {
  await page.getByLabel('API key of your bank', { exact: true }).fill(key)
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByTestId('bank-tab-customers').waitFor()
  await expectLoaded(page)
}

/** Goes to one of the desk's pages, by its tab. */
export const openTab = async (page: Page, name: string): Promise<void> => {
  await page.getByTestId(`bank-tab-${name}`).click()
  await expectLoaded(page)
}

/**
 * How the deed that was sent has ended: `trade-done` or `trade-refused`. Of one that is pending, or was not answered in time,
 * the desk is asked again with its key, as a person would.
 */
export const endOfDeed = async (page: Page): Promise<string> => {
  const ends = ['done', 'refused', 'pending', 'unknown'].map((step) => `[data-testid="trade-${step}"]`).join()
  for (;;) {
    const shown = page.locator(ends).first()
    await shown.waitFor()
    const step = (await shown.getAttribute('data-testid')) ?? ''
    if (step === 'trade-done' || step === 'trade-refused') return step
    if (step === 'trade-pending') await shown.getByText('It has ended meanwhile').waitFor()
    await page.getByTestId('trade-again').click()
    await page.getByTestId('trade-again').waitFor({ state: 'detached' })
  }
}
