import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import { createCaller, listIn, objectIn, type Json } from './call.ts'
import { createReport, type DemoStep } from './step.ts'

const sum = (entries: readonly Json[], currency: string): string =>
  formatAmount(
    entries
      .filter((entry) => entry['currency'] === currency)
      .reduce((total, entry) => total + parseAmount(String(entry['amount'])), 0n),
  )

/**
 * The contract's example through the public bank API: at a ticker of 1.6847 a customer buys for 100.00 AZN, repeats the
 * key, tries
 * another body under it, uses a quote once and sells. Sets the simulator's price and puts it back.
 */
export const runBankFlow = async (
  urls: { readonly core: string; readonly exchange: string },
  apiKey: string,
  ids: Ids,
): Promise<readonly DemoStep[]> => {
  const report = createReport('bank')
  const call = createCaller(urls.core, { 'x-api-key': apiKey })
  const exchange = createCaller(urls.exchange, {})
  const keyed = (): Record<string, string> => ({ 'x-idempotency-key': ids.uuid() })
  const bankUserId = `demo_${ids.uuid().slice(0, 8)}`
  const before = await exchange('GET', '/ticker?symbol=AZNUSDT')
  await exchange('PUT', '/control', { prices: { AZNUSDT: '1.6847' }, faults: [] })
  try {
    const deposit = await call(
      'POST',
      '/api/v1/deposits',
      { bankUserId, amount: '500.00', currency: 'AZN', reference: 'demo' },
      keyed(),
    )
    report.equal('deposit 500.00 AZN', [deposit.status, objectIn(deposit.body, 'data')['status']], [201, 'COMPLETED'])

    const key = keyed()
    const order = { bankUserId, amount: '100.00', currency: 'AZN' }
    const buy = await call('POST', '/api/v1/trade/buy', order, key)
    const data = objectIn(buy.body, 'data')
    report.equal('buy for 100.00 AZN', buy.status, 201, buy.body)
    report.equal('cryptoAmount', data['cryptoAmount'], '58.47')
    report.equal('exchangeRate', data['exchangeRate'], '1.7100')
    const repeat = await call('POST', '/api/v1/trade/buy', order, key)
    report.equal('the same key again', { status: repeat.status, ...repeat.body }, { status: buy.status, ...buy.body })
    const conflict = await call('POST', '/api/v1/trade/buy', { ...order, amount: '101.00' }, key)
    report.equal(
      'the same key, another amount',
      [conflict.status, conflict.body['errorCode']],
      [409, 'IDEMPOTENCY_CONFLICT'],
    )

    const transaction = (await call('GET', `/api/v1/transactions/${String(data['transactionId'])}`)).body
    const entries = listIn(transaction, 'entries')
    report.equal('entries of the buy', entries.length, 4, entries)
    report.equal('their sum in AZN and USDT', [sum(entries, 'AZN'), sum(entries, 'USDT')], ['0', '0'])

    const quote = (
      await call('POST', '/api/v1/quotes', { bankUserId, side: 'SELL', amount: '10.00', currency: 'USDT' })
    ).body
    const sale = { bankUserId, quoteId: quote['quoteId'], amount: '10.00', currency: 'USDT' }
    const sell = await call('POST', '/api/v1/trade/sell', sale, keyed())
    report.equal(
      'sell 10.00 USDT on a quote',
      [sell.status, objectIn(sell.body, 'data')['fiatAmount']],
      [201, quote['fiatAmount']],
    )
    const again = await call('POST', '/api/v1/trade/sell', sale, keyed())
    report.equal('the quote a second time', [again.status, again.body['errorCode']], [409, 'QUOTE_USED'])
    const greedy = await call('POST', '/api/v1/trade/buy', { ...order, amount: '9000.00' }, keyed())
    report.equal('more than the balance', [greedy.status, greedy.body['errorCode']], [422, 'INSUFFICIENT_FUNDS'])

    const accounts = (await call('GET', `/api/v1/users/${bankUserId}/accounts`)).body as unknown as Json[]
    const balances = Object.fromEntries(accounts.map((account) => [account['currency'], account['balance']]))
    const fiat = formatAmount(parseAmount('400') + parseAmount(String(quote['fiatAmount'])), 2)
    report.equal('balances', balances, { AZN: fiat, USDT: '48.47' })
  } finally {
    const price = String(before.body['price'] ?? '1.7050')
    await exchange('PUT', '/control', { prices: { AZNUSDT: price } })
  }
  return report.steps
}
