import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import {
  amountInput,
  decimal,
  line,
  list,
  moment,
  object,
  optionalDecimal,
  pageQuery,
  parameters,
  requiredKeyHeader,
  success,
  uuid,
} from '../http/schemas.ts'
import { routeSpec, type RouteSpec, type Schema } from '../http/route.ts'

/** The bank's own id of its customer. */
export const bankUserId: Schema = line(128, "The bank's own id of its customer.")
/** A currency code. */
export const currency: Schema = {
  type: 'string',
  pattern: '^[A-Z0-9]{2,8}$',
  description: 'A currency code such as AZN.',
}
const opaqueId: Schema = { type: 'string', minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_.:-]+$' }
const side: Schema = { type: 'string', enum: ['BUY', 'SELL'] }

const tradeBody: Schema = object(
  {
    bankUserId,
    quoteId: { ...opaqueId, type: ['string', 'null'] },
    amount: amountInput,
    currency,
  },
  ['quoteId'],
  'BankTradeRequest',
)
const moveBody: Schema = object(
  { bankUserId, amount: amountInput, currency, reference: line(256) },
  [],
  'BankMoveRequest',
)
const quoteBody: Schema = object({ bankUserId, side, amount: amountInput, currency }, [], 'QuoteRequest')

const pending = success(
  object({ transactionId: { type: 'string' }, status: { const: 'PENDING' } }, [], 'PendingTransaction'),
)
const bought: Schema = object(
  {
    transactionId: { type: 'string' },
    status: { const: 'COMPLETED' },
    cryptoAmount: decimal,
    cryptoCurrency: currency,
    exchangeRate: decimal,
  },
  [],
  'BoughtCrypto',
)
const sold: Schema = object(
  {
    transactionId: { type: 'string' },
    status: { const: 'COMPLETED' },
    fiatAmount: decimal,
    fiatCurrency: currency,
    cryptoAmount: decimal,
    cryptoCurrency: currency,
    exchangeRate: decimal,
  },
  [],
  'SoldCrypto',
)
const moved: Schema = object({ transactionId: { type: 'string' }, status: { const: 'COMPLETED' } }, [], 'MovedFiat')

const entry: Schema = object(
  {
    id: { type: 'string' },
    transactionId: { type: 'string' },
    accountId: { type: 'string' },
    currency,
    amount: { ...decimal, description: 'Positive credit, negative debit.' },
    balanceAfter: decimal,
  },
  [],
  'BankEntry',
)
const optionalText: Schema = { type: ['string', 'null'] }
const transaction: Schema = object(
  {
    id: { type: 'string' },
    idempotencyKey: { type: 'string' },
    bankUserId: { type: 'string' },
    type: { type: 'string', enum: ['BUY', 'SELL', 'DEPOSIT', 'WITHDRAWAL'] },
    status: { type: 'string', enum: ['PENDING', 'COMPLETED', 'FAILED'] },
    amountIn: optionalDecimal,
    currencyIn: optionalText,
    amountOut: optionalDecimal,
    currencyOut: optionalText,
    feeAmount: optionalDecimal,
    exchangeRate: optionalDecimal,
    errorCode: optionalText,
    message: optionalText,
    createdAt: moment,
    entries: list(entry),
  },
  [],
  'BankTransaction',
)
const page: Schema = object(
  { transactions: list(transaction), nextCursor: optionalText, asOf: moment },
  [],
  'BankTransactionPage',
)
const balances = list(object({ currency, balance: decimal }))
const statement: Schema = object(
  {
    from: moment,
    to: moment,
    opening: balances,
    closing: balances,
    spreadEarned: list(object({ currency, amount: decimal })),
    entries: list(
      object({
        ...(entry['properties'] as Record<string, Schema>),
        bankUserId: { type: 'string' },
        type: { type: 'string' },
        createdAt: moment,
      }),
    ),
    asOf: moment,
  },
  [],
  'Statement',
)
const events: Schema = object(
  {
    events: list(
      object(
        {
          sequence: { type: 'integer' },
          id: { type: 'string' },
          type: { type: 'string' },
          createdAt: { type: 'string' },
          data: {},
        },
        [],
        'BankEvent',
      ),
    ),
    asOf: moment,
  },
  [],
  'BankEvents',
)

const moneyRefusals: readonly RefusalCode[] = [
  'IDEMPOTENCY_CONFLICT',
  'INSUFFICIENT_FUNDS',
  'INSUFFICIENT_LIQUIDITY',
  'SLIPPAGE',
  'BANK_CONNECTION_ERROR',
  'BANK_DECLINED',
  'QUOTE_NOT_FOUND',
  'QUOTE_EXPIRED',
  'QUOTE_USED',
  'LIMIT_EXCEEDED',
  'UNAVAILABLE',
]
const moveRefusals: readonly RefusalCode[] = [
  'IDEMPOTENCY_CONFLICT',
  'INSUFFICIENT_FUNDS',
  'LIMIT_EXCEEDED',
  'UNAVAILABLE',
]

/** The spec of a route that a bank calls with its key. */
export type BankRoute = RouteSpec & { readonly security: 'bank' }
/** A route of the bank API. */
export const bankRoute = (spec: Omit<RouteSpec, 'security' | 'tag'>): BankRoute =>
  routeSpec<'bank'>({ ...spec, security: 'bank', tag: 'Bank' })

const keyNote = 'The same `x-idempotency-key` never trades twice: the original result is returned, failures included.'
const pendingAnswer = {
  description: 'Not at its end after 15 s; ask with the same key again, or at /api/v1/transactions',
  schema: pending,
}

/** Every call of the bank API. */
export const bankSpecs = {
  buy: bankRoute({
    operationId: 'buyCrypto',
    method: 'POST',
    path: '/api/v1/trade/buy',
    summary: 'A customer buys crypto for fiat',
    description: keyNote,
    headers: requiredKeyHeader,
    body: tradeBody,
    answers: { 201: { description: 'Bought', schema: success(bought) }, 202: pendingAnswer },
    refusals: moneyRefusals,
  }),
  sell: bankRoute({
    operationId: 'sellCrypto',
    method: 'POST',
    path: '/api/v1/trade/sell',
    summary: 'A customer sells crypto for fiat',
    description: keyNote,
    headers: requiredKeyHeader,
    body: tradeBody,
    answers: { 201: { description: 'Sold', schema: success(sold) }, 202: pendingAnswer },
    refusals: moneyRefusals,
  }),
  deposit: bankRoute({
    operationId: 'deposit',
    method: 'POST',
    path: '/api/v1/deposits',
    summary: "Moves a customer's fiat in",
    description: `${keyNote} The customer is created at the first call that names them.`,
    headers: requiredKeyHeader,
    body: moveBody,
    answers: { 201: { description: 'Booked', schema: success(moved) }, 202: pendingAnswer },
    refusals: moveRefusals,
  }),
  withdraw: bankRoute({
    operationId: 'withdraw',
    method: 'POST',
    path: '/api/v1/withdrawals',
    summary: "Moves a customer's fiat out",
    description: keyNote,
    headers: requiredKeyHeader,
    body: moveBody,
    answers: { 201: { description: 'Booked', schema: success(moved) }, 202: pendingAnswer },
    refusals: moveRefusals,
  }),
  quote: bankRoute({
    operationId: 'createQuote',
    method: 'POST',
    path: '/api/v1/quotes',
    summary: 'Holds a price for a short time',
    description: 'Limits are judged when it is used: a quote reserves nothing of them.',
    body: quoteBody,
    answers: {
      201: {
        description: 'The quote',
        schema: object(
          {
            quoteId: { type: 'string' },
            side,
            price: decimal,
            cryptoAmount: decimal,
            fiatAmount: decimal,
            expiresAt: moment,
          },
          [],
          'Quote',
        ),
      },
    },
    refusals: ['INSUFFICIENT_LIQUIDITY', 'UNAVAILABLE'],
  }),
  cancelQuote: bankRoute({
    operationId: 'cancelQuote',
    method: 'DELETE',
    path: '/api/v1/quotes/{quoteId}',
    summary: 'Takes an unused quote back',
    params: parameters({ quoteId: opaqueId }, ['quoteId']),
    answers: { 200: { description: 'Taken back', schema: success(object({ quoteId: { type: 'string' } })) } },
    refusals: ['QUOTE_NOT_FOUND', 'QUOTE_USED', 'UNAVAILABLE'],
  }),
  accounts: bankRoute({
    operationId: 'listAccounts',
    method: 'GET',
    path: '/api/v1/users/{bankUserId}/accounts',
    summary: "A customer's accounts",
    description: 'Includes every outcome already answered.',
    params: parameters({ bankUserId }, ['bankUserId']),
    answers: {
      200: {
        description: 'One of each currency',
        schema: list(
          object(
            {
              currency,
              balance: { ...decimal, description: 'Includes the locked part.' },
              lockedBalance: decimal,
              version: { type: 'integer' },
            },
            [],
            'BankAccount',
          ),
        ),
      },
    },
    refusals: ['NOT_FOUND', 'UNAVAILABLE'],
  }),
  transaction: bankRoute({
    operationId: 'getTransaction',
    method: 'GET',
    path: '/api/v1/transactions/{id}',
    summary: 'One transaction with its ledger entries',
    description: 'Includes every outcome already answered.',
    params: parameters({ id: opaqueId }, ['id']),
    answers: { 200: { description: 'The transaction', schema: transaction } },
    refusals: ['NOT_FOUND', 'UNAVAILABLE'],
  }),
  transactions: bankRoute({
    operationId: 'listTransactions',
    method: 'GET',
    path: '/api/v1/transactions',
    summary: 'Transactions in stable pages, or the one of a key',
    description:
      '`?idempotencyKey=` answers one transaction and includes every outcome already answered; ' +
      'lists may lag and carry `asOf`.',
    query: parameters({ bankUserId, idempotencyKey: uuid, ...pageQuery }),
    answers: {
      200: {
        description: 'A page, or with idempotencyKey the transaction',
        schema: { title: 'BankTransactions', anyOf: [page, transaction] },
      },
    },
    refusals: ['NOT_FOUND', 'UNAVAILABLE'],
  }),
  statement: bankRoute({
    operationId: 'getStatement',
    method: 'GET',
    path: '/api/v1/statement',
    summary: "The bank's entries, opening and closing balances, spread earned",
    description:
      'JSON or CSV by `Accept`. In CSV the first column names the kind of row: opening, entry, closing or spread.',
    query: parameters(
      {
        from: { type: 'string', maxLength: 40, description: 'ISO 8601 date or moment (UTC), or epoch ms; included.' },
        to: { type: 'string', maxLength: 40, description: 'As `from`; excluded. Default: now.' },
      },
      ['from'],
    ),
    answers: {
      200: { description: 'The statement', schema: statement, contentTypes: ['application/json', 'text/csv'] },
    },
    refusals: ['UNAVAILABLE'],
  }),
  events: bankRoute({
    operationId: 'listEvents',
    method: 'GET',
    path: '/api/v1/events',
    summary: "The bank's webhooks again, by sequence",
    query: parameters({
      after: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
      limit: { type: 'integer', minimum: 1, maximum: 200, default: 100 },
    }),
    answers: { 200: { description: 'Events after the sequence', schema: events } },
    refusals: ['UNAVAILABLE'],
  }),
} as const
