import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { VIEW_PAGE_MAX, type Views } from '@bourse/common/ports/views.ts'
import { tradeModel, type TradeView } from '@bourse/common/views/models.ts'
import type { GroupView } from '../shards/groups.ts'
import type { PartitionSeen } from '../shards/types.ts'

/** Open trades of a market, as the views have them. @throws {PortError} */
export const countOpenTrades = async (views: Pick<Views, 'find'>, symbol: string): Promise<number> => {
  let count = 0
  let last: TradeView | undefined
  for (;;) {
    const page: readonly TradeView[] = await views.find(tradeModel, {
      filter: { status: 'open' },
      sortBy: 'order',
      direction: 'ascending',
      limit: VIEW_PAGE_MAX,
      ...(last === undefined ? {} : { after: { sortValue: last.order, id: last._id } }),
    })
    count += page.filter(({ asset }) => asset === symbol).length
    last = page.at(-1)
    if (page.length < VIEW_PAGE_MAX) return count
  }
}

/** Each partition as the shard that serves it answers about it. */
export const servedIn = (view: GroupView): ReadonlyMap<PartitionNumber, PartitionSeen> =>
  new Map(
    view.pods
      .flatMap((pod) => pod.answer ?? [])
      .filter(({ state }) => state === 'serving')
      .map((seen) => [seen.partition, seen]),
  )

/** States of a partition that a shard does not serve, and will not by itself. */
const GONE: ReadonlySet<string> = new Set(['released', 'deposed', 'failed'])

/** Whether any shard that answers still has a partition. */
export const isHeld = (view: GroupView): boolean =>
  view.pods.some((pod) => (pod.answer ?? []).some(({ state }) => !GONE.has(state)))

/**
 * What a market that opens nothing any more still has to do before its trades can be counted and its partitions let go; null when
 * nothing. `from` are the sequences under which no partition opens a trade any more: once the views are past them, they know of
 * every trade there is.
 */
export const unfinished = (
  partitions: readonly PartitionNumber[],
  view: GroupView,
  from: ReadonlyMap<PartitionNumber, bigint>,
): string | null => {
  const served = servedIn(view)
  for (const partition of partitions) {
    const seen = served.get(partition)
    const name = partitionName(partition)
    if (seen === undefined) return `${name} is not served`
    if (seen.viewSequence < (from.get(partition) ?? seen.sequence)) return `the views of ${name} are behind`
    if (seen.waitingCommands > 0) return `${name} has ${seen.waitingCommands} commands waiting`
    if (seen.unconfirmedEffects > 0) return `${name} waits for ${seen.unconfirmedEffects} effects to be confirmed`
  }
  return null
}
