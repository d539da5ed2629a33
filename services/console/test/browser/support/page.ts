import type { Locator, Page } from 'playwright-core'

/** Waits until nothing of the page is loading any more. */
export const expectLoaded = async (page: Page): Promise<void> => {
  await page.getByRole('main').waitFor()
  await page.waitForFunction(() => document.querySelector('.loading') === null)
}

/** The number that a place shows, as the API writes it: grouping and signs of locales taken off. */
export const numberIn = async (place: Locator): Promise<string> => {
  const text = (await place.innerText()).replaceAll('−', '-').replaceAll(',', '')
  const found = /[-+]?\d+(\.\d+)?/.exec(text)?.[0]
  if (found === undefined) throw new Error(`no number in "${text}"`)
  return found.replace('+', '')
}

/** Goes to another page of the console as a person does, without loading it anew. */
export const goTo = async (page: Page, name: string): Promise<void> => {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true }).click()
  await expectLoaded(page)
}
