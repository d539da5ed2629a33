import { foldBridgeRecord } from '@bourse/bridge/projection/fold.ts'
import { partitionNumber, partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { Fold } from '@bourse/common/views/projector.ts'
import { foldLedgerRecord } from '@bourse/ledger/projection/fold.ts'
import { foldTradingRecord } from '@bourse/trading/projection/fold.ts'
import { createTradeEventFold } from '@bourse/trading/projection/trade-events.ts'

/** Name under which the views' cursors are kept. */
export const PROJECTION = 'platform'

/** The fold of each partition: what its records become in the views. */
export const createFolds = (
  topology: Pick<Topology, 'markets'>,
  views: Pick<Views, 'find'>,
): ((partition: PartitionNumber) => Fold) => {
  const symbols = new Map<number, string>()
  for (const market of topology.markets.values()) {
    for (let index = 0; index < market.partitions; index++)
      symbols.set(partitionNumber('trading', index, market.market), market.symbol)
  }
  const assetOf = (partition: number): string => symbols.get(partition) ?? ''
  const tradeEvents = createTradeEventFold(views, assetOf)
  const folds: Record<ReturnType<typeof partitionParts>['machine'], Fold> = {
    ledger: async (record) => [...foldLedgerRecord(record), ...(await tradeEvents(record))],
    trading: (record) => foldTradingRecord(record, assetOf),
    bridge: foldBridgeRecord,
  }
  return (partition) => folds[partitionParts(partition).machine]
}
