import type { ProgramContext, StartedProgram } from '@bourse/common/process/run.ts'
import { startShardProcess } from '@bourse/common/process/shard.ts'
import { partitionParts } from '@bourse/common/kernel/partition.ts'
import { recordedSymbol, type Topology } from '@bourse/common/platform/topology.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { Fold } from '@bourse/common/views/projector.ts'
import { createTradeEventFold } from '@bourse/trading/client/trade-events.ts'
import { assetOfPartition } from '@bourse/trading/codec/asset.ts'
import { createLedgerFactory } from './host/machine.ts'
import { createMoneyShow } from './metrics/money.ts'
import { foldLedgerRecord } from './projection/fold.ts'

/**
 * Makes the folds of a ledger shard, a new one at each call: a fold remembers how far it has counted, and of a partition that was
 * elsewhere meanwhile it would count on where it stopped. A trade may be of a market that this shard has not heard of yet, or not
 * any more: its symbol is then looked up, by the number of the market.
 */
export const createLedgerFolds = (
  views: Pick<Views, 'find'>,
  topology: Pick<Topology, 'markets'>,
  symbolOf: (market: number) => Promise<string | null> = () => Promise.resolve(null),
): (() => Fold) => {
  const known = assetOfPartition(topology.markets)
  const assetOf = (partition: number): string | Promise<string> =>
    known(partition) || symbolOf(partitionParts(partition).market).then((symbol) => symbol ?? '')
  return () => {
    const tradeEvents = createTradeEventFold(views, assetOf)
    return async (record) => [...foldLedgerRecord(record), ...(await tradeEvents(record))]
  }
}

/** A ledger shard as a process of its own. */
export const startLedgerShard = (context: ProgramContext): Promise<StartedProgram> =>
  startShardProcess<never>(context, 'ledger', ({ topology, stores, snapshotPolicy, metrics }) => {
    const factory = createLedgerFactory()
    return Promise.resolve({
      kind: {
        hostOf: () => ({ factory }),
        foldOf: createLedgerFolds(stores.views, topology, (market) => recordedSymbol(stores.directory, market)),
        policyOf: () => snapshotPolicy,
        // The ledger has no spec: its rules are its own.
        applySpec: () => Promise.resolve(),
      },
      stateShow: createMoneyShow(metrics),
    })
  })
