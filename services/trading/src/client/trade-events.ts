import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import type { ViewQuery, Views, ViewWrite } from '@bourse/common/ports/views.ts'
import { tradeEventModel } from '@bourse/common/views/models.ts'
import { decodeInstruction, ledgerKinds } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeTradeEvent, tradeReferenceLayout, type TradeEvent } from '@bourse/risk-rules/trading/codec.ts'
import { closedTradeFields, closedTradeJson, openTradeFields, openTradeJson } from '../codec/present.ts'

/** Accounts whose last sequence is kept in memory; beyond it the oldest is looked up again. */
export const ACCOUNTS_REMEMBERED_MAX = 100_000

/** Instructions that carry a trade event: money settled, or an account that is there when only stops were changed. */
const carriers: ReadonlySet<number> = new Set([ledgerKinds.SETTLE, ledgerKinds.OPEN_ACCOUNT])

const eventOf = (record: JournalRecord, index: number): { event: TradeEvent; partition: number } | null => {
  const input = record.inputs[index]!
  if (!carriers.has(decodeHeader(input).kind) || decodeOutcomeHeader(record.outcomes[index]!).code !== 0) return null
  const { memo, reference } = decodeInstruction(input)
  if (memo.length === 0) return null
  const { marketNumber, partitionIndex } = tradeReferenceLayout.decode(reference)
  return marketNumber === 0
    ? null
    : { event: decodeTradeEvent(memo), partition: partitionNumber('trading', partitionIndex, marketNumber) }
}

/** The accounts (hex) that a ledger record has trade events of. */
export const accountsWithTradeEvents = (record: JournalRecord): ReadonlySet<string> =>
  new Set(
    record.inputs.flatMap((_, index) => {
      const found = eventOf(record, index)
      return found === null ? [] : [hexOf(found.event.trade.account)]
    }),
  )

/** Events that are looked through at once for the newest one of an older record. */
const LOOK_BACK_EVENTS = 100

/**
 * The sequence of an account's newest event that a record older than this one made, 0 for none. The record's own events and those
 * of newer ones may be in the views already: a folder ended between documents and cursor, or another one is ahead.
 */
const sequenceBefore = async (views: Pick<Views, 'find'>, account: string, record: bigint): Promise<number> => {
  const newest = { filter: { account }, sortBy: 'sequence', direction: 'descending' } as const
  let query: ViewQuery = { ...newest, limit: 1 }
  for (;;) {
    const page = await views.find(tradeEventModel, query)
    const older = page.find(({ recordSequence }) => recordSequence < record)
    if (older !== undefined) return older.sequence
    const last = page.at(-1)
    if (last === undefined) return 0
    query = { ...newest, limit: LOOK_BACK_EVENTS, after: { sortValue: last.sequence, id: last._id } }
  }
}

/**
 * Folds a ledger record into the events of the `trades` channel. A user's settlements all happen at one ledger partition, so
 * counting them there gives each account 1, 2, 3 … The same record gives the same events wherever, whenever and by how many it
 * is folded. `assetOf` may have to look a market's symbol up.
 */
export const createTradeEventFold = (
  views: Pick<Views, 'find'>,
  assetOf: (partition: number) => string | Promise<string>,
): ((record: JournalRecord) => Promise<ViewWrite[]>) => {
  const last = new Map<string, { record: bigint; before: number; after: number }>()

  /** The last sequence of an account before a record, which may come again when its writes did not succeed. */
  const lastBefore = async (account: string, record: bigint): Promise<number> => {
    const known = last.get(account)
    if (known !== undefined && known.record < record) return known.after
    if (known?.record === record) return known.before
    return sequenceBefore(views, account, record)
  }

  return async (record) => {
    const writes: ViewWrite[] = []
    const counted = new Map<string, { before: number; after: number }>()
    for (let index = 0; index < record.inputs.length; index++) {
      const found = eventOf(record, index)
      if (found === null) continue
      const { event, partition } = found
      const account = hexOf(event.trade.account)
      const before = counted.get(account)?.before ?? (await lastBefore(account, record.sequence))
      const sequence = (counted.get(account)?.after ?? before) + 1
      counted.set(account, { before, after: sequence })
      const asset = await assetOf(partition)
      const payload =
        event.type === 'closed'
          ? closedTradeJson(closedTradeFields(asset, partition, event.trade))
          : openTradeJson(openTradeFields(asset, partition, event.trade, event.trade.fundingAtOpen))
      writes.push({
        kind: 'insert',
        model: tradeEventModel,
        id: `${account}:${sequence}`,
        fields: {
          account,
          sequence,
          recordSequence: record.sequence,
          type: `trade.${event.type}`,
          tradeId: String(payload['tradeId']),
          atMs: Number(record.now),
          payload: JSON.stringify(payload),
        },
      })
    }
    for (const [account, count] of counted) {
      last.delete(account)
      last.set(account, { record: record.sequence, ...count })
    }
    while (last.size > ACCOUNTS_REMEMBERED_MAX) last.delete(last.keys().next().value!)
    return writes
  }
}
