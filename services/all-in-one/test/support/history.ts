import type { Bourse } from './bourse.ts'
import { call, until } from './calls.ts'
import {
  bankClient,
  bankControl,
  engineData,
  exchangeControl,
  signUp,
  traderClient,
  type TradeBody,
  type TraderClient,
} from './clients.ts'

/** A little of everything: deposits, buys, a refused buy, a sell, trades open and closed. */
export const makeHistory = async (bourse: Bourse): Promise<TraderClient> => {
  const bank = bankClient(bourse.url)
  for (const customer of ['anna', 'ben']) {
    await bank.deposit(customer, '500.00')
    for (const amount of ['10.00', '25.50', '9999.00']) await bank.buy(customer, amount)
  }
  await bank.sell('anna', '2.00')
  const trader = await signUp(bourse.url, 'history')
  const ids: string[] = []
  for (const asset of ['BTC_USDC', 'SOL_USDC', 'BTC_USDC']) {
    ids.push(engineData<TradeBody>(await trader.open({ asset, margin: '100', leverage: 5 })).tradeId)
  }
  engineData(await trader.close(ids[0] ?? ''))
  await until(
    () => bank.events(),
    (events) => events.length >= 9,
  )
  await until(
    () => trader.trades(),
    (trades) => trades.filter(({ status }) => status === 'closed').length === 1,
  )
  return trader
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
