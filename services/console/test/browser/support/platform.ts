import type { Page } from 'playwright-core'
import { ADMIN_TOKEN } from '../../../../all-in-one/test/support/bourse.ts'
import { expectLoaded } from './page.ts'

/** Opens the platform page that asks for its token. */
export const openPlatform = async (page: Page): Promise<void> => {
  const name = page.getByLabel('Your name, for the audit')
  if ((await name.count()) > 0) await name.fill('an operator of this test')
  await page.getByLabel('Administration token', { exact: true }).fill(ADMIN_TOKEN)
  await page.getByRole('button', { name: 'Open' }).click()
  await page.getByTestId('platform-readiness').waitFor()
  await expectLoaded(page)
}
