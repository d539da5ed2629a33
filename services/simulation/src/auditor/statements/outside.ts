import { partitionName } from '@bourse/common/kernel/partition.ts'
import { unitsOf } from '../arithmetic/rational.ts'
import type { Books } from '../books.ts'
import type { Complain } from '../findings.ts'
import type { BankLife } from '../model/bridge/book.ts'
import { differences } from '../model/differences.ts'

/** An order in the exchange's own books. Amounts are decimal texts. */
export interface ExchangeOrder {
  readonly clientOrderId: string | null
  readonly symbol: string
  readonly side: 'BUY' | 'SELL'
  readonly quantity: string
  readonly status: 'FILLED' | 'REJECTED'
  readonly executedPrice?: string
  readonly executedQty?: string
}

/** An event in a bank's own books, in the order of receipt. */
export interface ReceivedEvent {
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A transaction in a bank's own books. */
export interface AuthorizedTransaction {
  readonly transactionId: string
  readonly state: 'AUTHORIZED' | 'DECLINED' | 'REVERSED'
}

/** What a bank has in its books. */
export interface BankRecords {
  readonly name: string
  readonly events: readonly ReceivedEvent[]
  readonly transactions: readonly AuthorizedTransaction[]
}

const livesOf = (books: Books): BankLife[] =>
  [...books.bridges.values()].flatMap(({ transactions }) => [...transactions.values()])
const publicId = (life: BankLife): string => `tx_${life.id}`

/**
 * The exchange's books and ours name the same fills: every filled order is that of a completed trade, with its symbol,
 * side, quantity, price and executed quantity; every completed trade has its filled order; no order was placed twice.
 */
export const checkExchange = (books: Books, orders: readonly ExchangeOrder[], complain: Complain): void => {
  const byOrder = new Map<string, ExchangeOrder>()
  for (const order of orders) {
    const id = order.clientOrderId ?? ''
    if (byOrder.has(id)) complain('exchange-books', `the exchange has two orders of ${id === '' ? 'no client' : id}`)
    byOrder.set(id, order)
  }
  for (const life of livesOf(books)) {
    const order = byOrder.get(publicId(life))
    byOrder.delete(publicId(life))
    const isFilled = order?.status === 'FILLED'
    const isCompletedTrade = life.stage === 'completed' && (life.type === 'BUY' || life.type === 'SELL')
    if (isFilled !== isCompletedTrade) {
      complain(
        'exchange-books',
        `${publicId(life)} is ${life.stage}${life.code === 'OK' ? '' : ` (${life.code})`}; the exchange has ` +
          `${isFilled ? 'filled' : 'not filled'} its order`,
      )
      continue
    }
    if (order === undefined || !isFilled) continue
    const told = {
      symbol: order.symbol,
      side: order.side,
      quantity: unitsOf(order.quantity),
      executedPrice: unitsOf(order.executedPrice),
      executedQuantity: unitsOf(order.executedQty),
    }
    const wrong = differences(told, {
      symbol: life.symbol,
      side: life.type,
      quantity: life.crypto,
      executedPrice: life.executedPrice,
      executedQuantity: life.executedQuantity,
    })
    if (wrong !== '') complain('exchange-books', `the order of ${publicId(life)} at the exchange: ${wrong}`)
  }
  for (const id of byOrder.keys()) complain('exchange-books', `the exchange has order ${id} of no transaction`)
}

/** What an event must say of its transaction; amounts in units. */
export const expectedEvent = (
  life: BankLife,
): { readonly type: string; readonly data: Readonly<Record<string, unknown>> } => {
  const isDone = life.stage === 'completed'
  const isTrade = life.type === 'BUY' || life.type === 'SELL'
  const end = isDone ? 'completed' : 'failed'
  const type = isTrade ? `transaction.${end}` : `${life.type === 'DEPOSIT' ? 'deposit' : 'withdrawal'}.${end}`
  const shared = {
    transactionId: publicId(life),
    status: isDone ? 'COMPLETED' : 'FAILED',
    bankUserId: life.customer,
    type: life.type,
    idempotencyKey: life.key,
  }
  if (!isTrade)
    return { type, data: { ...shared, amount: life.fiat, currency: life.fiatCurrency, reference: life.reference } }
  if (!isDone) return { type, data: { ...shared, errorCode: life.code } }
  const money = {
    cryptoAmount: life.crypto,
    cryptoCurrency: life.cryptoCurrency,
    exchangeRate: life.price,
    fiatAmount: life.fiat,
    fiatCurrency: life.fiatCurrency,
    feeAmount: life.spread,
  }
  return { type, data: { ...shared, ...money } }
}

/** The told fields with decimal texts as units, where units are expected. */
export const inUnits = (
  told: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(told).map(([name, value]) => [name, typeof expected[name] === 'bigint' ? unitsOf(value) : value]),
  )

const eventFaults = (event: ReceivedEvent, life: BankLife): string => {
  const expected = expectedEvent(life)
  const wrong = differences(inUnits(event.data, expected.data), expected.data)
  return event.type === expected.type ? wrong : `type ${event.type}, not ${expected.type}; ${wrong}`
}

/** The bank got each event once per sequence, in order, without a gap, none is missing at rest, and each says what happened. */
export const checkBankEvents = (books: Books, bank: BankRecords, complain: Complain): void => {
  const book = [...books.bridges.values()].flatMap(({ banks }) => [...banks]).find(([name]) => name === bank.name)?.[1]
  const events = book?.events ?? []
  bank.events.forEach((event, index) => {
    const life = events[index]
    if (event.sequence !== index + 1)
      complain('bank-events', `${bank.name} received event ${event.sequence} where ${index + 1} is next`)
    else if (life === undefined)
      complain('bank-events', `${bank.name} received event ${event.sequence}, of ${events.length} there are`)
    else {
      const wrong = eventFaults(event, life)
      if (wrong !== '') complain('bank-events', `event ${event.sequence} of ${bank.name}: ${wrong}`)
    }
  })
  if (bank.events.length < events.length)
    complain('bank-events', `${bank.name} received ${bank.events.length} events of ${events.length}`)
}

/**
 * What the bank believes is what happened: a completed trade is authorized, a trade that failed after the bank was asked
 * is taken back, and nothing else is in its books.
 */
export const checkAuthorizations = (books: Books, bank: BankRecords, complain: Complain): void => {
  const states = new Map(bank.transactions.map(({ transactionId, state }) => [transactionId, state]))
  for (const { partition, transactions } of books.bridges.values()) {
    for (const life of transactions.values()) {
      if (life.bank !== bank.name) continue
      const state = states.get(publicId(life))
      states.delete(publicId(life))
      const isCompletedTrade = life.stage === 'completed' && (life.type === 'BUY' || life.type === 'SELL')
      const due = isCompletedTrade ? 'AUTHORIZED' : life.isAuthorizationCalled ? 'REVERSED' : undefined
      if (state !== due)
        complain(
          'authorizations',
          `${publicId(life)} of ${partitionName(partition)} is ${life.stage} (${life.code}); for ${bank.name} ` +
            `it is ${state ?? 'unknown'}, not ${due ?? 'unknown'}`,
        )
    }
  }
  for (const [id, state] of states)
    complain('authorizations', `${bank.name} has ${id} as ${state}, which is no transaction`)
}
