import { createHash } from 'node:crypto'
import { commandIdentity, requestHashOf, type HashedField } from '@bourse/common/platform/client-identity.ts'
import { ownerOfUuid } from '@bourse/common/platform/identity.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import { adminSpecs } from '@bourse/gateway/admin/specs.ts'
import { bankSpecs } from '@bourse/gateway/bank/specs.ts'
import { ENGINE_PATH } from '@bourse/gateway/http/envelope.ts'
import type { Request, Trader } from '../history/history.ts'

/** The reason that administration gives for all it does here; it is part of what is hashed. */
export const ADMIN_REASON = 'simulation'

/** The user behind a trader's number: the same in every run. */
export const userIdOf = (trader: Trader): string =>
  createHash('sha256')
    .update(`trader:${trader}`)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/u, '$1-$2-$3-$4-$5')

/** The owner bytes of a trader's account. */
export const ownerOfTrader = (trader: Trader): Uint8Array => ownerOfUuid(userIdOf(trader))

/** Requests that take an idempotency key. */
export type KeyedRequest = Extract<
  Request,
  {
    readonly kind:
      | 'open-account'
      | 'open-trade'
      | 'update-trade'
      | 'close-trade'
      | 'adjust'
      | 'fund'
      | 'correct'
      | 'market-state'
      | 'bank-trade'
      | 'bank-move'
  }
>

const keyedKinds: ReadonlySet<Request['kind']> = new Set<KeyedRequest['kind']>([
  'open-account',
  'open-trade',
  'update-trade',
  'close-trade',
  'adjust',
  'fund',
  'correct',
  'market-state',
  'bank-trade',
  'bank-move',
])

/** Whether a request takes a key. */
export const takesKey = (request: Request): request is KeyedRequest => keyedKinds.has(request.kind)

/** A request as it stands on the wire: who sends it, where, and its parsed fields. */
interface Wire {
  readonly scope: string
  readonly path: string
  readonly fields: Readonly<Record<string, HashedField>>
}

const engine = (trader: Trader, fields: Wire['fields']): Wire => ({
  scope: `user:${userIdOf(trader)}:`,
  path: ENGINE_PATH,
  fields,
})

const admin = (path: string, fields: Wire['fields']): Wire => ({
  scope: 'admin:',
  path,
  fields: { ...fields, reason: ADMIN_REASON },
})

const bank = (name: string, path: string, fields: Wire['fields']): Wire => ({ scope: `bank:${name}:`, path, fields })

const wireOf = (request: KeyedRequest): Wire => {
  switch (request.kind) {
    case 'open-account':
      return engine(request.trader, { command: 'CREATE_ACCOUNT' })
    case 'open-trade': {
      const { kind: _kind, trader, ...fields } = request
      return engine(trader, { command: 'CREATE_TRADE', ...fields })
    }
    case 'update-trade': {
      const { trader, tradeId, stopLossPrice, takeProfitPrice } = request
      return engine(trader, {
        command: 'UPDATE_TRADE',
        tradeId,
        ...(stopLossPrice === undefined ? {} : { stopLossPrice }),
        ...(takeProfitPrice === undefined ? {} : { takeProfitPrice }),
      })
    }
    case 'close-trade':
      return engine(request.trader, {
        command: 'CLOSE_TRADE',
        tradeId: request.tradeId,
        worstPrice: request.worstPrice,
      })
    case 'adjust': {
      const { trader, amount, currency, reference } = request
      const fields = { userId: userIdOf(trader), amount: amount < 0n ? -amount : amount, currency, reference }
      return admin(amount < 0n ? adminSpecs.debit.path : adminSpecs.credit.path, fields)
    }
    case 'fund':
      return admin(adminSpecs.fund.path, { target: request.target, asset: request.asset, amount: request.amount })
    case 'correct':
      return admin(adminSpecs.correct.path, { transactionId: request.transactionId })
    case 'market-state': {
      const { path } = request.state === 'Open' ? adminSpecs.reopen : adminSpecs.halt
      return admin(path.replace('{asset}', request.asset), { asset: request.asset })
    }
    case 'bank-trade': {
      const { customer, quoteId, amount, currency } = request
      const { path } = request.side === 'BUY' ? bankSpecs.buy : bankSpecs.sell
      return bank(request.bank, path, { bankUserId: customer, quoteId, amount, currency })
    }
    case 'bank-move': {
      const { customer, amount, currency, reference } = request
      const { path } = request.type === 'DEPOSIT' ? bankSpecs.deposit : bankSpecs.withdraw
      return bank(request.bank, path, { bankUserId: customer, amount, currency, reference })
    }
  }
}

/** In whose name a key counts: the same key in another scope is another key. */
export const scopeOf = (request: KeyedRequest): string => wireOf(request).scope

/** The identity that the gateway gives this request. A null key: a random id from `ids`. */
export const identityOf = (ids: Ids, request: KeyedRequest, key: string | null): CommandIdentity => {
  const { scope, path, fields } = wireOf(request)
  return commandIdentity(ids, scope, key ?? undefined, requestHashOf('POST', path, fields))
}
