import { isDeepStrictEqual } from 'node:util'
import { expect } from '@jest/globals'
import { API_KEY, type Bourse } from './bourse.ts'
import { call, newKey, until } from './calls.ts'
import { bankClient, bankControl, codeOf, exchangeControl, signUp, traderClient, type TraderClient } from './clients.ts'
import { insist } from './load.ts'
import { readSeries } from './series.ts'
import { bought, closed, deposited, opened, sold } from './sure.ts'

/**
 * Resolves once the bank has so many events, and the platform has recorded that it has them: an event whose acknowledgement is
 * not on record comes once more after a restart, and is recorded while a test looks at the records.
 */
export const eventsTaken = async (bourse: Bourse, count: number): Promise<void> => {
  const labels = { operation: 'webhook', outcome: 'answered' }
  await until(
    async () => (await readSeries(bourse.url)).sum('bourse_bridge_calls_total', labels),
    (answered) => answered >= count,
  )
  // Ordered behind the acknowledgement, and answered when it is on record.
  const cancel = { method: 'DELETE', headers: { 'x-api-key': API_KEY } }
  await until(
    () => call(`${bourse.url}/api/v1/quotes/q_${'0'.repeat(32)}`, cancel),
    (answer) => codeOf(answer) === 'QUOTE_NOT_FOUND',
  )
}

/** A little of everything: deposits, buys, a refused buy, a sell, trades open and closed. */
export const makeHistory = async (bourse: Bourse): Promise<TraderClient> => {
  const bank = bankClient(bourse.url)
  for (const customer of ['anna', 'ben']) {
    await deposited(bank, customer, '500.00')
    for (const amount of ['10.00', '25.50']) await bought(bank, customer, amount)
    const key = newKey()
    expect(codeOf(await insist(() => bank.buy(customer, '9999.00', key)))).toBe('INSUFFICIENT_FUNDS')
  }
  const last = await sold(bank, 'anna', '2.00')
  const trader = await signUp(bourse.url, 'history')
  const ids: string[] = []
  for (const asset of ['BTC_USDC', 'SOL_USDC', 'BTC_USDC']) {
    ids.push((await opened(trader, { asset, margin: '100', leverage: 5 })).tradeId)
  }
  await closed(trader, ids[0] ?? '')
  const events = await until(
    () => bank.events(),
    (found) => found.some(({ data }) => data.transactionId === last.transactionId),
  )
  await eventsTaken(bourse, events.length)
  await until(
    () => trader.trades(),
    (trades) => trades.filter(({ status }) => status === 'closed').length === 1,
  )
  return trader
}

/** Views come up to what the journal has beside a running platform: its lists are whole after a moment. */
export const expectStory = async (bourse: Bourse, cookie: string, wanted: Story): Promise<void> => {
  const told = () => storyOf(bourse, cookie)
  await until(told, (now) => isDeepStrictEqual(now, wanted)).catch(() => undefined)
  expect(await told()).toEqual(wanted)
}

/** All that the API, and the world outside, says of a history; what moves with the market is left out. */
export const storyOf = async (bourse: Bourse, cookie: string) => {
  const bank = bankClient(bourse.url)
  const trader = traderClient(bourse.url, cookie)
  const { balances, trades } = await trader.balance()
  const exchange = exchangeControl(bourse.exchangeUrl)
  return {
    accounts: [await bank.accounts('anna'), await bank.accounts('ben')],
    transactions: await bank.transactions(),
    events: await bank.events(),
    balances,
    open: trades.map(({ pnl: _, ...trade }) => trade),
    trades: await trader.trades(),
    markets: (await call(`${bourse.url}/api/v1/markets`)).body,
    orders: await exchange.orders(),
    calls: (await exchange.log()).filter(({ path }) => path === '/order'),
    received: await bankControl(bourse.bankUrl).events(),
  }
}

/** What `storyOf` tells. */
export type Story = Awaited<ReturnType<typeof storyOf>>
