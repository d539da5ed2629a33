import type { Locator, Page } from 'playwright-core'

/** More stops than any page has. */
const STOPS_MAX = 150

/** Goes to a place by Tab alone, from wherever the focus is. */
const tabTo = async (page: Page, place: Locator): Promise<void> => {
  await place.waitFor()
  for (let stops = 0; stops < STOPS_MAX; stops++) {
    if (await place.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not lead to ${String(place)}`)
}

/** Goes to a button by Tab and presses it. */
export const press = async (page: Page, button: Locator): Promise<void> => {
  await tabTo(page, button)
  await page.keyboard.press('Enter')
}

/** Goes to a field by Tab and types into it. */
export const typeInto = async (page: Page, field: Locator, text: string): Promise<void> => {
  await tabTo(page, field)
  await page.keyboard.type(text)
}
