/** What the mock exchange does: prices and orders, all of it on the store's database. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { answer, refusal, type Answer } from '@bourse/common/simulator/call.ts'
import type { Counted, RuleList } from '@bourse/common/simulator/controlState.ts'
import { SYMBOLS_MAX } from './schemas.ts'

/**
 * Orders kept; further ones are refused `ORDER_LIMIT_REACHED`, because forgetting one would allow buying it
 * twice.
 */
export const ORDERS_MAX = 1_000_000

/** Tables of the exchange. */
export const EXCHANGE_SCHEMA = `
  CREATE TABLE IF NOT EXISTS prices (symbol TEXT PRIMARY KEY, price TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY, clientOrderId TEXT UNIQUE, symbol TEXT NOT NULL, side TEXT NOT NULL,
    quantity TEXT NOT NULL, type TEXT NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT,
    executedPrice TEXT, executedQty TEXT) STRICT;
  INSERT OR IGNORE INTO prices (symbol, price) VALUES ('AZNUSDT', '1.7050');`

/** An order as it arrives. Quantities and prices are decimal strings; `validUntil` is in ms. */
export interface OrderRequest {
  readonly symbol: string
  readonly side: 'BUY' | 'SELL'
  readonly quantity: string
  readonly type: 'MARKET'
  readonly clientOrderId?: string
  readonly validUntil?: number
}

/** How orders are executed instead of at the ticker's price and in full. */
export interface FillRule extends Counted {
  readonly executedPrice?: string
  /** Never more than ordered. */
  readonly executedQty?: string
}

/** The exchange. Everything runs inside a transaction of the store. */
export interface Exchange {
  ticker(symbol: string, nowMs: number): Answer
  /** Executes an order at most once per clientOrderId. `refused`: reject it. */
  place(order: OrderRequest, nowMs: number, refused: boolean): Answer
  /** What became of an order; 404 `ORDER_NOT_FOUND` when it has not arrived. */
  status(clientOrderId: string): Answer
  prices(): Readonly<Record<string, string>>
  /** Why these prices cannot be set; undefined when they can. */
  refusePrices(prices: Readonly<Record<string, string>>): string | undefined
  setPrices(prices: Readonly<Record<string, string>>): void
  /** Orders with a number above `after`, oldest first. */
  orders(after: number, limit: number): Answer
}

type Row = Record<string, SQLOutputValue>

const outcomeOf = (row: Row): object => {
  const orderId = `ex_${String(row['number'])}`
  return row['status'] === 'FILLED'
    ? { orderId, status: 'FILLED', executedPrice: row['executedPrice'], executedQty: row['executedQty'] }
    : { orderId, status: 'REJECTED', reason: row['reason'] }
}

/**
 * The same order: what is bought is equal. `validUntil` says when a delivery is worth something, not what is
 * bought.
 */
const isSameOrder = (row: Row, order: OrderRequest): boolean =>
  row['symbol'] === order.symbol &&
  row['side'] === order.side &&
  row['type'] === order.type &&
  parseAmount(String(row['quantity'])) === parseAmount(order.quantity)

const decimalsOf = (text: string): number => text.split('.')[1]?.length ?? 0

/** The smaller of both, with at least the decimals of `quantity`. */
const executedQuantity = (quantity: string, ruled: string | undefined): string => {
  if (ruled === undefined || parseAmount(ruled) >= parseAmount(quantity)) return quantity
  return formatAmount(parseAmount(ruled), Math.max(decimalsOf(quantity), decimalsOf(ruled)))
}

/** Columns of an order's result: rejected for `reason`, or filled at `price` and in full unless `rule` differs. */
const resultOf = (
  order: OrderRequest,
  price: string,
  reason: string | null,
  rule: FillRule | undefined,
): { status: string; reason: string | null; executedPrice: string | null; executedQty: string | null } =>
  reason === null
    ? {
        status: 'FILLED',
        reason,
        executedPrice: rule?.executedPrice ?? price,
        executedQty: executedQuantity(order.quantity, rule?.executedQty),
      }
    : { status: 'REJECTED', reason, executedPrice: null, executedQty: null }

/** Makes the exchange on a database that has `EXCHANGE_SCHEMA`. */
export const createExchange = (
  database: DatabaseSync,
  fills: RuleList<FillRule>,
  ordersMax: number = ORDERS_MAX,
): Exchange => {
  const selectPrice = database.prepare('SELECT price FROM prices WHERE symbol = ?')
  const selectPrices = database.prepare('SELECT symbol, price FROM prices ORDER BY symbol')
  const upsertPrice = database.prepare(
    'INSERT INTO prices (symbol, price) VALUES (?, ?) ON CONFLICT (symbol) DO UPDATE SET price = excluded.price',
  )
  const selectByClientId = database.prepare('SELECT * FROM orders WHERE clientOrderId = ?')
  const selectNewest = database.prepare('SELECT coalesce(max(number), 0) AS number FROM orders')
  const selectOrders = database.prepare('SELECT * FROM orders WHERE number > ? ORDER BY number LIMIT ?')
  const insertOrder = database.prepare(`
    INSERT INTO orders (
      number, clientOrderId, symbol, side, quantity, type, at, status, reason, executedPrice, executedQty)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)

  const priceOf = (symbol: string): string | undefined => selectPrice.get(symbol)?.['price'] as string | undefined
  const unknownSymbol = (symbol: string): Answer => refusal(400, 'UNKNOWN_SYMBOL', `there is no symbol ${symbol}`)

  const ticker = (symbol: string, nowMs: number): Answer => {
    const price = priceOf(symbol)
    return price === undefined
      ? unknownSymbol(symbol)
      : answer(200, { symbol, price, timestamp: Math.floor(nowMs / 1_000) })
  }

  const place = (order: OrderRequest, nowMs: number, refused: boolean): Answer => {
    const known = order.clientOrderId === undefined ? undefined : selectByClientId.get(order.clientOrderId)
    if (known !== undefined) {
      return isSameOrder(known, order)
        ? answer(200, outcomeOf(known))
        : refusal(409, 'CLIENT_ORDER_ID_REUSED', `${order.clientOrderId} was used for another order`)
    }
    const price = priceOf(order.symbol)
    if (price === undefined) return unknownSymbol(order.symbol)
    const newest = Number(selectNewest.get()?.['number'])
    if (newest >= ordersMax) return refusal(503, 'ORDER_LIMIT_REACHED', `${ordersMax} orders are kept`)

    const late = order.validUntil !== undefined && nowMs > order.validUntil
    const reason = late ? 'EXPIRED' : refused ? 'REJECTED_BY_EXCHANGE' : null
    const rule = reason === null ? fills.take(() => true) : undefined
    const row = { number: newest + 1, ...resultOf(order, price, reason, rule) }
    const { symbol, side, quantity, type } = order
    insertOrder.run(
      row.number,
      order.clientOrderId ?? null,
      symbol,
      side,
      quantity,
      type,
      nowMs,
      row.status,
      row.reason,
      row.executedPrice,
      row.executedQty,
    )
    return answer(200, outcomeOf(row))
  }

  const status = (clientOrderId: string): Answer => {
    const row = selectByClientId.get(clientOrderId)
    return row === undefined
      ? refusal(404, 'ORDER_NOT_FOUND', `no order ${clientOrderId} has arrived`)
      : answer(200, outcomeOf(row))
  }

  const prices = (): Readonly<Record<string, string>> =>
    Object.fromEntries(selectPrices.all().map((row) => [String(row['symbol']), String(row['price'])]))

  const refusePrices = (told: Readonly<Record<string, string>>): string | undefined => {
    const count = Object.keys({ ...prices(), ...told }).length
    return count > SYMBOLS_MAX ? `must not make more than ${SYMBOLS_MAX} symbols` : undefined
  }

  const setPrices = (told: Readonly<Record<string, string>>): void => {
    for (const [symbol, price] of Object.entries(told)) upsertPrice.run(symbol, price)
  }

  const orders = (after: number, limit: number): Answer =>
    answer(
      200,
      selectOrders.all(after, limit).map((row) => ({
        number: row['number'],
        at: row['at'],
        clientOrderId: row['clientOrderId'],
        symbol: row['symbol'],
        side: row['side'],
        quantity: row['quantity'],
        type: row['type'],
        ...outcomeOf(row),
      })),
    )

  return { ticker, place, status, prices, refusePrices, setPrices, orders }
}
