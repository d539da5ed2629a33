import { codeOfOutcome, type PartitionClient } from '@bourse/common/kernel/client.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { MarketPlace, Topology } from '@bourse/common/platform/topology.ts'
import { SpecRefused } from '@bourse/common/resources/manifest-set.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { specCommand } from './spec.ts'

/** How long a spec may take to be journaled by a partition, ms. */
export const SPEC_DEADLINE_MS = 10_000

/** Tells one partition of a market the pair's spec. @throws {SpecRefused} */
export const tellSpec = async (
  deps: { readonly partitions: PartitionClient; readonly topology: Topology },
  spec: TradingPairSpec,
  market: MarketPlace,
  index: number,
): Promise<void> => {
  const command = specCommand(spec, deps.topology, market, index)
  const partition = partitionNumber('trading', index, market.market)
  const answer = await deps.partitions.command(partition, command, SPEC_DEADLINE_MS)
  const code = answer.ok ? codeOfOutcome(answer.value.outcome) : answer.refusal.code
  if (code !== 'OK')
    throw new SpecRefused(`${spec.symbol}: partition ${index} refused the spec (${code})`, { isForNow: !answer.ok })
}
