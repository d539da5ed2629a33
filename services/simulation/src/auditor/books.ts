import { partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Journals } from './evidence/journals.ts'
import type { Complain } from './findings.ts'
import type { BridgeBook } from './model/bridge/book.ts'
import { followBridge } from './model/bridge/follow.ts'
import type { LedgerBook } from './model/ledger/book.ts'
import { followLedger } from './model/ledger/follow.ts'
import type { TradingBook } from './model/trading/book.ts'
import { followTrading } from './model/trading/follow.ts'

/** What the auditor makes of all journals, by its own rules. */
export interface Books {
  readonly ledgers: ReadonlyMap<PartitionNumber, LedgerBook>
  readonly markets: ReadonlyMap<PartitionNumber, TradingBook>
  readonly bridges: ReadonlyMap<PartitionNumber, BridgeBook>
}

/** Follows all journals; every outcome and effect is judged on the way. */
export const followAll = (journals: Journals, complain: Complain): Books => {
  const ledgers = new Map<PartitionNumber, LedgerBook>()
  const markets = new Map<PartitionNumber, TradingBook>()
  const bridges = new Map<PartitionNumber, BridgeBook>()
  for (const [partition, records] of journals) {
    const { machine } = partitionParts(partition)
    if (machine === 'ledger') ledgers.set(partition, followLedger(partition, records, complain))
    else if (machine === 'trading') markets.set(partition, followTrading(partition, records, complain))
    else bridges.set(partition, followBridge(partition, records, complain))
  }
  return { ledgers, markets, bridges }
}
