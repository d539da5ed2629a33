/** JSON schemas of the mock exchange's calls and control fields. */
import { POSITIVE_AMOUNT_SCHEMA } from '@bourse/common/simulator/call.ts'
import { CONTROL_RULES_MAX, COUNT_SCHEMA } from '@bourse/common/simulator/controlState.ts'

/** Symbols a mock exchange can have a price of. */
export const SYMBOLS_MAX = 1_000

const SYMBOL_PATTERN = '^[A-Z0-9]{2,20}$'
const CLIENT_ORDER_ID_SCHEMA = { type: 'string', pattern: '^[\\x21-\\x7e]{1,64}$' } as const

/** Query of `GET /ticker`. */
export const TICKER_SCHEMA = {
  type: 'object',
  required: ['symbol'],
  additionalProperties: false,
  properties: { symbol: { type: 'string', pattern: SYMBOL_PATTERN } },
} as const

/** Body of `POST /order`. */
export const ORDER_SCHEMA = {
  type: 'object',
  required: ['symbol', 'side', 'quantity', 'type'],
  additionalProperties: false,
  properties: {
    symbol: { type: 'string', pattern: SYMBOL_PATTERN },
    side: { enum: ['BUY', 'SELL'] },
    quantity: POSITIVE_AMOUNT_SCHEMA,
    type: { const: 'MARKET' },
    clientOrderId: CLIENT_ORDER_ID_SCHEMA,
    validUntil: { type: 'integer', minimum: 0, maximum: 8_640_000_000_000_000 },
  },
} as const

/** Query of `GET /order`. */
export const ORDER_STATUS_SCHEMA = {
  type: 'object',
  required: ['clientOrderId'],
  additionalProperties: false,
  properties: { clientOrderId: CLIENT_ORDER_ID_SCHEMA },
} as const

/** Control field `prices`. */
export const PRICES_SCHEMA = {
  type: 'object',
  maxProperties: SYMBOLS_MAX,
  propertyNames: { pattern: SYMBOL_PATTERN },
  additionalProperties: POSITIVE_AMOUNT_SCHEMA,
} as const

/** Control field `fills`. */
export const FILLS_SCHEMA = {
  type: 'array',
  maxItems: CONTROL_RULES_MAX,
  items: {
    type: 'object',
    minProperties: 1,
    additionalProperties: false,
    properties: {
      executedPrice: POSITIVE_AMOUNT_SCHEMA,
      executedQty: POSITIVE_AMOUNT_SCHEMA,
      count: COUNT_SCHEMA,
    },
  },
} as const
