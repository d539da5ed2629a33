/**
 * The mock exchange: a liquidity provider that fills market orders at its ticker's price.
 *
 * - `GET /ticker?symbol=AZNUSDT`: 200 `{symbol, price, timestamp}` (timestamp in seconds); 400
 *   `UNKNOWN_SYMBOL`
 * - `POST /order {symbol, side, quantity, type: "MARKET", clientOrderId?, validUntil?}`:
 *   200 `{orderId, status: "FILLED", executedPrice, executedQty}`;
 *   200 `{orderId, status: "REJECTED", reason}` when it refuses: `EXPIRED` (after validUntil, ms) or
 *   `REJECTED_BY_EXCHANGE` (a `reject` fault); 400 `UNKNOWN_SYMBOL`; 409 `CLIENT_ORDER_ID_REUSED`
 * - `GET /order?clientOrderId=`: 200 and the order's first answer; 404 `ORDER_NOT_FOUND`: not arrived
 *
 * A repeated clientOrderId gets the first answer, a rejection too, and buys nothing; a `reject` fault does
 * not change what has already happened. `reject` on `ticker` and on `order-status` is 422 `REJECTED` (a 404
 * there would say something about the order). A filled order is final: `executedQty` below the quantity means
 * there is no more to come.
 *
 * `PUT /control` takes `prices`, `faults` (on `ticker`, `order`, `order-status`) and
 * `fills: [{executedPrice?, executedQty?, count?}]`, which replaces the whole list and makes orders execute
 * at another price or in part. `GET /control/orders?after=&limit=` lists every order. Orders, prices, control
 * and log are on disk (`<dataDir>/mock-exchange.sqlite`) before anything is answered. See
 * `simulator/control.ts` for the rest.
 */
import type { Clock } from '@bourse/common/ports/clock.ts'
import { CALL_LOG_SCHEMA } from '@bourse/common/simulator/callLog.ts'
import { PAGE_SCHEMA, pageOf, type PageQuery } from '@bourse/common/simulator/control.ts'
import { CONTROL_SCHEMA, createRuleList } from '@bourse/common/simulator/controlState.ts'
import { startSimulator, type Simulator } from '@bourse/common/simulator/service.ts'
import { openSimulatorStore } from '@bourse/common/simulator/store.ts'
import type { Logger } from 'pino'
import { exchangeCalls } from './calls.ts'
import { createExchange, EXCHANGE_SCHEMA, type FillRule } from './exchange.ts'
import { FILLS_SCHEMA, PRICES_SCHEMA } from './schemas.ts'

/** What a mock exchange needs. `port` 0 = any free port; `dataDir` is made when missing. */
export interface MockExchangeOptions {
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
}

/** Starts a mock exchange; rejects when the port or the data folder cannot be had. */
export const startMockExchange = async (options: MockExchangeOptions): Promise<Simulator> => {
  const { host, port, dataDir, logger, clock } = options
  const store = openSimulatorStore(dataDir, 'mock-exchange', CALL_LOG_SCHEMA + CONTROL_SCHEMA + EXCHANGE_SCHEMA)
  const fills = createRuleList<FillRule>(store.database, 'fills')
  const exchange = createExchange(store.database, fills)
  return startSimulator({
    host,
    port,
    store,
    clock,
    logger,
    calls: exchangeCalls(exchange),
    fields: {
      prices: {
        schema: PRICES_SCHEMA,
        refuse: exchange.refusePrices,
        apply: exchange.setPrices,
        show: exchange.prices,
      },
      fills: { schema: FILLS_SCHEMA, apply: fills.replace, show: fills.list },
    },
    views: [
      {
        path: '/control/orders',
        schema: { type: 'object', additionalProperties: false, properties: PAGE_SCHEMA },
        read: (query: PageQuery) => {
          const { after, limit } = pageOf(query)
          return exchange.orders(after, limit)
        },
      },
    ],
  })
}
