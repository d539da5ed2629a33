import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import { valuedTradeSchema } from '../engine/specs.ts'
import {
  amountInput,
  decimal,
  line,
  list,
  moment,
  object,
  parameters,
  requiredKeyHeader,
  success,
  uuid,
} from '../http/schemas.ts'
import { routeSpec, type AnswerSpec, type ParameterSchema, type RouteSpec, type Schema } from '../http/route.ts'
import { listedTradeSchema } from '../trades/specs.ts'

type AdminRoute = RouteSpec & { readonly security: 'admin' }

const reason = line(500, 'Why: kept in the audit.')
const readReason = { reason: { ...reason, description: 'Why, kept in the audit; optional for reads.' } } as const
const asset: Schema = { type: 'string', minLength: 1, maxLength: 40 }
const currency: Schema = { type: 'string', pattern: '^[A-Z0-9]{2,8}$' }
const userParams = parameters({ userId: uuid }, ['userId'])
const assetParams = parameters({ asset }, ['asset'])
const reasonBody: Schema = object({ reason }, [], 'AdminReason')

const act = (spec: {
  readonly operationId: string
  readonly path: string
  readonly summary: string
  readonly params?: ParameterSchema
  readonly body: Schema
  readonly data: Schema
  readonly refusals: readonly RefusalCode[]
}): AdminRoute => {
  const { data, refusals, ...rest } = spec
  return routeSpec<'admin'>({
    ...rest,
    method: 'POST',
    tag: 'Administration',
    security: 'admin',
    headers: requiredKeyHeader,
    description:
      'Journaled with who (`x-admin-user`) and why (`reason`) before it is done; done once per `x-idempotency-key`.',
    answers: { 200: { description: 'Done', schema: success(data) } },
    refusals: [...refusals, 'IDEMPOTENCY_CONFLICT', 'UNAVAILABLE'],
  })
}

const read = (spec: {
  readonly operationId: string
  readonly path: string
  readonly summary: string
  readonly description?: string
  readonly params?: ParameterSchema
  readonly query?: ParameterSchema
  readonly answer: AnswerSpec
  readonly refusals: readonly RefusalCode[]
}): AdminRoute => {
  const { answer, ...rest } = spec
  return routeSpec<'admin'>({
    ...rest,
    method: 'GET',
    tag: 'Administration',
    security: 'admin',
    answers: { 200: answer },
  })
}

const user: Schema = object(
  {
    userId: uuid,
    email: { type: 'string' },
    createdAt: moment,
    locked: { type: 'boolean' },
    sessionsValidFrom: moment,
  },
  [],
  'AdminUser',
)
const adjustBody: Schema = object(
  { userId: uuid, amount: amountInput, currency, reference: line(256), reason },
  ['currency'],
  'AdjustRequest',
)
const transactionId: Schema = { type: 'string', minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_.:-]+$' }
const booked: Schema = object({ transactionId: { type: 'string' } }, [], 'Booked')
const userState: Schema = object({ userId: uuid, locked: { type: 'boolean' } }, [], 'UserState')
const balance: Schema = object(
  { asset: { type: 'string' }, balance: decimal, locked: decimal, version: { type: 'string' } },
  [],
  'AdminBalance',
)
const account: Schema = object({ user, balances: list(balance), trades: list(valuedTradeSchema) }, [], 'AdminAccount')
const entry: Schema = object(
  {
    id: { type: 'string' },
    owner: { type: 'string' },
    accountKind: { type: 'integer' },
    currency: { type: 'string' },
    amount: decimal,
    balanceAfter: decimal,
  },
  [],
  'LedgerEntry',
)
const ledgerTransaction: Schema = object(
  {
    id: { type: 'string' },
    type: { type: 'integer' },
    reference: { type: 'string' },
    commandId: { type: 'string' },
    createdAt: moment,
    entries: list(entry),
  },
  [],
  'LedgerTransaction',
)
const bankTransaction: Schema = object(
  {
    id: { type: 'string' },
    bank: { type: 'string' },
    bankUserId: { type: 'string' },
    status: { type: 'string' },
    createdAt: moment,
    transaction: {},
  },
  [],
  'AdminBankTransaction',
)
const partition: Schema = object(
  {
    name: { type: 'string' },
    number: { type: 'integer' },
    state: { type: 'string', enum: ['starting', 'serving', 'rebuilding', 'stopped'] },
    sequence: { type: 'string' },
    stateHash: { type: ['string', 'null'] },
    snapshotSequence: { type: ['string', 'null'] },
    viewLagRecords: { type: 'string' },
  },
  [],
  'Partition',
)
const unknown = 'Null while it is not known.'
const platformPartition: Schema = object(
  {
    name: { type: 'string' },
    number: { type: 'integer' },
    state: { type: 'string', enum: ['starting', 'serving', 'rebuilding', 'stopped'] },
    reason: { type: ['string', 'null'], description: 'Why it does not serve.' },
    shard: { type: ['string', 'null'], description: 'Who serves it, or did last.' },
    sequence: { type: ['string', 'null'], description: `Of the last journaled record. ${unknown}` },
    snapshotSequence: {
      type: ['string', 'null'],
      description: 'Of the newest snapshot. Null while there is none, or none is known.',
    },
    snapshotAt: {
      ...moment,
      type: ['string', 'null'],
      description: 'When it was taken. Null while there is none, or none is known.',
    },
    viewLagRecords: { type: ['string', 'null'], description: `Records that the lists lack. ${unknown}` },
  },
  [],
  'PlatformPartition',
)
const platform: Schema = object(
  {
    ready: { type: 'boolean' },
    reasons: list({ type: 'string' }),
    asOf: moment,
    viewsAsOf: {
      ...moment,
      type: ['string', 'null'],
      description: `Up to which moment the lists are complete. ${unknown}`,
    },
    shards: list(
      object(
        {
          name: { type: 'string' },
          heardAt: { ...moment, description: 'When it last said anything.' },
          partitions: list({ type: 'string' }),
        },
        [],
        'PlatformShard',
      ),
    ),
    partitions: list(platformPartition),
  },
  [],
  'Platform',
)
const auditRecord: Schema = object(
  {
    id: { type: 'string' },
    at: moment,
    who: { type: 'string' },
    action: { type: 'string' },
    reason: { type: 'string' },
    idempotencyKey: { type: 'string' },
    detail: {},
  },
  [],
  'AuditRecord',
)

/** Every call of administration. */
export const adminSpecs = {
  fund: act({
    operationId: 'adminFund',
    path: '/api/v1/admin/fund',
    summary: "Moves capital to a market's house or insurance",
    body: object(
      { target: { type: 'string', enum: ['house', 'insurance'] }, asset, amount: amountInput, reason },
      [],
      'FundRequest',
    ),
    data: object({ transactionIds: list({ type: 'string' }) }),
    refusals: ['MARKET_NOT_FOUND', 'AMOUNT_OVERFLOW'],
  }),
  credit: act({
    operationId: 'adminCredit',
    path: '/api/v1/admin/credit',
    summary: "Credits a trader's account",
    body: adjustBody,
    data: booked,
    refusals: ['NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'AMOUNT_OVERFLOW'],
  }),
  debit: act({
    operationId: 'adminDebit',
    path: '/api/v1/admin/debit',
    summary: "Debits a trader's account",
    body: adjustBody,
    data: booked,
    refusals: ['NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'INSUFFICIENT_FUNDS', 'AMOUNT_OVERFLOW'],
  }),
  correct: act({
    operationId: 'adminCorrect',
    path: '/api/v1/admin/corrections',
    summary: 'Books the opposite of a transaction, naming it',
    body: object({ transactionId, reason }, [], 'CorrectionRequest'),
    data: booked,
    refusals: ['TRANSACTION_NOT_FOUND', 'INSUFFICIENT_FUNDS', 'AMOUNT_OVERFLOW'],
  }),
  halt: act({
    operationId: 'adminHaltMarket',
    path: '/api/v1/admin/markets/{asset}/halt',
    summary: 'Halts a market',
    params: assetParams,
    body: reasonBody,
    data: object({ asset, state: { const: 'Halted' } }),
    refusals: ['MARKET_NOT_FOUND'],
  }),
  reopen: act({
    operationId: 'adminReopenMarket',
    path: '/api/v1/admin/markets/{asset}/reopen',
    summary: 'Reopens a market',
    params: assetParams,
    body: reasonBody,
    data: object({ asset, state: { const: 'Open' } }),
    refusals: ['MARKET_NOT_FOUND'],
  }),
  lock: act({
    operationId: 'adminLockUser',
    path: '/api/v1/admin/users/{userId}/lock',
    summary: 'Locks a user and ends their sessions',
    params: userParams,
    body: reasonBody,
    data: userState,
    refusals: ['NOT_FOUND'],
  }),
  unlock: act({
    operationId: 'adminUnlockUser',
    path: '/api/v1/admin/users/{userId}/unlock',
    summary: 'Unlocks a user',
    params: userParams,
    body: reasonBody,
    data: userState,
    refusals: ['NOT_FOUND'],
  }),
  endSessions: act({
    operationId: 'adminEndSessions',
    path: '/api/v1/admin/users/{userId}/end-sessions',
    summary: "Ends a user's sessions",
    params: userParams,
    body: reasonBody,
    data: object({ userId: uuid }),
    refusals: ['NOT_FOUND'],
  }),
  user: read({
    operationId: 'adminFindUser',
    path: '/api/v1/admin/users',
    summary: 'The user of an e-mail',
    query: parameters({ email: { type: 'string', minLength: 3, maxLength: 254 }, ...readReason }, ['email']),
    answer: { description: 'The user', schema: success(user) },
    refusals: ['NOT_FOUND'],
  }),
  account: read({
    operationId: 'adminReadAccount',
    path: '/api/v1/admin/accounts/{userId}',
    summary: 'A user with balances and open trades',
    params: userParams,
    query: parameters(readReason),
    answer: { description: 'The account', schema: success(account) },
    refusals: ['NOT_FOUND', 'UNAVAILABLE'],
  }),
  trade: read({
    operationId: 'adminReadTrade',
    path: '/api/v1/admin/trades/{tradeId}',
    summary: 'A trade of any user',
    params: parameters({ tradeId: transactionId }, ['tradeId']),
    query: parameters(readReason),
    answer: {
      description: 'The trade',
      schema: success(object({ account: { type: 'string' }, trade: listedTradeSchema })),
    },
    refusals: ['TRADE_NOT_FOUND'],
  }),
  transaction: read({
    operationId: 'adminReadTransaction',
    path: '/api/v1/admin/transactions/{id}',
    summary: 'A ledger transaction with its entries, or a bank transaction',
    params: parameters({ id: transactionId }, ['id']),
    query: parameters(readReason),
    answer: { description: 'The transaction', schema: success({ anyOf: [ledgerTransaction, bankTransaction] }) },
    refusals: ['TRANSACTION_NOT_FOUND'],
  }),
  partitions: read({
    operationId: 'adminListPartitions',
    path: '/api/v1/admin/partitions',
    summary: 'All partitions',
    query: parameters({
      ...readReason,
      stateHash: {
        type: 'boolean',
        default: false,
        description: 'Whether to answer the hash of each state; every partition stops while its state is read.',
      },
    }),
    answer: { description: 'All', schema: success(list(partition)) },
    refusals: [],
  }),
  platform: read({
    operationId: 'adminReadPlatform',
    path: '/api/v1/admin/platform',
    summary: 'Whether the platform takes commands, its shards and their partitions',
    description: 'For a page that asks every few seconds: noted in the audit once a minute for each `x-admin-user`.',
    query: parameters({ ...readReason }),
    answer: { description: 'As this gateway knows it', schema: success(platform) },
    refusals: [],
  }),
  audit: read({
    operationId: 'adminListAudit',
    path: '/api/v1/admin/audit',
    summary: 'Administrative acts, newest first',
    query: parameters({
      before: { type: 'string', maxLength: 128, description: 'The id of the last record seen.' },
      limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
    }),
    answer: {
      description: 'A page',
      schema: success(object({ records: list(auditRecord), nextBefore: { type: ['string', 'null'] } })),
    },
    refusals: [],
  }),
} as const
