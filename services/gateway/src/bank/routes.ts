import type { BankOutcome, BankTransaction, BridgeClient, Side } from '@bourse/bridge/client/types.ts'
import type { Result } from '@bourse/common/errors/codes.ts'
import { commandIdentity, requestHashOf, type HashedField } from '@bourse/common/platform/client-identity.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import { momentOf } from '../engine/trade-fields.ts'
import type { BankTelemetry } from '../metrics/banks.ts'
import { invalid } from '../http/api-error.ts'
import { fieldsOf, type BodyFields } from '../http/fields.ts'
import { answer, route, type Answer, type Route, type RouteRequest } from '../http/route.ts'
import { deskRoutes } from './desk.ts'
import { bankErrorOf } from './errors.ts'
import type { BankKeys } from './keys.ts'
import { bankSpecs } from './specs.ts'
import { statementCsv, statementFields, statementRange } from './statement.ts'

/** Parts of the bank API. */
export interface BankOptions {
  readonly bridge: BridgeClient
  readonly keys: Pick<BankKeys, 'keyOf'>
  readonly telemetry: BankTelemetry
  readonly clock: Clock
  readonly ids: Ids
}

const valueOf = <Value>(result: Result<Value>): Value => {
  if (result.ok) return result.value
  throw bankErrorOf(result.refusal)
}

const bodyOf = ({ body }: RouteRequest): BodyFields => {
  if (body === null) throw new Error('the route has a body schema')
  return fieldsOf(body)
}

const keyOf = ({ headers }: RouteRequest): string => {
  const key = headers['x-idempotency-key']
  if (key === undefined) throw new Error('the route requires the header')
  return key.toLowerCase()
}

const transactionFields = (transaction: BankTransaction) => ({
  id: transaction.transactionId,
  idempotencyKey: transaction.idempotencyKey,
  bankUserId: transaction.bankUserId,
  type: transaction.type,
  status: transaction.status,
  amountIn: transaction.amountIn,
  currencyIn: transaction.currencyIn,
  amountOut: transaction.amountOut,
  currencyOut: transaction.currencyOut,
  feeAmount: transaction.feeAmount,
  exchangeRate: transaction.exchangeRate,
  errorCode: transaction.errorCode,
  message: transaction.message,
  createdAt: momentOf(transaction.createdAtMs),
  entries: transaction.entries.map(({ id, transactionId, accountId, currency, amount, balanceAfter }) => ({
    id,
    transactionId,
    accountId,
    currency,
    amount,
    balanceAfter,
  })),
})

/** The recorded answer, word for word, or 202 while there is none. */
const outcomeAnswer = (outcome: BankOutcome): Answer => {
  const recorded = outcome.kind === 'final' ? outcome.transaction.answer : null
  if (recorded !== null) return { status: recorded.status, body: recorded.body }
  const transactionId = outcome.kind === 'final' ? outcome.transaction.transactionId : outcome.transactionId
  return { status: 202, body: { success: true, data: { transactionId, status: 'PENDING' } } }
}

const identityOf = (
  { ids }: BankOptions,
  bank: Bank,
  request: RouteRequest,
  path: string,
  hashed: Readonly<Record<string, HashedField>>,
): CommandIdentity =>
  commandIdentity(ids, `bank:${bank.name}:`, keyOf(request), requestHashOf(request.method, path, hashed))

const trade =
  (options: BankOptions, side: Side, path: string) =>
  async (request: RouteRequest, bank: Bank): Promise<Answer> => {
    const fields = bodyOf(request)
    const asked = {
      bankUserId: fields.text('bankUserId'),
      quoteId: fields.optionalText('quoteId'),
      amount: fields.amount('amount'),
      currency: fields.text('currency'),
    }
    const identity = identityOf(options, bank, request, path, asked)
    const order = { identity, idempotencyKey: keyOf(request), bank: bank.name, side, ...asked }
    const { telemetry, bridge } = options
    return outcomeAnswer(
      valueOf(await telemetry.trade(bank.name, side, request.receivedAtMs, () => bridge.trade(order))),
    )
  }

const move =
  (options: BankOptions, type: 'DEPOSIT' | 'WITHDRAWAL', path: string) =>
  async (request: RouteRequest, bank: Bank): Promise<Answer> => {
    const fields = bodyOf(request)
    const asked = {
      bankUserId: fields.text('bankUserId'),
      amount: fields.amount('amount'),
      currency: fields.text('currency'),
      reference: fields.text('reference'),
    }
    const identity = identityOf(options, bank, request, path, asked)
    return outcomeAnswer(
      valueOf(await options.bridge.move({ identity, idempotencyKey: keyOf(request), bank: bank.name, type, ...asked })),
    )
  }

const quote =
  ({ bridge, telemetry }: BankOptions) =>
  async (request: RouteRequest, bank: Bank): Promise<Answer> => {
    const fields = bodyOf(request)
    const asked = {
      bank: bank.name,
      bankUserId: fields.text('bankUserId'),
      side: fields.text('side') === 'BUY' ? 'BUY' : 'SELL',
      amount: fields.amount('amount'),
      currency: fields.text('currency'),
    } as const
    const { expiresAtMs, quoteId, side, price, cryptoAmount, fiatAmount } = valueOf(
      await telemetry.quote(bank.name, () => bridge.quote(asked)),
    )
    return { status: 201, body: { quoteId, side, price, cryptoAmount, fiatAmount, expiresAt: momentOf(expiresAtMs) } }
  }

const text = (value: string | number | boolean | undefined): string | null => (typeof value === 'string' ? value : null)

const transactions =
  ({ bridge }: BankOptions) =>
  async ({ query }: RouteRequest, bank: Bank): Promise<Answer> => {
    const key = text(query['idempotencyKey'])
    const bankUserId = text(query['bankUserId'])
    const cursor = text(query['cursor'])
    if (key !== null) {
      if (bankUserId !== null || cursor !== null)
        throw invalid('idempotencyKey names one transaction; send it without bankUserId and cursor')
      return answer(transactionFields(valueOf(await bridge.transactionByKey(bank.name, key.toLowerCase()))))
    }
    const page = valueOf(await bridge.transactions(bank.name, { bankUserId, cursor, limit: Number(query['limit']) }))
    return answer({
      transactions: page.items.map(transactionFields),
      nextCursor: page.nextCursor,
      asOf: momentOf(page.asOfMs),
    })
  }

/** Whether CSV is what the client would rather have. */
const wantsCsv = (accept: string): boolean => {
  const csv = accept.indexOf('text/csv')
  const json = accept.indexOf('application/json')
  return csv !== -1 && (json === -1 || csv < json)
}

const statement =
  ({ bridge, clock }: BankOptions) =>
  async (request: RouteRequest, bank: Bank): Promise<Answer> => {
    const { fromMs, toMs } = statementRange(
      String(request.query['from']),
      text(request.query['to']) ?? undefined,
      clock.nowMs(),
    )
    const found = valueOf(await bridge.statement(bank.name, fromMs, toMs))
    return wantsCsv(request.header('accept'))
      ? answer(statementCsv(found), {
          'content-type': 'text/csv; charset=utf-8',
          'content-disposition': 'attachment; filename="statement.csv"',
          vary: 'Accept',
        })
      : answer(statementFields(found), { vary: 'Accept' })
  }

/** Every call of the bank API; the bank comes from its key and sees its own customers only. */
export const bankRoutes = (options: BankOptions): readonly Route[] => {
  const { bridge, telemetry } = options
  return telemetry.counted([
    route({ spec: bankSpecs.buy, handle: trade(options, 'BUY', bankSpecs.buy.path) }),
    route({ spec: bankSpecs.sell, handle: trade(options, 'SELL', bankSpecs.sell.path) }),
    route({ spec: bankSpecs.deposit, handle: move(options, 'DEPOSIT', bankSpecs.deposit.path) }),
    route({ spec: bankSpecs.withdraw, handle: move(options, 'WITHDRAWAL', bankSpecs.withdraw.path) }),
    route({ spec: bankSpecs.quote, handle: quote(options) }),
    route({
      spec: bankSpecs.cancelQuote,
      handle: async ({ params }, bank) => {
        const quoteId = params['quoteId'] ?? ''
        valueOf(await bridge.cancelQuote(bank.name, quoteId))
        return answer({ success: true, data: { quoteId } })
      },
    }),
    route({
      spec: bankSpecs.accounts,
      handle: async ({ params }, bank) =>
        answer(
          valueOf(await bridge.accounts(bank.name, params['bankUserId'] ?? '')).map(
            ({ currency, balance, lockedBalance, version }) => ({ currency, balance, lockedBalance, version }),
          ),
        ),
    }),
    route({
      spec: bankSpecs.transaction,
      handle: async ({ params }, bank) =>
        answer(transactionFields(valueOf(await bridge.transaction(bank.name, params['id'] ?? '')))),
    }),
    route({ spec: bankSpecs.transactions, handle: transactions(options) }),
    route({ spec: bankSpecs.statement, handle: statement(options) }),
    route({
      spec: bankSpecs.events,
      handle: async ({ query }, bank) => {
        const { events, asOfMs } = valueOf(
          await bridge.events(bank.name, Number(query['after']), Number(query['limit'])),
        )
        return answer({
          events: events.map(({ sequence, id, type, createdAt, data }) => ({ sequence, id, type, createdAt, data })),
          asOf: momentOf(asOfMs),
        })
      },
    }),
    ...deskRoutes(options),
  ])
}
