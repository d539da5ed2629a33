import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import { refusingPortFailures } from '@bourse/common/platform/refusing.ts'
import { bridgePartitionOf, ledgerPartitionOf, type Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { bankEventModel, bankTransactionModel } from '@bourse/common/views/models.ts'
import { bankCustomerOwner } from '@bourse/risk-rules/ledger/accounts.ts'
import { balancesQuestion, decodeBalances } from '@bourse/risk-rules/ledger/queries.ts'
import { encodeCancelQuote, encodeMove, encodeQuote, encodeTrade, NO_TICKER } from '../codec/commands.ts'
import { idOfName, quoteName } from '../codec/identifiers.ts'
import { formatAtLeast, formatFiat } from '../codec/present.ts'
import type { Question } from '../codec/questions.ts'
import type { QuoteReply } from '../codec/reply.ts'
import { ANSWER_DEADLINE_MS, createConversation } from './conversation.ts'
import { readCustomers } from './customers.ts'
import { askDayUse } from './day-use.ts'
import { orderAndWait } from './orders.ts'
import { presentTransaction } from './present-transaction.ts'
import { orderRedelivery } from './redelivery.ts'
import { readStatement } from './statement.ts'
import { storedEvent, storedTransaction } from './stored.ts'
import type { BankQuote, BankTransaction, BridgeClient, ViewFreshness } from './types.ts'

/** What the client needs. */
export interface BridgeClientDeps {
  readonly partitions: PartitionClient
  readonly topology: Topology
  readonly views: Views
  readonly viewFreshness: ViewFreshness
  readonly clock: Clock
  readonly ids: Ids
}

const presentQuote = (quote: QuoteReply): BankQuote => ({
  quoteId: quoteName(quote.quoteId),
  side: quote.side,
  price: formatAtLeast(quote.price, quote.priceDecimals),
  cryptoAmount: formatAtLeast(quote.cryptoAmount, quote.cryptoDecimals),
  fiatAmount: formatFiat(quote.fiatAmount),
  expiresAtMs: Number(quote.expiresAt),
})

const noTransaction = (): Result<never> => refuse('NOT_FOUND', 'there is no such transaction')

/** A page's cursor: the sort key of its last document. */
const encodeCursor = (order: string, id: string): string => Buffer.from(`${order} ${id}`, 'utf8').toString('base64url')

const decodeCursor = (cursor: string): { readonly sortValue: string; readonly id: string } | null => {
  const match = /^(\d{20}) (tx_[0-9a-f]{32})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))
  return match === null ? null : { sortValue: match[1] ?? '', id: match[2] ?? '' }
}

/** Makes the bank API's client of the bridge. */
export const createBridgeClient = (deps: BridgeClientDeps): BridgeClient => {
  const { topology, views, clock, ids } = deps
  const conversation = createConversation(deps.partitions)
  const partitionOf = (bank: string): number => bridgePartitionOf(topology, bank)
  const ordering = { conversation, views, clock, viewFreshness: deps.viewFreshness }
  const asOf = (bank: string): Promise<number> => deps.viewFreshness(partitionOf(bank))

  /** A transaction as the machine has it, else as the view has it. */
  const find = async (
    bank: string,
    question: Question,
    inView: () => Promise<{ readonly bank: string; readonly payload: string } | null>,
  ): Promise<Result<BankTransaction>> => {
    const answer = await conversation.ask(partitionOf(bank), question)
    if (answer.ok) {
      const [transaction] = answer.value.transactions
      return transaction === undefined ? noTransaction() : ok(presentTransaction(transaction))
    }
    if (answer.refusal.code !== 'NOT_FOUND') return answer
    const old = await inView()
    return old === null || old.bank !== bank ? noTransaction() : ok(storedTransaction(old.payload).transaction)
  }

  const accounts: BridgeClient['accounts'] = async (bank, bankUserId) => {
    const owner = bankCustomerOwner(bank, bankUserId)
    const ledger = ledgerPartitionOf(topology, owner)
    const known = await conversation.ask(
      partitionOf(bank),
      { kind: 'customer', bank, bankUserId },
      { flushedTo: ledger },
    )
    if (!known.ok) return known
    const answer = await deps.partitions.read(ledger, balancesQuestion(owner), { deadlineMs: ANSWER_DEADLINE_MS })
    if (!answer.ok) return answer
    const decimals = new Map(known.value.currencies.map((currency) => [currency.currency, currency.decimals]))
    const own = decodeBalances(answer.value.outcome).filter((balance) => balance.kind === 'customer')
    return ok(
      own.map(({ currency, balance, locked, version }) => ({
        currency,
        balance: formatAtLeast(balance, decimals.get(currency) ?? 2),
        lockedBalance: formatAtLeast(locked, decimals.get(currency) ?? 2),
        version: Number(version),
      })),
    )
  }

  const transactions: BridgeClient['transactions'] = async (bank, query) => {
    const after = query.cursor === null ? null : decodeCursor(query.cursor)
    if (query.cursor !== null && after === null)
      return refuse('VALIDATION_ERROR', 'cursor is not one that a page has given')
    const asOfMs = await asOf(bank)
    const found = await views.find(bankTransactionModel, {
      filter: query.bankUserId === null ? { bank } : { bank, bankUserId: query.bankUserId },
      sortBy: 'order',
      direction: 'descending',
      ...(after === null ? {} : { after }),
      limit: query.limit + 1,
    })
    const page = found.slice(0, query.limit)
    const last = page.at(-1)
    return ok({
      items: page.map((one) => storedTransaction(one.payload).transaction),
      nextCursor: found.length > page.length && last !== undefined ? encodeCursor(last.order, last._id) : null,
      asOfMs,
    })
  }

  const events: BridgeClient['events'] = async (bank, after, limit) => {
    const asOfMs = await asOf(bank)
    const filter = { bank, sequence: { gt: after } }
    const found = await views.find(bankEventModel, { filter, sortBy: 'sequence', direction: 'ascending', limit })
    return ok({ events: found.map((one) => storedEvent(one.payload).event), asOfMs })
  }

  return refusingPortFailures<BridgeClient>({
    quote: async ({ bank, bankUserId, side, amount, currency }) => {
      const command = encodeQuote(ids.bytes16(), { ticker: NO_TICKER, bank, bankUserId, side, amount, currency })
      const answer = await conversation.command(partitionOf(bank), command)
      if (!answer.ok) return answer
      if (answer.value.quote === null) throw new Error('the bridge answered a quote without one')
      return ok(presentQuote(answer.value.quote))
    },
    cancelQuote: async (bank, quoteId) => {
      const answer = await conversation.command(partitionOf(bank), encodeCancelQuote({ bank, quoteName: quoteId }))
      return answer.ok ? ok(undefined) : answer
    },
    trade: ({ identity, idempotencyKey, bank, side, bankUserId, quoteId, amount, currency }) => {
      const trade = {
        ticker: NO_TICKER,
        bank,
        bankUserId,
        idempotencyKey,
        side,
        quoteName: quoteId ?? '',
        amount,
        currency,
      }
      return orderAndWait(ordering, {
        identity,
        bank,
        partition: partitionOf(bank),
        command: encodeTrade(identity, trade),
      })
    },
    move: ({ identity, idempotencyKey, bank, type, bankUserId, amount, currency, reference }) => {
      const move = { bank, bankUserId, idempotencyKey, type, amount, currency, reference }
      return orderAndWait(ordering, {
        identity,
        bank,
        partition: partitionOf(bank),
        command: encodeMove(identity, move),
      })
    },
    accounts,
    transaction: async (bank, name) => {
      const transactionId = idOfName('tx', name)
      if (transactionId === null) return noTransaction()
      return find(bank, { kind: 'transaction', bank, transactionId }, () => views.get(bankTransactionModel, name))
    },
    transactionByKey: (bank, idempotencyKey) =>
      find(bank, { kind: 'transactionByKey', bank, idempotencyKey }, async () => {
        const filter = { bank, idempotencyKey: idempotencyKey.toLowerCase() }
        const [found] = await views.find(bankTransactionModel, {
          filter,
          sortBy: 'order',
          direction: 'descending',
          limit: 1,
        })
        return found ?? null
      }),
    transactions,
    customers: async (bank, query) => readCustomers(views, bank, { ...query, asOfMs: await asOf(bank) }),
    dayUse: (bank) => askDayUse(deps.partitions, partitionOf(bank), bank, clock.nowMs()),
    statement: async (bank, fromMs, toMs) => readStatement(views, bank, { fromMs, toMs, asOfMs: await asOf(bank) }),
    events,
    redeliver: (request) => orderRedelivery(ordering, partitionOf(request.bank), request),
  })
}
