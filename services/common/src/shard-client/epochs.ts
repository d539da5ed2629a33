import { VIEW_PAGE_MAX, type Views } from '../ports/views.ts'
import { partitionStateModel, type PartitionStateView } from '../views/models.ts'

/** Everything that shards say of partitions, in no order. @throws {PortError} */
export const readPartitionStates = async (views: Pick<Views, 'find'>): Promise<readonly PartitionStateView[]> => {
  const states: PartitionStateView[] = []
  for (;;) {
    const last = states.at(-1)
    const page = await views.find(partitionStateModel, {
      filter: {},
      sortBy: 'shard',
      direction: 'ascending',
      limit: VIEW_PAGE_MAX,
      ...(last === undefined ? {} : { after: { sortValue: last.shard, id: last._id } }),
    })
    states.push(...page)
    if (page.length < VIEW_PAGE_MAX) return states
  }
}

/** Rising epochs. A shard's word under a lower epoch than another's before it is not heard, so all of them have to be known. */
export interface Epochs {
  /** Goes above everything that shards have spoken of by now: others move partitions too. */
  raise(states: readonly Pick<PartitionStateView, 'epoch'>[]): void
  /** One that was never given before. */
  next(): number
}

/** Makes epochs above all that shards have spoken of. */
export const createEpochs = (states: readonly PartitionStateView[]): Epochs => {
  let last = 0
  const raise: Epochs['raise'] = (spoken) => {
    last = spoken.reduce((highest, { epoch }) => Math.max(highest, epoch), last)
  }
  raise(states)
  return { raise, next: () => (last += 1) }
}
