/** The mock exchange's calls: their names, paths and schemas, and what each does. */
import { refusal, type SimulatedCall } from '@bourse/common/simulator/call.ts'
import type { Exchange, OrderRequest } from './exchange.ts'
import { ORDER_SCHEMA, ORDER_STATUS_SCHEMA, TICKER_SCHEMA } from './schemas.ts'

const rejected = refusal(422, 'REJECTED', 'the exchange refuses to say')

/** What the exchange answers over HTTP, call by call. */
export const exchangeCalls = (exchange: Exchange): readonly SimulatedCall[] => [
  {
    on: 'ticker',
    method: 'GET',
    path: '/ticker',
    schema: TICKER_SCHEMA,
    work: (query: { readonly symbol: string }, { nowMs, refused }) =>
      refused ? rejected : exchange.ticker(query.symbol, nowMs),
  },
  {
    on: 'order',
    method: 'POST',
    path: '/order',
    schema: ORDER_SCHEMA,
    work: (order: OrderRequest, { nowMs, refused }) => exchange.place(order, nowMs, refused),
  },
  {
    on: 'order-status',
    method: 'GET',
    path: '/order',
    schema: ORDER_STATUS_SCHEMA,
    work: (query: { readonly clientOrderId: string }, { refused }) =>
      refused ? rejected : exchange.status(query.clientOrderId),
  },
]
