import { formatAmount } from '@bourse/common/money/amount.ts'
import { ownerOfUuid } from '@bourse/common/platform/identity.ts'
import type { UserRecord } from '@bourse/common/ports/directory.ts'
import { VIEW_PAGE_MAX } from '@bourse/common/ports/views.ts'
import {
  bankTransactionModel,
  ledgerEntryModel,
  ledgerTransactionModel,
  tradeModel,
} from '@bourse/common/views/models.ts'
import type { GatewayDeps } from '../deps.ts'
import { normalEmail } from '../auth/routes.ts'
import { momentOf, valuedTradeFields } from '../engine/trade-fields.ts'
import { ApiError, unwrap } from '../http/api-error.ts'
import { answer, route, type Answer, type Route, type RouteRequest } from '../http/route.ts'
import { unrealizedPnlOf } from '../market/quotation.ts'
import { listedTradeFields } from '../trades/fields.ts'
import type { Acts } from './acts.ts'
import { platformRoute } from './platform.ts'
import { adminSpecs } from './specs.ts'

const userFields = (user: UserRecord) => ({
  userId: user.id,
  email: user.email,
  createdAt: momentOf(user.createdAtMs),
  locked: user.locked,
  sessionsValidFrom: momentOf(user.sessionsValidFromMs),
})

const data = (value: unknown): Answer => answer({ success: true, data: value })

const readAccount = async (deps: GatewayDeps, userId: string): Promise<object> => {
  const { directory, trading, ledger } = deps
  const user = await directory.userById(userId)
  if (user === null) throw new ApiError('NOT_FOUND', `there is no user ${userId}`)
  const owner = ownerOfUuid(userId)
  const trades = unwrap(await trading.openTrades(owner))
  const found = await ledger.balances(owner)
  // A user who never opened the trading account has no balances: that is an answer, not a refusal.
  const balances = !found.ok && found.refusal.code === 'ACCOUNT_NOT_FOUND' ? [] : unwrap(found)
  return {
    user: userFields(user),
    balances: balances.map(({ currency, balance, locked, version }) => ({
      asset: currency,
      balance: formatAmount(balance),
      locked: formatAmount(locked),
      version: String(version),
    })),
    trades: trades.map((trade) => valuedTradeFields(trade, unrealizedPnlOf(deps, trade))),
  }
}

const readLedgerTransaction = async ({ views }: GatewayDeps, id: string): Promise<object | null> => {
  const found = await views.get(ledgerTransactionModel, id)
  if (found === null) return null
  const entries = await views.find(ledgerEntryModel, {
    filter: { transaction: id },
    sortBy: 'order',
    direction: 'ascending',
    limit: VIEW_PAGE_MAX,
  })
  return {
    id: found._id,
    type: found.transactionType,
    reference: found.reference,
    commandId: found.commandId,
    createdAt: momentOf(found.atMs),
    entries: entries.map((entry) => ({
      id: entry._id,
      owner: entry.owner,
      accountKind: entry.accountKind,
      currency: entry.currency,
      amount: formatAmount(entry.amount),
      balanceAfter: formatAmount(entry.balanceAfter),
    })),
  }
}

const readBankTransaction = async ({ views }: GatewayDeps, id: string): Promise<object | null> => {
  const found = await views.get(bankTransactionModel, id)
  return found === null
    ? null
    : {
        id: found._id,
        bank: found.bank,
        bankUserId: found.bankUserId,
        status: found.status,
        createdAt: momentOf(found.createdAtMs),
        transaction: JSON.parse(found.payload) as unknown,
      }
}

const listAudit = async ({ directory }: GatewayDeps, { query }: RouteRequest): Promise<Answer> => {
  const limit = Number(query['limit'])
  const before = query['before']
  const found = await directory.listAudit(typeof before === 'string' ? before : null, limit)
  return data({
    records: found.map(({ id, atMs, who, action, reason, idempotencyKey, detail }) => ({
      id,
      at: momentOf(atMs),
      who,
      action,
      reason,
      idempotencyKey,
      detail: JSON.parse(detail) as unknown,
    })),
    nextBefore: found.length === limit ? (found.at(-1)?.id ?? null) : null,
  })
}

const listPartitions = async ({ platform }: GatewayDeps, { query }: RouteRequest): Promise<Answer> => {
  const hashes: ReadonlyMap<number, string> = query['stateHash'] === true ? await platform.stateHashes() : new Map()
  return data(
    platform.partitions().map((partition) => ({
      name: partition.name,
      number: partition.number,
      state: partition.state,
      sequence: String(partition.sequence),
      stateHash: hashes.get(partition.number) ?? null,
      snapshotSequence: partition.snapshotSequence === null ? null : String(partition.snapshotSequence),
      viewLagRecords: String(partition.viewLagRecords),
    })),
  )
}

/** Reads of administration. Each is journaled first, but for the audit itself: its pages would be full of their own reading. */
export const adminReads = (deps: GatewayDeps, acts: Acts): readonly Route[] => {
  const reasonOf = ({ query }: RouteRequest): string =>
    typeof query['reason'] === 'string' ? query['reason'] : 'not given'
  return [
    route({
      spec: adminSpecs.user,
      handle: async (request, { who }) => {
        const email = normalEmail(String(request.query['email']))
        await acts.noteRead(who, 'read-user', reasonOf(request), { email })
        const user = await deps.directory.userByEmail(email)
        if (user === null) throw new ApiError('NOT_FOUND', `there is no user with the e-mail ${email}`)
        return data(userFields(user))
      },
    }),
    route({
      spec: adminSpecs.account,
      handle: async (request, { who }) => {
        const userId = (request.params['userId'] ?? '').toLowerCase()
        await acts.noteRead(who, 'read-account', reasonOf(request), { userId })
        return data(await readAccount(deps, userId))
      },
    }),
    route({
      spec: adminSpecs.trade,
      handle: async (request, { who }) => {
        const tradeId = request.params['tradeId'] ?? ''
        await acts.noteRead(who, 'read-trade', reasonOf(request), { tradeId })
        const trade = await deps.views.get(tradeModel, tradeId)
        if (trade === null) throw new ApiError('TRADE_NOT_FOUND', `there is no trade ${tradeId}`)
        return data({ account: trade.account, trade: listedTradeFields(trade) })
      },
    }),
    route({
      spec: adminSpecs.transaction,
      handle: async (request, { who }) => {
        const id = request.params['id'] ?? ''
        await acts.noteRead(who, 'read-transaction', reasonOf(request), { id })
        const found = (await readLedgerTransaction(deps, id)) ?? (await readBankTransaction(deps, id))
        if (found === null) throw new ApiError('TRANSACTION_NOT_FOUND', `there is no transaction ${id}`)
        return data(found)
      },
    }),
    route({
      spec: adminSpecs.partitions,
      handle: async (request, { who }) => {
        await acts.noteRead(who, 'read-partitions', reasonOf(request), {})
        return listPartitions(deps, request)
      },
    }),
    platformRoute({ platform: deps.platform, clock: deps.clock, acts }),
    route({ spec: adminSpecs.audit, handle: (request) => listAudit(deps, request) }),
  ]
}
