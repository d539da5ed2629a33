import type { Locator, Page } from 'playwright-core'
import { traderClient, type TraderClient } from '../../../../all-in-one/test/support/clients.ts'
import type { Visit } from './desk.ts'

/** What every trader of these tests signs in with. */
export const PASSWORD = 'a password of this test'

/** Signs a new trader up as a person does, and waits until their account is open. */
export const signUpByForm = async (page: Page, email: string): Promise<void> => {
  await page.getByRole('button', { name: 'Sign up' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('E-mail').fill(email)
  await dialog.getByLabel('Password').fill(PASSWORD)
  await dialog.getByRole('button', { name: 'Sign up and open my account' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByTestId('account-available').waitFor()
}

/** Signs a trader in again. */
export const signInByForm = async (page: Page, email: string): Promise<void> => {
  await page.getByRole('button', { name: 'Sign in' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('E-mail').fill(email)
  await dialog.getByLabel('Password').fill(PASSWORD)
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByTestId('account-available').waitFor()
}

/** An order as it is typed. */
export interface Order {
  readonly direction: 'Long' | 'Short'
  readonly margin: string
  readonly leverage: number
}

/** Fills the ticket of the market that is open, and waits for its preview. */
export const fillTicket = async (page: Page, { direction, margin, leverage }: Order): Promise<Locator> => {
  const ticket = page.getByTestId('ticket')
  await ticket.getByRole('radio', { name: direction }).check()
  await ticket.getByLabel('Margin', { exact: true }).fill(margin)
  await ticket.getByLabel('Leverage, as a number').fill(String(leverage))
  await ticket.getByTestId('preview-quantity').waitFor()
  return ticket
}

/** Sends the ticket and waits for the open trade; its id is new to `before`. */
export const sendTicket = async (page: Page, before: readonly string[] = []): Promise<string> => {
  await page.getByTestId('ticket-submit').click()
  const isNew = before.map((tradeId) => `:not([data-trade="${tradeId}"])`).join('')
  const card = page.getByTestId('open-trades').locator(`[data-trade]${isNew}`)
  await card.waitFor()
  return (await card.getAttribute('data-trade')) ?? ''
}

/** The API with the visitor's own session: what the page says is compared with what it answers. */
export const apiOf = async (visit: Visit, url: string): Promise<TraderClient> => {
  const cookies = await visit.context.cookies(url)
  const session = cookies.find(({ name }) => name === 'authToken')
  if (session === undefined) throw new Error('nobody is signed in')
  return traderClient(url, `authToken=${session.value}`)
}
