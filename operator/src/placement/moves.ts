import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Placement } from './place.ts'

/** Moves that one shard may be giving or taking at a time: the others of its partitions are served meanwhile. */
export const MOVES_PER_SHARD_MAX = 2

/** A partition on its way from one shard to another. */
export interface Move {
  readonly partition: PartitionNumber
  readonly from: string
  readonly to: string
}

/**
 * The moves to begin now, lowest partition first: what is not where it belongs, is not on its way, and neither gives nor taker
 * has its hands full.
 */
export const nextMoves = (question: {
  readonly owners: ReadonlyMap<PartitionNumber, string>
  readonly placement: Placement
  /** Moves that were begun and have not ended. */
  readonly underWay: readonly Move[]
}): readonly Move[] => {
  const { owners, placement, underWay } = question
  const busy = new Map<string, number>()
  const count = ({ from, to }: Move): void => {
    for (const name of [from, to]) busy.set(name, (busy.get(name) ?? 0) + 1)
  }
  underWay.forEach(count)
  const moving = new Set(underWay.map(({ partition }) => partition))
  const moves: Move[] = []
  for (const [partition, to] of [...placement].sort(([one], [other]) => one - other)) {
    const from = owners.get(partition)
    if (from === undefined || to === null || from === to || moving.has(partition)) continue
    if ([from, to].some((name) => (busy.get(name) ?? 0) >= MOVES_PER_SHARD_MAX)) continue
    const move = { partition, from, to }
    count(move)
    moves.push(move)
  }
  return moves
}
