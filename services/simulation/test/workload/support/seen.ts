import type { ViewModel, Views } from '@bourse/common/ports/views.ts'
import { bankTransactionModel, ledgerEntryModel, tradeModel, type TradeView } from '@bourse/common/views/models.ts'
import { accountKinds, transactionTypes } from '@bourse/risk-rules/ledger/accounts.ts'
import { placeOfTradeId } from '@bourse/trading/codec/trade-id.ts'
import type { Call } from '../../../src/history/history.ts'
import { isUnclearAnswer, wordOf } from '../../../src/workload/clients.ts'
import { scopeOf, takesKey } from '../../../src/workload/identity.ts'
import type { Played } from './play.ts'

/** How often each noteworthy thing came about: `open-trade OK`, `closed STOP_LOSS`, `deficit refunded in part` … */
export type Seen = Map<string, number>

const all = async <Document extends { _id: string }>(
  views: Views,
  model: ViewModel<Document>,
): Promise<readonly Document[]> => {
  const documents: Document[] = []
  for (;;) {
    const last = documents.at(-1)
    const page = await views.find(model, {
      filter: {},
      sortBy: '_id',
      direction: 'ascending',
      ...(last === undefined ? {} : { after: { sortValue: last._id, id: last._id } }),
      limit: 200,
    })
    documents.push(...page)
    if (page.length < 200) return documents
  }
}

/** How the ledger names a trade as a reference: market, partition and number, little endian, in hex. */
const referenceOf = (tradeId: string): string => {
  const place = placeOfTradeId(tradeId)
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32LE(place?.market ?? 0, 0)
  bytes.writeUInt32LE(place?.partitionIndex ?? 0, 4)
  bytes.writeBigUInt64LE(place?.tradeNumber ?? 0n, 8)
  return bytes.toString('hex')
}

const deficitOf = ({ margin, pnl, funding }: TradeView): bigint => {
  const rest = margin + (pnl ?? 0n) - (funding ?? 0n)
  return rest < 0n ? -rest : 0n
}

const LATE_MS = 600_000

/** At which moments a call repeats an earlier one of the same key and request. */
const repeatsIn = (calls: readonly Call[], add: (what: string) => void): void => {
  const before = new Map<string, Call[]>()
  for (const call of calls) {
    const { request, key } = call
    if (key === null || !takesKey(request)) continue
    const name = `${scopeOf(request)}${key}`
    const earlier = before.get(name) ?? []
    for (const one of earlier) {
      if (one.request !== request) continue
      const answeredAtMs = one.answeredAtMs ?? Number.POSITIVE_INFINITY
      if (answeredAtMs > call.calledAtMs) add('repeat while waiting')
      else if (one.answer !== null && isUnclearAnswer(one.answer)) add('repeat after an unclear answer')
      else add('repeat after a clear answer')
      if (call.calledAtMs - one.calledAtMs > LATE_MS) add('repeat much later')
    }
    before.set(name, [...earlier, call])
  }
}

/** Everything noteworthy that came about in a played seed, counted. */
export const seenIn = async ({ history, platform, faults }: Played): Promise<Seen> => {
  const seen: Seen = new Map()
  const add = (what: string, count = 1): void => void seen.set(what, (seen.get(what) ?? 0) + count)
  for (const { request, answer } of history.calls()) {
    add(`${request.kind} ${answer === null ? 'nothing' : wordOf(answer)}`)
  }
  repeatsIn(history.calls(), add)
  const { views } = platform.disks
  const refunds = new Map<string, bigint>()
  for (const entry of await all(views, ledgerEntryModel)) {
    if (entry.accountKind !== accountKinds.insurance.number) continue
    if (entry.transactionType === transactionTypes.INSURANCE_REFUND) refunds.set(entry.reference, -entry.amount)
    if (entry.transactionType === transactionTypes.LIQUIDATION_FEE) add('liquidation fee')
  }
  for (const trade of await all(views, tradeModel)) {
    add(`trade ${trade.status === 'open' ? 'still open' : String(trade.reason)}`)
    if ((trade.funding ?? 0n) > 0n) add('funding paid')
    if ((trade.funding ?? 0n) < 0n) add('funding received')
    const deficit = trade.status === 'closed' ? deficitOf(trade) : 0n
    if (deficit === 0n) continue
    const refund = refunds.get(referenceOf(trade._id)) ?? 0n
    add(`deficit refunded ${refund === deficit ? 'in full' : refund > 0n ? 'in part' : 'not at all'}`)
  }
  for (const transaction of await all(views, bankTransactionModel)) {
    add(`${transaction.type} ${transaction.status}`)
  }
  for (const { name } of platform.banks()) {
    for (const { state } of platform.bankBooks(name).transactions()) add(`bank says ${state}`)
  }
  for (const [kind, count] of Object.entries(faults)) add(`fault ${kind}`, count)
  return seen
}
