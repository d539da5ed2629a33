/** JSON schemas of the mock bank's calls and control fields. */
import { POSITIVE_AMOUNT_SCHEMA } from '@bourse/common/simulator/call.ts'
import { CONTROL_RULES_MAX, COUNT_SCHEMA } from '@bourse/common/simulator/controlState.ts'

const NAME_SCHEMA = { type: 'string', minLength: 1, maxLength: 200 } as const
const CURRENCY_SCHEMA = { type: 'string', pattern: '^[A-Z0-9]{2,8}$' } as const

/** Types of events that Bourse sends. */
export const EVENT_TYPES = [
  'transaction.completed',
  'transaction.failed',
  'deposit.completed',
  'withdrawal.completed',
] as const

/** Body of `POST /authorizations`. */
export const AUTHORIZATION_SCHEMA = {
  type: 'object',
  required: ['transactionId', 'bankUserId', 'type', 'amount', 'currency'],
  additionalProperties: false,
  properties: {
    transactionId: NAME_SCHEMA,
    bankUserId: NAME_SCHEMA,
    type: { enum: ['BUY', 'SELL'] },
    amount: POSITIVE_AMOUNT_SCHEMA,
    currency: CURRENCY_SCHEMA,
  },
} as const

/** Body of `POST /reversals`. */
export const REVERSAL_SCHEMA = {
  type: 'object',
  required: ['transactionId'],
  additionalProperties: false,
  properties: { transactionId: NAME_SCHEMA },
} as const

/** Body of `POST /webhooks`. */
export const WEBHOOK_SCHEMA = {
  type: 'object',
  required: ['sequence', 'id', 'type', 'createdAt', 'data'],
  additionalProperties: false,
  properties: {
    sequence: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    id: NAME_SCHEMA,
    type: { enum: EVENT_TYPES },
    createdAt: {
      anyOf: [
        { type: 'string', minLength: 1, maxLength: 40 },
        { type: 'integer', minimum: 0 },
      ],
    },
    data: { type: 'object' },
  },
} as const

/** Control field `decline`: whom the bank says no to. */
export const DECLINE_SCHEMA = {
  type: 'array',
  maxItems: CONTROL_RULES_MAX,
  items: {
    type: 'object',
    additionalProperties: false,
    properties: { bankUserId: NAME_SCHEMA, transactionId: NAME_SCHEMA, count: COUNT_SCHEMA },
    oneOf: [{ required: ['bankUserId'] }, { required: ['transactionId'] }],
  },
} as const

/** Control field `webhookSecrets`. */
export const WEBHOOK_SECRETS_SCHEMA = {
  type: 'array',
  maxItems: 10,
  items: { type: 'string', minLength: 1, maxLength: 500 },
} as const
