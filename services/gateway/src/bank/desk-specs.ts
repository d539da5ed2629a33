import { decimal, list, moment, object, pageQuery, parameters, requiredKeyHeader, success } from '../http/schemas.ts'
import type { Schema } from '../http/route.ts'
import { bankRoute, bankUserId, currency } from './specs.ts'

const optionalAmount: Schema = { ...decimal, type: ['string', 'null'], description: 'Null: no limit.' }
const bps: Schema = { ...decimal, description: 'Basis points.' }
const whole: Schema = { type: 'integer', minimum: 0 }

const pair: Schema = object(
  {
    symbol: { type: 'string' },
    baseAsset: { ...currency, description: 'The crypto.' },
    quoteAsset: { ...currency, description: 'The fiat.' },
    spreadBps: bps,
    minAmount: { ...decimal, description: 'Fiat.' },
    maxAmount: { ...decimal, description: 'Fiat; 0: no limit.' },
    tickSize: { ...decimal, description: 'Step of prices.' },
    lotSize: { ...decimal, description: 'Step of crypto amounts.' },
  },
  [],
  'BankPair',
)

const limits: Schema = object(
  {
    requestsPerSecond: whole,
    dailyAmount: optionalAmount,
    dailyAmountPerCustomer: optionalAmount,
    currency,
    usedToday: {
      ...decimal,
      description: 'Fiat of the buys and sells of `day`: reserved at acceptance, given back on failure.',
    },
    day: { type: 'string', format: 'date', description: 'UTC.' },
  },
  [],
  'BankLimits',
)

const key: Schema = object(
  {
    createdAt: {
      ...moment,
      type: ['string', 'null'],
      description: 'Since when the platform knows the key; null when that is not known.',
    },
    expiresAt: { ...moment, type: ['string', 'null'], description: 'Null: until it is rotated or removed.' },
    ageDays: { type: ['integer', 'null'], minimum: 0 },
    rotateAfterDays: whole,
  },
  [],
  'BankKey',
)

const bank: Schema = object(
  {
    name: { type: 'string' },
    displayName: { type: 'string' },
    state: { type: 'string', enum: ['Active', 'Suspended'] },
    pairs: list(pair),
    quotes: object({ ttlSeconds: whole, slippageBps: bps }),
    limits,
    key: { ...key, description: 'The key of this very call.' },
    asOf: moment,
  },
  [],
  'BankSelf',
)

const customer: Schema = object(
  { bankUserId, kycLevel: whole, createdAt: { ...moment, description: 'Of the first call that named them.' } },
  [],
  'BankCustomer',
)

const sequence: Schema = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER }

/** What a bank's operations staff reads and asks for besides the calls of the contract. */
export const deskSpecs = {
  self: bankRoute({
    operationId: 'getBank',
    method: 'GET',
    path: '/api/v1/bank',
    summary: 'The calling bank: its pairs, limits and what is used of them, its key',
    description:
      'The terms as the manifests say now; `usedToday` as it is counted now, every answered outcome included.',
    answers: { 200: { description: 'The bank', schema: bank } },
    refusals: ['UNAVAILABLE'],
  }),
  customers: bankRoute({
    operationId: 'listCustomers',
    method: 'GET',
    path: '/api/v1/users',
    summary: "The bank's customers in stable pages, in the order of their ids",
    description: 'May lag and carries `asOf`.',
    query: parameters({ ...pageQuery }),
    answers: {
      200: {
        description: 'A page',
        schema: object(
          { customers: list(customer), nextCursor: { type: ['string', 'null'] }, asOf: moment },
          [],
          'BankCustomerPage',
        ),
      },
    },
    refusals: ['UNAVAILABLE'],
  }),
  redeliver: bankRoute({
    operationId: 'redeliverEvents',
    method: 'POST',
    path: '/api/v1/events/redelivery',
    summary: 'Sends events to the callback again that were acknowledged before',
    description:
      'In order, with their original sequence and id, signed anew, beside the regular events, which neither wait for them nor ' +
      'are overtaken. At most 100 at once; an event that the bank does not acknowledge is tried for ten minutes, then the rest ' +
      'is given up. The same `x-idempotency-key` gets the first answer and sends nothing twice.',
    headers: requiredKeyHeader,
    body: object(
      {
        from: { ...sequence, description: 'Sequence of the first event.' },
        to: {
          ...sequence,
          description: 'Sequence of the last one; without it up to 100 events, as far as acknowledged.',
        },
      },
      ['to'],
      'RedeliveryRequest',
    ),
    answers: {
      202: {
        description: 'They are being sent',
        schema: success(object({ from: sequence, to: sequence, count: sequence }, [], 'Redelivery')),
      },
    },
    refusals: ['IDEMPOTENCY_CONFLICT', 'NOT_FOUND', 'UNAVAILABLE'],
  }),
} as const
