import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import type { Views, ViewWrite } from '@bourse/common/ports/views.ts'
import { tradeEventModel } from '@bourse/common/views/models.ts'
import { decodeInstruction, ledgerKinds } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeTradeEvent, tradeReferenceLayout, type TradeEvent } from '@bourse/risk-rules/trading/codec.ts'
import { closedTradeFields, closedTradeJson, openTradeFields, openTradeJson } from '../codec/present.ts'
import type { AssetOfPartition } from './fold.ts'

/** Accounts whose last sequence is kept in memory; beyond it the oldest is looked up again. */
export const ACCOUNTS_REMEMBERED_MAX = 100_000

const eventOf = (record: JournalRecord, index: number): { event: TradeEvent; partition: number } | null => {
  const input = record.inputs[index]!
  if (decodeHeader(input).kind !== ledgerKinds.SETTLE || decodeOutcomeHeader(record.outcomes[index]!).code !== 0)
    return null
  const { memo, reference } = decodeInstruction(input)
  if (memo.length === 0) return null
  const { marketNumber, partitionIndex } = tradeReferenceLayout.decode(reference)
  return marketNumber === 0
    ? null
    : { event: decodeTradeEvent(memo), partition: partitionNumber('trading', partitionIndex, marketNumber) }
}

/**
 * Folds a ledger record into the events of the `trades` channel. A user's settlements all happen at one ledger
 * partition, so counting
 * them there gives each account 1, 2, 3 … wherever it is folded.
 */
export const createTradeEventFold = (
  views: Pick<Views, 'find'>,
  assetOf: AssetOfPartition,
): ((record: JournalRecord) => Promise<ViewWrite[]>) => {
  const last = new Map<string, { record: bigint; before: number; after: number }>()

  /** The last sequence of an account before a record, which may come again when its writes did not succeed. */
  const lastBefore = async (account: string, record: bigint): Promise<number> => {
    const known = last.get(account)
    if (known !== undefined && known.record < record) return known.after
    if (known?.record === record) return known.before
    const [newest] = await views.find(tradeEventModel, {
      filter: { account },
      sortBy: 'sequence',
      direction: 'descending',
      limit: 1,
    })
    return newest?.sequence ?? 0
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
      const asset = assetOf(partition)
      const payload =
        event.type === 'opened'
          ? openTradeJson(openTradeFields(asset, partition, event.trade, event.trade.fundingAtOpen))
          : closedTradeJson(closedTradeFields(asset, partition, event.trade))
      writes.push({
        kind: 'insert',
        model: tradeEventModel,
        id: `${account}:${sequence}`,
        fields: {
          account,
          sequence,
          type: event.type === 'opened' ? 'trade.opened' : 'trade.closed',
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
