import { createFolds, PROJECTION } from '@bourse/all-in-one/platform/projections.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import { VIEW_PAGE_MAX, type ViewModel, type Views } from '@bourse/common/ports/views.ts'
import {
  bankCustomerModel,
  bankEventModel,
  bankTransactionModel,
  commandModel,
  ledgerEntryModel,
  ledgerTransactionModel,
  tradeEventModel,
  tradeModel,
  viewModels,
  type BankTransactionView,
  type LedgerEntryView,
  type TradeView,
} from '@bourse/common/views/models.ts'
import { accountKinds } from '@bourse/risk-rules/ledger/accounts.ts'
import { closeReasons } from '@bourse/risk-rules/trading/codec.ts'
import { tradeIdOf } from '@bourse/trading/codec/trade-id.ts'
import { createBareViews } from '../../ports/views.ts'
import type { Books } from '../books.ts'
import type { Journals } from '../evidence/journals.ts'
import type { Complain } from '../findings.ts'
import { tradeAfter, type TradeLife } from '../model/trading/book.ts'
import type { Trade } from '../model/trading/trade.ts'
import { differences } from '../model/differences.ts'

type AnyModel = (typeof viewModels)[number]
type Document = Readonly<Record<string, unknown>> & { readonly _id: string }

/** An indexed field that every document of a model has. */
const sortFields = new Map<AnyModel, string>([
  [tradeModel, 'order'],
  [commandModel, 'atMs'],
  [ledgerTransactionModel, 'atMs'],
  [ledgerEntryModel, 'order'],
  [tradeEventModel, 'sequence'],
  [bankTransactionModel, 'order'],
  [bankEventModel, 'sequence'],
  [bankCustomerModel, 'bank'],
])

/** All documents of a model, by id. */
const readAll = async (views: Views, model: AnyModel): Promise<ReadonlyMap<string, Document>> => {
  const sortBy = sortFields.get(model) ?? '_id'
  const documents = new Map<string, Document>()
  for (let last: Document | undefined; ;) {
    const after = last === undefined ? {} : { after: { sortValue: last[sortBy] as string, id: last._id } }
    const query = { filter: {}, sortBy, direction: 'ascending', limit: VIEW_PAGE_MAX, ...after } as const
    // Whatever the model, its documents are read as fields by name.
    const page = await views.find(model as unknown as ViewModel<Document>, query)
    for (const document of page) documents.set(document._id, document)
    last = page.at(-1)
    if (page.length < VIEW_PAGE_MAX) return documents
  }
}

/** The documents of all views. */
export type ViewDocuments = ReadonlyMap<AnyModel, ReadonlyMap<string, Document>>

/** Reads all views. */
export const readViews = async (views: Views): Promise<ViewDocuments> => {
  const all = new Map<AnyModel, ReadonlyMap<string, Document>>()
  for (const model of viewModels) all.set(model, await readAll(views, model))
  return all
}

const sameDocument = (a: Document, b: Document): string => differences(a, b)

/** The views equal what a rebuild makes of the journals in fresh, empty views; nothing is missing, nothing is too much. */
export const checkRebuild = async (
  deps: {
    readonly journals: Journals
    readonly views: Views
    readonly topology: Topology
    readonly documents: ViewDocuments
  },
  complain: Complain,
): Promise<void> => {
  const { journals, documents, topology } = deps
  const fresh = createBareViews(viewModels)
  const foldOf = createFolds(topology, fresh)
  for (const [partition, records] of journals) {
    const fold = foldOf(partition)
    for (const { record } of records) await fresh.project(PROJECTION, partition, record.sequence, await fold(record))
    const cursor = await deps.views.cursor(PROJECTION, partition)
    if (cursor !== BigInt(records.length))
      complain(
        'views-equal-a-rebuild',
        `the views of ${partitionName(partition)} are at ${cursor} of ${records.length}`,
      )
  }
  for (const model of viewModels) {
    const rebuilt = await readAll(fresh, model)
    const kept = documents.get(model) ?? new Map<string, Document>()
    for (const [id, document] of rebuilt) {
      const found = kept.get(id)
      const wrong = found === undefined ? 'it is missing' : sameDocument(found, document)
      if (wrong !== '') complain('views-equal-a-rebuild', `${model.name} ${id}: ${wrong}`)
    }
    for (const id of kept.keys())
      if (!rebuilt.has(id)) complain('views-equal-a-rebuild', `${model.name} ${id} is too much`)
  }
}

const orNull = (units: bigint): bigint | null => (units === 0n ? null : units)

const tradeFields = (trade: Trade, end: TradeLife['end']): Partial<TradeView> => ({
  account: trade.account,
  status: end === null ? 'open' : 'closed',
  direction: trade.isLong ? 'LONG' : 'SHORT',
  margin: trade.margin,
  leverage: trade.leverage,
  quantity: trade.quantity,
  entryPrice: trade.entryPrice,
  stopLossPrice: orNull(trade.stopLoss),
  takeProfitPrice: orNull(trade.takeProfit),
  openFee: trade.openFee,
  openedAt: Number(trade.openedAt),
  exitPrice: end?.exitPrice ?? null,
  pnl: end?.pnl ?? null,
  fees: end === null ? null : trade.openFee + end.fee,
  funding: end?.funding ?? null,
  returned: end?.returned ?? null,
  closedAt: end === null ? null : Number(end.closedAt),
  reason: end === null ? null : (Object.entries(closeReasons).find(([, number]) => number === end.reason)?.[0] ?? ''),
})

const compareAll = (
  model: AnyModel,
  found: ReadonlyMap<string, Document>,
  expected: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
  complain: Complain,
): void => {
  for (const [id, fields] of expected) {
    const document = found.get(id)
    const wrong = document === undefined ? 'it is missing' : differences(document, fields)
    if (wrong !== '') complain('views-tell-the-truth', `${model.name} ${id}: ${wrong}`)
  }
  for (const id of found.keys())
    if (!expected.has(id)) complain('views-tell-the-truth', `${model.name} ${id} belongs to nothing`)
}

const tradesOf = ({ markets }: Books): ReadonlyMap<string, Partial<TradeView>> => {
  const trades = new Map<string, Partial<TradeView>>()
  for (const { partition, lives } of markets.values())
    for (const [tradeNumber, life] of lives)
      trades.set(
        tradeIdOf({ market: (partition >>> 8) & 0xffff, partitionIndex: partition & 0xff, tradeNumber }),
        tradeFields(tradeAfter(life), life.end),
      )
  return trades
}

const entriesOf = ({ ledgers }: Books): ReadonlyMap<string, Partial<LedgerEntryView>> => {
  const entries = new Map<string, Partial<LedgerEntryView>>()
  for (const { partition, done } of ledgers.values()) {
    for (const { instruction, number, balancesAfter, paid, entry } of done) {
      if (number === 0n) continue
      balancesAfter.forEach((balanceAfter, index) => {
        const leg = instruction.legs[index]
        if (leg === undefined) return
        const amount = instruction.kind !== 'INSURANCE_REFUND' ? leg.amount : index === 0 ? -paid : paid
        entries.set(`${partition}:${number}:${index}`, {
          transaction: `${partition}:${number}`,
          partition,
          owner: leg.owner,
          accountKind: accountKinds[leg.kind].number,
          currency: leg.currency,
          amount,
          balanceAfter,
          reference: instruction.reference,
          transactionType: instruction.transactionType,
          atMs: Number(entry.now),
        })
      })
    }
  }
  return entries
}

const bankTransactionsOf = ({ bridges }: Books): ReadonlyMap<string, Partial<BankTransactionView>> => {
  const transactions = new Map<string, Partial<BankTransactionView>>()
  for (const book of bridges.values()) {
    for (const life of book.transactions.values()) {
      const isFailed = life.stage === 'failed'
      transactions.set(`tx_${life.id}`, {
        bank: life.bank,
        bankUserId: life.customer,
        idempotencyKey: life.key.toLowerCase(),
        type: life.type,
        status: life.stage === 'completed' ? 'COMPLETED' : isFailed ? 'FAILED' : 'PENDING',
        errorCode: isFailed ? life.code : null,
        createdAtMs: Number(life.createdAt),
      })
    }
  }
  return transactions
}

const eventsOf = ({ bridges }: Books): ReadonlyMap<string, Readonly<Record<string, unknown>>> =>
  new Map(
    [...bridges.values()].flatMap(({ banks }) =>
      [...banks].flatMap(([bank, { events }]) =>
        events.map(
          (life) =>
            [
              `${bank}:${life.eventSequence}`,
              { bank, sequence: Number(life.eventSequence), createdAtMs: Number(life.finishedAt) },
            ] as const,
        ),
      ),
    ),
  )

/** How many events of each type a trade has by now. */
const eventTypesOf = ({ changes, end }: TradeLife): readonly (readonly [string, number])[] => [
  ['trade.opened', 1],
  ['trade.updated', changes.length],
  ['trade.closed', end === null ? 0 : 1],
]

/** A trader's events count 1, 2, 3 … without a gap: one for each opening, each change of stops and each close. */
const checkTradeEvents = (books: Books, found: ReadonlyMap<string, Document>, complain: Complain): void => {
  const counts = new Map<string, number>()
  const types = new Map<unknown, number>()
  for (const { lives } of books.markets.values())
    for (const life of lives.values())
      for (const [type, count] of eventTypesOf(life)) {
        counts.set(life.trade.account, (counts.get(life.trade.account) ?? 0) + count)
        types.set(type, (types.get(type) ?? 0) + count)
      }
  for (const event of found.values()) types.set(event['type'], (types.get(event['type']) ?? 0) - 1)
  for (const [type, missing] of types)
    if (missing !== 0)
      complain('views-tell-the-truth', `of the tradeevents ${missing} of type ${String(type)} are missing`)
  let total = 0
  for (const [account, count] of counts) {
    total += count
    for (let sequence = 1; sequence <= count; sequence++)
      if (!found.has(`${account}:${sequence}`))
        complain('views-tell-the-truth', `tradeevents ${account}:${sequence} of ${count} is missing`)
  }
  if (found.size !== total)
    complain(
      'views-tell-the-truth',
      `there are ${found.size} tradeevents; ${total} times a trade was opened, changed or closed`,
    )
}

/** Every first outcome that a client may ask for again is remembered for ever. */
const checkCommands = (books: Books, found: ReadonlyMap<string, Document>, complain: Complain): void => {
  const notKept: ReadonlySet<number> = new Set([6, 8])
  const check = (partition: PartitionNumber, id: string, code: number): void => {
    const document = found.get(id)
    if (document === undefined)
      complain('views-tell-the-truth', `command ${id} of ${partitionName(partition)} is missing`)
    else if (document['partition'] === partition && document['code'] !== code)
      complain(
        'views-tell-the-truth',
        `command ${id} of ${partitionName(partition)} has code ${String(document['code'])}, not ${code}`,
      )
  }
  for (const { partition, memory } of books.markets.values())
    for (const [id, { code, header }] of memory.all())
      if (!notKept.has(code) && header.origin <= 1) check(partition, id, code)
}

/** The views say what the auditor's own books say: trades, ledger entries, bank transactions, events. */
export const checkViewContents = (books: Books, documents: ViewDocuments, complain: Complain): void => {
  const of = (model: AnyModel): ReadonlyMap<string, Document> => documents.get(model) ?? new Map<string, Document>()
  compareAll(tradeModel, of(tradeModel), tradesOf(books), complain)
  compareAll(ledgerEntryModel, of(ledgerEntryModel), entriesOf(books), complain)
  compareAll(bankTransactionModel, of(bankTransactionModel), bankTransactionsOf(books), complain)
  compareAll(bankEventModel, of(bankEventModel), eventsOf(books), complain)
  checkTradeEvents(books, of(tradeEventModel), complain)
  checkCommands(books, of(commandModel), complain)
}
