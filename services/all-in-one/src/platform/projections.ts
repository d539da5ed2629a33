import { foldBridgeRecord } from '@bourse/bridge/projection/fold.ts'
import { partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { Fold } from '@bourse/common/views/projector.ts'
import { foldLedgerRecord } from '@bourse/ledger/projection/fold.ts'
import { foldTradingRecord } from '@bourse/trading/projection/fold.ts'
import { assetOfPartition } from '@bourse/trading/codec/asset.ts'
import { createTradeEventFold } from '@bourse/trading/client/trade-events.ts'

export { PROJECTION } from '@bourse/common/process/projection.ts'

/** The fold of each partition: what its records become in the views. */
export const createFolds = (
  topology: Pick<Topology, 'markets'>,
  views: Pick<Views, 'find'>,
): ((partition: PartitionNumber) => Fold) => {
  const assetOf = assetOfPartition(topology.markets)
  const tradeEvents = createTradeEventFold(views, assetOf)
  const folds: Record<ReturnType<typeof partitionParts>['machine'], Fold> = {
    ledger: async (record) => [...foldLedgerRecord(record), ...(await tradeEvents(record))],
    trading: (record) => foldTradingRecord(record, assetOf),
    bridge: foldBridgeRecord,
  }
  return (partition) => folds[partitionParts(partition).machine]
}
