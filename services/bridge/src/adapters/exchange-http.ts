import { AmountError, parseAmount, type Units } from '@bourse/common/money/amount.ts'
import { createHttpCaller, fieldsOf, type HttpDeps, type HttpResult } from './http-call.ts'
import type { LiquidityProvider, OrderResult } from './liquidity-provider.ts'

/** What the adapter needs. `baseUrl` may change while it runs (a simulator on another port). */
export interface ExchangeHttpDeps extends HttpDeps {
  readonly baseUrl: () => string
  readonly tickerTimeoutMs?: number
  readonly orderTimeoutMs?: number
}

const TICKER_TIMEOUT_MS = 2_000
const ORDER_TIMEOUT_MS = 2_000

/** A positive amount, or null for anything else. */
const positive = (value: unknown): Units | null => {
  if (typeof value !== 'string') return null
  try {
    const units = parseAmount(value)
    return units > 0n ? units : null
  } catch (error) {
    if (error instanceof AmountError) return null
    throw error
  }
}

const whyLost = (result: HttpResult): string => (result.kind === 'lost' ? result.reason : `status ${result.status}`)

/** What a 200 says of an order; anything but a clear FILLED or REJECTED is unknown. */
const orderOf = (json: unknown): OrderResult => {
  const fields = fieldsOf(json)
  if (fields['status'] === 'REJECTED') return { kind: 'rejected', reason: String(fields['reason'] ?? 'rejected') }
  const executedPrice = positive(fields['executedPrice'])
  const executedQuantity = positive(fields['executedQty'])
  if (fields['status'] !== 'FILLED' || executedPrice === null || executedQuantity === null) {
    return { kind: 'unknown', reason: `an answer that is no fill: ${JSON.stringify(json)?.slice(0, 200)}` }
  }
  return { kind: 'filled', executedPrice, executedQuantity }
}

/** Statuses that say the order was understood and not taken. 409 (our id with another order) and 5xx say less: ask. */
const REFUSALS = new Set([400, 401, 403, 422])

/** Makes the adapter to an exchange that speaks the mock exchange's contract. */
export const createExchangeHttp = (deps: ExchangeHttpDeps): LiquidityProvider => {
  const call = createHttpCaller(deps)
  const orderTimeoutMs = deps.orderTimeoutMs ?? ORDER_TIMEOUT_MS

  return {
    ticker: async (symbol, signal) => {
      const url = `${deps.baseUrl()}/ticker?symbol=${encodeURIComponent(symbol)}`
      const result = await call({ url, timeoutMs: deps.tickerTimeoutMs ?? TICKER_TIMEOUT_MS, signal })
      if (result.kind === 'lost' || result.status !== 200) return { kind: 'unavailable', reason: whyLost(result) }
      const fields = fieldsOf(result.json)
      const price = fields['symbol'] === symbol ? positive(fields['price']) : null
      return price === null ? { kind: 'unavailable', reason: 'an answer without a price' } : { kind: 'price', price }
    },
    place: async (order, signal) => {
      const { clientOrderId, symbol, side, quantity, validUntilMs } = order
      const body = JSON.stringify({ symbol, side, quantity, type: 'MARKET', clientOrderId, validUntil: validUntilMs })
      const result = await call({ url: `${deps.baseUrl()}/order`, body, timeoutMs: orderTimeoutMs, signal })
      if (result.kind === 'lost') return { kind: 'unknown', reason: result.reason }
      if (result.status === 200) return orderOf(result.json)
      return REFUSALS.has(result.status)
        ? { kind: 'rejected', reason: whyLost(result) }
        : { kind: 'unknown', reason: whyLost(result) }
    },
    ask: async (clientOrderId, signal) => {
      const url = `${deps.baseUrl()}/order?clientOrderId=${encodeURIComponent(clientOrderId)}`
      const result = await call({ url, timeoutMs: orderTimeoutMs, signal })
      if (result.kind === 'answer' && result.status === 200) return orderOf(result.json)
      if (result.kind === 'answer' && result.status === 404) return { kind: 'absent' }
      return { kind: 'unknown', reason: whyLost(result) }
    },
  }
}
