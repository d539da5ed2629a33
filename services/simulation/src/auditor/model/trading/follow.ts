import { KIND_TIME } from '@bourse/common/kernel/command.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { tradingKinds } from '@bourse/risk-rules/trading/codec.ts'
import type { AuditedRecord, Entry } from '../../evidence/journals.ts'
import type { Complain } from '../../findings.ts'
import { createMemory, keptOfTrade } from '../memory.ts'
import type { TradingBook } from './book.ts'
import { followClosing } from './closing.ts'
import { createDesk, type Desk } from './desk.ts'
import { checkEffectsOfTrades } from './effects.ts'
import { followFunding } from './funding.ts'
import { followOpening, followOpeningAgain } from './opening.ts'
import { followSpec, followState } from './rules-change.ts'
import { followContinue, followTick } from './tick.ts'
import { followUpdating } from './updating.ts'

const followers: ReadonlyMap<number, (desk: Desk, entry: Entry) => void> = new Map([
  [tradingKinds.spec, followSpec],
  [tradingKinds.open, followOpening],
  [tradingKinds.update, followUpdating],
  [tradingKinds.close, followClosing],
  [tradingKinds.tick, followTick],
  [tradingKinds.continue, followContinue],
  [tradingKinds.funding, followFunding],
  [tradingKinds.state, followState],
  [KIND_TIME, () => undefined],
])

/**
 * Follows a trading partition's journal with a market of its own; every outcome and every transfer must be what that
 * market gives.
 */
export const followTrading = (
  partition: PartitionNumber,
  records: readonly AuditedRecord[],
  complain: Complain,
): TradingBook => {
  const desk = createDesk(partition, complain)
  const memory = createMemory(complain, keptOfTrade)
  const fundingAfter = new Map<bigint, bigint>()

  const follow = (entry: Entry): void => {
    const follower = followers.get(entry.header.kind)
    if (follower === undefined) return
    if (memory.judge(entry) === 'repeated') {
      if (entry.header.kind === tradingKinds.open) followOpeningAgain(desk, entry)
      return
    }
    memory.remember(entry)
    follower(desk, entry)
  }

  for (const { record, entries } of records) {
    for (const entry of entries) follow(entry)
    checkEffectsOfTrades(record, desk.takeOwed(), complain)
    fundingAfter.set(record.sequence, desk.market.funding)
  }
  const { market, lives } = desk
  return {
    partition,
    lives,
    fundingAfter,
    terms: market.terms,
    state: market.state,
    memory,
    transfers: desk.transfers(),
  }
}
