import { parseAmount } from '@bourse/common/money/amount.ts'
import type { Answer } from './calls.ts'
import {
  codeOf,
  dataOf,
  engineData,
  type BankClient,
  type BankSideBody,
  type EventBody,
  type OrderBody,
  type TradeBody,
  type TraderClient,
  type TransactionBody,
} from './clients.ts'
import type { Done } from './load.ts'

/** What a completed bank trade answered. */
export interface BankTradeBody {
  readonly transactionId: string
  readonly cryptoAmount: string
  readonly fiatAmount?: string
}

const succeeded = ({ answer }: Done): boolean => answer.status < 300

/** A count of each value. */
export const countsOf = (values: Iterable<string>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

/** Each operation's kind and end: `buy 201`, `open INSUFFICIENT_FUNDS`, with how many there are. */
export const outcomesOf = (done: readonly Done[]): Record<string, number> =>
  countsOf(done.map(({ kind, answer }) => `${kind} ${codeOf(answer) ?? answer.status}`))

/** What a customer's balances must be by the answers: AZN and USDT, in units. */
export const owedToCustomer = (done: readonly Done[], who: number): { readonly AZN: bigint; readonly USDT: bigint } => {
  let [fiat, crypto] = [0n, 0n]
  for (const operation of done.filter((one) => one.who === who && succeeded(one))) {
    if (operation.kind === 'deposit') fiat += parseAmount(operation.amount)
    if (operation.kind !== 'buy' && operation.kind !== 'sell') continue
    const trade = dataOf<BankTradeBody>(operation.answer)
    const sign = operation.kind === 'buy' ? 1n : -1n
    fiat -= sign * parseAmount(operation.kind === 'buy' ? operation.amount : (trade.fiatAmount ?? ''))
    crypto += sign * parseAmount(trade.cryptoAmount)
  }
  return { AZN: fiat, USDT: crypto }
}

/** A customer's balances as the API has them, in units, nothing locked. */
export const heldByCustomer = async (bank: BankClient, customer: string) => {
  const accounts = await bank.accounts(customer)
  const locked = accounts.reduce((sum, { lockedBalance }) => sum + parseAmount(lockedBalance), 0n)
  const of = (currency: string): bigint =>
    parseAmount(accounts.find((account) => account.currency === currency)?.balance ?? '0')
  return { AZN: of('AZN'), USDT: of('USDT'), locked }
}

/** The trades a trader's answers say there are. */
export const tradesOf = (done: readonly Done[], who: number): TradeBody[] =>
  done
    .filter((one) => one.kind === 'open' && one.who === who && succeeded(one))
    .map(({ answer }) => engineData<TradeBody>(answer))

/**
 * What a trader has by the demo balance and their trades' figures, and has by the ledger; in units. Both count the
 * margins of open trades as locked; an open trade has cost its open fee, a closed one its fees and funding less its gain.
 */
export const moneyOfTrader = async (trader: TraderClient, demoBalance: bigint, closed: readonly Answer[]) => {
  const { balances, trades } = await trader.balance()
  const sum = (amounts: readonly string[]): bigint => amounts.reduce((total, amount) => total + parseAmount(amount), 0n)
  const ended = closed.map((answer) => engineData<TradeBody>(answer))
  const gained = sum(ended.map(({ pnl }) => pnl)) - sum(ended.flatMap(({ fees, funding }) => [fees, funding]))
  const locked = sum(trades.map(({ margin }) => margin))
  const [account] = balances
  return {
    owed: { total: demoBalance + gained - sum(trades.map(({ fees }) => fees)), locked },
    held: {
      total: parseAmount(account?.available ?? '0') + parseAmount(account?.locked ?? '0'),
      locked: parseAmount(account?.locked ?? '0'),
    },
  }
}

/** What is wrong between the transactions, the exchange's orders and the bank's memory: a line each. */
export const outsideFaults = (
  transactions: readonly TransactionBody[],
  orders: readonly OrderBody[],
  bankSide: ReadonlyMap<string, BankSideBody | null>,
): string[] => {
  const faults: string[] = []
  const byId = new Map(transactions.map((transaction) => [transaction.id, transaction]))
  const filled = new Map<string, OrderBody>()
  for (const order of orders) {
    if (filled.has(order.clientOrderId)) faults.push(`${order.clientOrderId} was ordered twice`)
    if (order.status === 'FILLED') filled.set(order.clientOrderId, order)
    if (!byId.has(order.clientOrderId)) faults.push(`order ${order.clientOrderId} belongs to no transaction`)
  }
  for (const { id, type, status, amountIn, amountOut } of transactions) {
    if (type !== 'BUY' && type !== 'SELL') continue
    const order = filled.get(id)
    const seen = bankSide.get(id) ?? null
    if (status === 'COMPLETED') {
      const crypto = type === 'BUY' ? (amountOut ?? '') : amountIn
      if (order?.executedQty !== crypto || order.side !== type)
        faults.push(`${id} of ${crypto} executed as ${JSON.stringify(order)}`)
      if (seen?.state !== 'AUTHORIZED') faults.push(`${id} is completed, at the bank ${JSON.stringify(seen)}`)
    } else {
      if (order !== undefined) faults.push(`${id} is ${status} but was executed`)
      if (seen !== null && seen.state === 'AUTHORIZED') faults.push(`${id} is ${status} and was not reversed`)
    }
  }
  return faults
}

/** What is wrong with the events the bank got: a gap, a sequence with two contents, a transaction without exactly one. */
export const eventFaults = (events: readonly EventBody[], transactions: readonly TransactionBody[]): string[] => {
  const faults: string[] = []
  const sequences = [...new Set(events.map(({ sequence }) => sequence))].sort((a, b) => a - b)
  sequences.forEach((sequence, index) => {
    if (sequence !== index + 1) faults.push(`after event ${index} comes ${sequence}`)
  })
  if (sequences.length !== events.length) faults.push('one sequence has two events')
  const counts = countsOf(events.map(({ data }) => data.transactionId))
  for (const { id, status } of transactions) {
    if (counts[id] !== 1) faults.push(`${id} (${status}) has ${counts[id] ?? 0} events`)
  }
  return faults
}
