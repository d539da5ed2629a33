import { newKey } from './data.ts'
import { call, jsonOf, listIn, objectIn, type Answer, type Json } from './http.ts'
import { bankKey } from './settings.ts'

const headers = { 'x-api-key': bankKey }

const keyed = (path: string, name: string, body: object, key: string): Answer =>
  call('POST', `/api/v1${path}`, name, body, { headers: { ...headers, 'x-idempotency-key': key } })

/** Moves fiat to a customer. */
export const deposit = (bankUserId: string, amount: string): Answer =>
  keyed('/deposits', 'deposit', { bankUserId, amount, currency: 'AZN', reference: 'load' }, newKey())

/** A price that is held. */
export const quote = (bankUserId: string, amount: string): Answer =>
  call(
    'POST',
    '/api/v1/quotes',
    'quote',
    { bankUserId, side: 'BUY', amount, currency: 'AZN' },
    { headers, isRepeatable: true },
  )

/** Buys for fiat, on a quote if there is one. */
export const buy = (bankUserId: string, amount: string, key: string, quoteId?: string): Answer =>
  keyed(
    '/trade/buy',
    'buy',
    { bankUserId, amount, currency: 'AZN', ...(quoteId === undefined ? {} : { quoteId }) },
    key,
  )

/** Sells crypto. */
export const sell = (bankUserId: string, amount: string, key: string): Answer =>
  keyed('/trade/sell', 'sell', { bankUserId, amount, currency: 'USDT' }, key)

/** The data of a trade's or deposit's answer. */
export const tradeOf = (answer: Answer): Json => objectIn(jsonOf(answer), 'data')

/** What the bank's customers have and had: opening and closing balances and every entry between, of this bank. */
export const statementFrom = (from: string): Json =>
  jsonOf(call('GET', `/api/v1/statement?from=${from}`, 'statement', null, { headers }))

/** The bank's transactions, the newest first, as far as `isWanted`. */
export const transactionsWhile = (isWanted: (transaction: Json) => boolean): readonly Json[] => {
  const transactions: Json[] = []
  for (let cursor = ''; ;) {
    const page = jsonOf(call('GET', `/api/v1/transactions?limit=200${cursor}`, 'transactions', null, { headers }))
    const found = listIn(page, 'transactions')
    transactions.push(...found.filter(isWanted))
    const next = page['nextCursor']
    if (typeof next !== 'string' || !found.every(isWanted)) return transactions
    cursor = `&cursor=${encodeURIComponent(next)}`
  }
}
