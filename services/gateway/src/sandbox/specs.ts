import { decimal, list, object, parameters } from '../http/schemas.ts'
import { routeSpec, type AnswerSpec, type RouteSpec, type Schema } from '../http/route.ts'

/** Entries of a log page at most. */
export const LOG_PAGE_MAX = 200
/** Rules in a list of a change at most; a simulator itself would take more. */
const RULES_MAX = 100
/** Prices in a change at most. */
const PRICES_MAX = 100
const SLOW_MS_MAX = 600_000

const count: Schema = {
  type: 'integer',
  minimum: 1,
  maximum: 1_000_000_000,
  description: 'How many times it applies; absent: until it is replaced.',
}
const positive: Schema = {
  type: 'string',
  pattern: '^(?=.*[1-9])(0|[1-9][0-9]{0,11})(\\.[0-9]{1,8})?$',
  description: 'A decimal string above zero, at most 8 decimals.',
}
const bankName: Schema = { type: 'string', minLength: 1, maxLength: 128 }

/** Kinds of faults, as the contract of the simulators has them. */
const FAULT_KINDS = ['reject', 'error', 'hang', 'slow', 'drop', 'twice'] as const

const fault = (on: readonly string[], title: string): Schema =>
  object(
    {
      on: { type: 'string', enum: on },
      kind: {
        type: 'string',
        enum: FAULT_KINDS,
        description:
          'reject: a refusal in form · error: 500 · hang: never answers (the work is not done) · slow: answers after `ms` · ' +
          'drop: does it, then cuts the connection · twice: does it twice unless the id stops it.',
      },
      count,
      ms: { type: 'integer', minimum: 0, maximum: SLOW_MS_MAX, description: 'Of `slow`, which needs it; of no other.' },
    },
    ['count', 'ms'],
    title,
  )

const exchangeFault = fault(['ticker', 'order', 'order-status'], 'ExchangeFault')
const bankFault = fault(['authorization', 'reversal', 'webhook'], 'BankFault')
const fill: Schema = object(
  { executedPrice: positive, executedQty: positive, count },
  ['executedPrice', 'executedQty', 'count'],
  'FillRule',
)
const decline: Schema = object(
  { bankUserId: bankName, transactionId: bankName, count },
  ['bankUserId', 'transactionId', 'count'],
  'DeclineRule',
)

const rules = (of: Schema): Schema => ({ ...list(of), maxItems: RULES_MAX, description: 'Replaces the whole list.' })

/** What a bank's developer may change at the simulated exchange. */
const exchangeChange: Schema = object(
  {
    prices: {
      type: 'object',
      maxProperties: PRICES_MAX,
      propertyNames: { pattern: '^[A-Z0-9]{2,20}$' },
      additionalProperties: positive,
      description: 'By symbol; those not named stay.',
    },
    faults: rules(exchangeFault),
    fills: rules(fill),
  },
  ['prices', 'faults', 'fills'],
  'ExchangeControlChange',
)
/** What a bank's developer may change at the simulated bank. Its webhook secrets are not among it. */
const bankChange: Schema = object(
  { faults: rules(bankFault), decline: rules(decline) },
  ['faults', 'decline'],
  'BankControlChange',
)

const exchangeControl: Schema = object(
  { prices: { type: 'object', additionalProperties: decimal }, faults: list(exchangeFault), fills: list(fill) },
  [],
  'ExchangeControl',
)
const bankControl: Schema = object({ faults: list(bankFault), decline: list(decline) }, [], 'BankControl')

const log: Schema = list(
  object(
    {
      seq: { type: 'integer' },
      at: { type: 'integer', description: 'Milliseconds since the epoch.' },
      method: { type: 'string' },
      path: { type: 'string' },
      body: { description: 'Of a GET its query; null of a body that was no JSON.' },
      answer: { description: 'Null where none was made.' },
    },
    [],
    'SimulatorCall',
  ),
)

const NOTE = 'Only in the development profile, and only where the platform runs its own simulators; elsewhere 404.'

type SandboxRoute = RouteSpec & { readonly security: 'bank' }
const sandboxRoute = (spec: Omit<RouteSpec, 'security' | 'tag' | 'description' | 'refusals'>): SandboxRoute =>
  routeSpec<'bank'>({
    ...spec,
    security: 'bank',
    tag: 'Sandbox',
    description: NOTE,
    refusals: ['NOT_FOUND', 'UNAVAILABLE'],
  })
const answers = (description: string, schema: Schema): Readonly<Record<number, AnswerSpec>> => ({
  200: { description, schema },
})
const logQuery = parameters({
  after: {
    type: 'integer',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: '`seq` of the last one seen.',
  },
  limit: { type: 'integer', minimum: 1, maximum: LOG_PAGE_MAX, default: 100 },
})

/** The doors to the simulators: what is in force, a change of it, and the calls that were received. */
export const sandboxSpecs = {
  sandbox: sandboxRoute({
    operationId: 'getSandbox',
    method: 'GET',
    path: '/api/v1/sandbox',
    summary: 'Which simulators the calling bank may steer',
    answers: answers(
      'Those there are',
      object({ exchange: { type: 'boolean' }, bank: { type: 'boolean' } }, [], 'Sandbox'),
    ),
  }),
  exchangeControl: sandboxRoute({
    operationId: 'getExchangeControl',
    method: 'GET',
    path: '/api/v1/sandbox/exchange/control',
    summary: 'Prices, faults and fills in force at the simulated exchange',
    answers: answers('What is in force', exchangeControl),
  }),
  changeExchange: sandboxRoute({
    operationId: 'putExchangeControl',
    method: 'PUT',
    path: '/api/v1/sandbox/exchange/control',
    summary: 'Sets prices, faults or fills of the simulated exchange; a field left out changes nothing',
    body: exchangeChange,
    answers: answers('What is in force now', exchangeControl),
  }),
  exchangeLog: sandboxRoute({
    operationId: 'getExchangeLog',
    method: 'GET',
    path: '/api/v1/sandbox/exchange/log',
    summary: 'Calls that the simulated exchange received',
    query: logQuery,
    answers: answers('Oldest first', log),
  }),
  bankControl: sandboxRoute({
    operationId: 'getBankControl',
    method: 'GET',
    path: '/api/v1/sandbox/bank/control',
    summary: "Faults and declines in force at the simulator that plays the calling bank's back end",
    answers: answers('What is in force', bankControl),
  }),
  changeBank: sandboxRoute({
    operationId: 'putBankControl',
    method: 'PUT',
    path: '/api/v1/sandbox/bank/control',
    summary: 'Sets faults or declines of the simulated bank; a field left out changes nothing',
    body: bankChange,
    answers: answers('What is in force now', bankControl),
  }),
  bankLog: sandboxRoute({
    operationId: 'getBankLog',
    method: 'GET',
    path: '/api/v1/sandbox/bank/log',
    summary: 'Calls that the simulated bank received',
    query: logQuery,
    answers: answers('Oldest first', log),
  }),
} as const
