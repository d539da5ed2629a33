import { ENGINE_PATH } from '../http/envelope.ts'
import {
  amountInput,
  decimal,
  list,
  moment,
  object,
  optionalAmountInput,
  optionalDecimal,
  optionalKeyHeader,
  uuid,
} from '../http/schemas.ts'
import { routeSpec, type Schema } from '../http/route.ts'

/** The commands. */
export const commandNames = [
  'CREATE_ACCOUNT',
  'GET_BALANCE',
  'GET_USD_BALANCE',
  'CREATE_TRADE',
  'UPDATE_TRADE',
  'CLOSE_TRADE',
] as const
/** One of them. */
export type CommandName = (typeof commandNames)[number]

const named = (name: CommandName): { readonly command: Schema } => ({ command: { type: 'string', const: name } })
const asset: Schema = {
  type: 'string',
  pattern: '^[A-Z0-9]{1,16}_[A-Z0-9]{1,16}$',
  description: 'A pair of /api/v1/markets, such as BTC_USDC.',
}
const direction: Schema = { type: 'string', enum: ['LONG', 'SHORT'] }
const tradeId: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 128,
  pattern: '^[\\x21-\\x7e]+$',
  description: 'Opaque.',
}
const leverageInput: Schema = {
  ...amountInput,
  title: 'LeverageInput',
  description: "A whole number from 1 to the pair's maximum.",
  examples: [50],
}

const createTrade = object(
  {
    ...named('CREATE_TRADE'),
    asset,
    direction,
    margin: amountInput,
    leverage: leverageInput,
    stopLossPrice: optionalAmountInput,
    takeProfitPrice: optionalAmountInput,
    worstPrice: optionalAmountInput,
  },
  ['stopLossPrice', 'takeProfitPrice', 'worstPrice'],
  'CreateTrade',
)
const updateTrade: Schema = {
  ...object(
    {
      ...named('UPDATE_TRADE'),
      tradeId,
      stopLossPrice: optionalAmountInput,
      takeProfitPrice: optionalAmountInput,
    },
    ['stopLossPrice', 'takeProfitPrice'],
    'UpdateTrade',
  ),
  description:
    'Gives an open trade another stop or target. A price that is left out stays as it is, null takes it away; at least one ' +
    'must be given. A price that is set is judged as in CREATE_TRADE, at the current price; what stays is not judged again. ' +
    'While the market is halted, or its price is too old, prices can only be taken away.',
}
const closeTrade = object(
  { ...named('CLOSE_TRADE'), tradeId, worstPrice: optionalAmountInput },
  ['worstPrice'],
  'CloseTrade',
)

const commandBody: Schema = {
  title: 'EngineCommand',
  type: 'object',
  discriminator: { propertyName: 'command' },
  oneOf: [
    object(named('CREATE_ACCOUNT'), [], 'CreateAccount'),
    object(named('GET_BALANCE'), [], 'GetBalance'),
    object(named('GET_USD_BALANCE'), [], 'GetUsdBalance'),
    createTrade,
    updateTrade,
    closeTrade,
  ],
}

const tradeFields = {
  tradeId,
  asset,
  direction,
  margin: decimal,
  leverage: { type: 'integer', minimum: 1 },
  quantity: decimal,
  entryPrice: decimal,
  liquidationPrice: { ...optionalDecimal, description: 'Null when no price above zero liquidates it.' },
  stopLossPrice: optionalDecimal,
  takeProfitPrice: optionalDecimal,
  openedAt: moment,
} as const satisfies Record<string, Schema>

const closeFields = {
  exitPrice: decimal,
  pnl: decimal,
  fees: { ...decimal, description: 'Open fee plus close or liquidation fee.' },
  funding: { ...decimal, description: 'Paid; negative when received.' },
  returned: decimal,
  reason: { type: 'string', enum: ['USER', 'STOP_LOSS', 'TAKE_PROFIT', 'LIQUIDATION'] },
  closedAt: moment,
} as const satisfies Record<string, Schema>

/** A trade as opening and updating answer it. */
export const openTradeSchema: Schema = object(tradeFields, [], 'OpenTrade')
/** A trade as closing answers it. */
export const closedTradeSchema: Schema = object({ ...tradeFields, ...closeFields }, [], 'ClosedTrade')
/** An open trade with what it is worth now. */
export const valuedTradeSchema: Schema = object(
  {
    ...tradeFields,
    pnl: { ...optionalDecimal, description: 'At the current quote, before fees; null while there is none.' },
    fees: { ...decimal, description: 'The open fee.' },
    funding: { ...decimal, description: 'Paid so far; negative when received.' },
  },
  [],
  'ValuedTrade',
)

const accountData = object(
  { accountId: uuid, asset: { type: 'string' }, openedBefore: { type: 'boolean' } },
  [],
  'Account',
)
const balanceData = object(
  {
    balances: list(object({ asset: { type: 'string' }, available: decimal, locked: decimal }, [], 'Balance')),
    trades: list(valuedTradeSchema),
  },
  [],
  'Balances',
)
const usdData = object(
  {
    available: decimal,
    locked: decimal,
    unrealizedPnl: { ...decimal, description: 'Of all open trades at the current quotes, funding included, fees not.' },
    equity: { ...decimal, description: 'available + locked + unrealizedPnl.' },
  },
  [],
  'UsdBalance',
)

const engineAnswer: Schema = object(
  {
    success: { const: true },
    orderId: uuid,
    latency: { type: 'integer', minimum: 0, description: 'Milliseconds, measured at the edge.' },
    engineResponse: object({
      status: { const: 'success' },
      data: { anyOf: [accountData, balanceData, usdData, openTradeSchema, closedTradeSchema] },
      message: { type: 'string' },
    }),
  },
  [],
  'EngineAnswer',
)

/** A refusal of the engine's route. */
export const engineRefusalSchema: Schema = object(
  {
    success: { const: false },
    orderId: uuid,
    latency: { type: 'integer', minimum: 0 },
    errorCode: { type: 'string' },
    message: { type: 'string' },
    engineResponse: object({
      status: { const: 'error' },
      data: { type: 'null' },
      errorCode: { type: 'string' },
      message: { type: 'string' },
    }),
  },
  [],
  'EngineRefusal',
)

/** The commands' route. */
export const engineSpec = routeSpec<'session'>({
  operationId: 'engine',
  method: 'POST',
  path: ENGINE_PATH,
  tag: 'Commands',
  security: 'session',
  summary: 'Executes a command',
  description:
    'With `x-idempotency-key` CREATE_ACCOUNT, CREATE_TRADE, UPDATE_TRADE and CLOSE_TRADE are safe to repeat for ever: ' +
    'the first outcome is answered again, refusals included. The same key with other fields is refused IDEMPOTENCY_CONFLICT.',
  headers: optionalKeyHeader,
  body: commandBody,
  answers: { 200: { description: 'Done', schema: engineAnswer } },
  refusals: [
    'LEVERAGE_TOO_HIGH',
    'INVALID_STOP_LOSS',
    'INVALID_TAKE_PROFIT',
    'FORBIDDEN',
    'TRADE_NOT_FOUND',
    'ACCOUNT_NOT_FOUND',
    'TRADE_CLOSED',
    'MARKET_HALTED',
    'MARKET_REDUCE_ONLY',
    'PRICE_MOVED',
    'WOULD_LIQUIDATE',
    'IDEMPOTENCY_CONFLICT',
    'INSUFFICIENT_FUNDS',
    'MARGIN_TOO_SMALL',
    'NOTIONAL_TOO_HIGH',
    'TOO_MANY_TRADES',
    'EXPOSURE_LIMIT',
    'PRICE_STALE',
    'UNAVAILABLE',
    'ENGINE_FAULT',
  ],
})
