import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { readPartitionStates } from '@bourse/common/shard-client/epochs.ts'
import type { PartitionStateView } from '@bourse/common/views/models.ts'

/** How often the shards' words are read, ms. */
export const STATES_INTERVAL_MS = 500
/** A partition that no shard said anything new of for this long is taken for unserved, ms. */
export const STATE_AGE_MS_MAX = 5_000

/** What was last said of a partition. */
export interface KnownState {
  readonly state: PartitionStateView
  /** How long ago it was said, ms; counted by our clock from when we first saw it. */
  readonly ageMs: number
}

/** What the shards say of their partitions, read again and again. */
export interface PartitionStates {
  /** Null when no shard ever said anything of it. */
  of(partition: PartitionNumber): KnownState | null
  stop(): Promise<void>
}

/** Starts reading; resolves after the first reading. @throws {PortError} when the views do not answer at the start */
export const startPartitionStates = async (deps: {
  readonly views: Pick<Views, 'find'>
  readonly clock: Clock
  readonly onFailure: (error: unknown) => void
}): Promise<PartitionStates> => {
  const { views, clock } = deps
  const known = new Map<string, { readonly state: PartitionStateView; readonly seenAtMs: number }>()

  /** A row met for the first time is as old as it says; after that its age is counted by one clock only. */
  const take = (state: PartitionStateView): void => {
    const before = known.get(state._id)
    if (before !== undefined && before.state.atMs === state.atMs && before.state.epoch === state.epoch) return
    const ageMs = before === undefined ? Math.max(clock.nowMs() - state.atMs, 0) : 0
    known.set(state._id, { state, seenAtMs: clock.monotonicMs() - ageMs })
  }
  const read = async (): Promise<void> => {
    for (const state of await readPartitionStates(views)) take(state)
  }

  await read()
  const reading = clock.every(STATES_INTERVAL_MS, read, deps.onFailure)
  return {
    of: (partition) => {
      const found = known.get(String(partition))
      return found === undefined ? null : { state: found.state, ageMs: clock.monotonicMs() - found.seenAtMs }
    },
    stop: () => reading.stop(),
  }
}
