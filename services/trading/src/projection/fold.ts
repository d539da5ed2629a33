import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import type { ViewWrite } from '@bourse/common/ports/views.ts'
import { commandWrites } from '@bourse/common/views/commands.ts'
import { tradeModel } from '@bourse/common/views/models.ts'
import {
  decodeCloseOutcome,
  decodeOpenOutcome,
  decodeTickOutcome,
  decodeUpdateOutcome,
  isKeptOutcome,
  tradingKinds,
  type ClosedTrade,
  type OpenTrade,
  type UpdatedTrade,
} from '@bourse/risk-rules/trading/codec.ts'
import type { AssetOfPartition } from '../codec/asset.ts'
import { closedTradeFields, openTradeFields } from '../codec/present.ts'

/** Opening order as text that sorts: moment, then trade id. */
const orderOf = (openedAtMs: number, tradeId: string): string =>
  `${openedAtMs.toString().padStart(14, '0')}.${tradeId.slice('trade_'.length).padStart(24, '0')}`

const opened = (record: JournalRecord, asset: string, trade: OpenTrade): ViewWrite => {
  const {
    openedAtMs,
    fundingCost: _none,
    tradeId,
    ...fields
  } = openTradeFields(asset, record.partition, trade, trade.fundingAtOpen)
  return {
    kind: 'insert',
    model: tradeModel,
    id: tradeId,
    fields: {
      ...fields,
      account: hexOf(trade.account),
      status: 'open',
      openedAt: openedAtMs,
      exitPrice: null,
      pnl: null,
      fees: null,
      funding: null,
      returned: null,
      reason: null,
      closedAt: null,
      order: orderOf(openedAtMs, tradeId),
    },
  }
}

/** What an update changes, and the liquidation price as it is by then. */
const updated = (record: JournalRecord, asset: string, trade: UpdatedTrade): ViewWrite => {
  const { tradeId, stopLossPrice, takeProfitPrice, liquidationPrice } = openTradeFields(
    asset,
    record.partition,
    trade,
    trade.fundingAtOpen,
  )
  return {
    kind: 'merge',
    model: tradeModel,
    id: tradeId,
    fields: { stopLossPrice, takeProfitPrice, liquidationPrice },
  }
}

const closed = (record: JournalRecord, asset: string, trade: ClosedTrade): ViewWrite => {
  const {
    openedAtMs,
    closedAtMs,
    fundingCost: _none,
    tradeId,
    ...fields
  } = closedTradeFields(asset, record.partition, trade)
  return {
    kind: 'merge',
    model: tradeModel,
    id: tradeId,
    fields: {
      ...fields,
      account: hexOf(trade.account),
      status: 'closed',
      openedAt: openedAtMs,
      closedAt: closedAtMs,
      order: orderOf(openedAtMs, tradeId),
    },
  }
}

const tradeWrites = (record: JournalRecord, asset: string, kind: number, outcome: Uint8Array): ViewWrite[] => {
  if (decodeOutcomeHeader(outcome).code !== 0) return []
  if (kind === tradingKinds.open)
    return isKeptOutcome(outcome) ? [] : [opened(record, asset, decodeOpenOutcome(outcome))]
  if (kind === tradingKinds.close)
    return isKeptOutcome(outcome) ? [] : [closed(record, asset, decodeCloseOutcome(outcome))]
  // A repeat's outcome has the kept part only: the trade may have been given other stops since.
  if (kind === tradingKinds.update)
    return isKeptOutcome(outcome) ? [] : [updated(record, asset, decodeUpdateOutcome(outcome))]
  if (kind !== tradingKinds.tick && kind !== tradingKinds.continue) return []
  return decodeTickOutcome(outcome).closed.map((trade) => closed(record, asset, trade))
}

const clientKinds: ReadonlySet<number> = new Set([
  tradingKinds.open,
  tradingKinds.close,
  tradingKinds.update,
  tradingKinds.state,
])

/** Folds a trading record into trades and executed commands. */
export const foldTradingRecord = (record: JournalRecord, assetOf: AssetOfPartition): ViewWrite[] => [
  ...record.inputs.flatMap((input, index) =>
    tradeWrites(record, assetOf(record.partition), decodeHeader(input).kind, record.outcomes[index]!),
  ),
  ...commandWrites(record, (input) => clientKinds.has(decodeHeader(input).kind)),
]
