import { partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { allPartitions, partitionTitle, type Topology } from '@bourse/common/platform/topology.ts'
import type { PartitionState, PlatformInspector } from '../platform-inspector.ts'
import { STATE_AGE_MS_MAX, type KnownState, type PartitionStates } from './partition-states.ts'
import type { TradeEventWatch } from './trade-event-watch.ts'

const statesShown: Readonly<Record<string, PartitionState['state']>> = {
  preparing: 'starting',
  prepared: 'starting',
  starting: 'starting',
  serving: 'serving',
  recovering: 'rebuilding',
}

/** Why a partition can't be counted on, or null. */
const troubleOf = (known: KnownState | null): string | null => {
  if (known === null) return 'is served by nobody'
  const { state, ageMs } = known
  if (ageMs > STATE_AGE_MS_MAX) return `has had no word from shard ${state.shard} for ${Math.round(ageMs / 1_000)} s`
  if (state.state === 'serving') return null
  return `is ${state.state} at shard ${state.shard}${state.reason === null ? '' : `: ${state.reason}`}`
}

/** Records that the views lack, as far as is known: who begins to serve says of the views what the one before did. */
const lagOf = ({ state: { sequence, viewSequence } }: KnownState): bigint =>
  sequence > viewSequence ? sequence - viewSequence : 0n

/** What a gateway knows of partitions that other processes serve. */
export interface DistributedInspector extends PlatformInspector {
  /** The moment up to which the views of a partition are complete, ms; 0 when nobody ever said. */
  viewsAsOfMsOf(partition: PartitionNumber): number
  /** Whether any shard ever said anything of a partition. */
  wasServed(partition: PartitionNumber): boolean
}

/**
 * Makes the inspector from what the shards say. `hashesAt` asks one shard for the hashes of its partitions' states;
 * `trouble` says why this process itself reaches no shard, or null.
 */
export const createDistributedInspector = (deps: {
  readonly topology: Topology
  readonly states: Pick<PartitionStates, 'of'>
  readonly tradeEvents: Pick<TradeEventWatch, 'watch'>
  readonly trouble: () => string | null
  /**
   * Markets come while the gateway runs, and their shards after them: then one that is not served yet, or not any more, is a
   * reason that is told, but keeps nobody from the other markets.
   */
  readonly marketsComeAndGo?: boolean
  readonly hashesAt: (
    controlUrl: string,
    partitions: readonly PartitionNumber[],
  ) => Promise<ReadonlyMap<number, string>>
}): DistributedInspector => {
  const { topology, states, marketsComeAndGo = false } = deps
  const known = (): readonly PartitionNumber[] => allPartitions(topology)
  const wasServed = (partition: PartitionNumber): boolean => states.of(partition) !== null
  const isNew = (partition: PartitionNumber): boolean =>
    partitionParts(partition).machine === 'trading' && !wasServed(partition)
  const viewsAsOfMsOf = (partition: PartitionNumber): number => states.of(partition)?.state.viewsAsOfMs ?? 0
  return {
    wasServed,
    viewsAsOfMsOf,
    viewsAsOfMs: () => {
      // A market that nobody ever said anything of has nothing that the lists could lack.
      const said = known().filter((partition) => !marketsComeAndGo || !isNew(partition))
      return Math.min(...said.map(viewsAsOfMsOf))
    },
    ready: () => {
      const reasons = known().flatMap((partition) => {
        const trouble = troubleOf(states.of(partition))
        return trouble === null ? [] : [`partition ${partitionTitle(topology, partition)} ${trouble}`]
      })
      const own = deps.trouble()
      if (own !== null) reasons.unshift(own)
      return { ready: marketsComeAndGo ? own === null : reasons.length === 0, reasons }
    },
    partitions: () =>
      known().map((partition) => {
        const said = states.of(partition)
        const isHeard = said !== null && said.ageMs <= STATE_AGE_MS_MAX
        return {
          name: partitionTitle(topology, partition),
          number: partition,
          state: isHeard ? (statesShown[said.state.state] ?? 'stopped') : 'stopped',
          sequence: said?.state.sequence ?? 0n,
          snapshotSequence: said?.state.snapshotSequence ?? null,
          snapshotAtMs: said?.state.snapshotAtMs ?? null,
          viewLagRecords: said === null ? 0n : lagOf(said),
          reason: troubleOf(said),
          shard: said?.state.shard ?? null,
          ageMs: said?.ageMs ?? 0,
        }
      }),
    stateHashes: async () => {
      const byShard = new Map<string, PartitionNumber[]>()
      for (const partition of known()) {
        const said = states.of(partition)
        if (troubleOf(said) !== null || said === null) continue
        const { controlUrl } = said.state
        byShard.set(controlUrl, [...(byShard.get(controlUrl) ?? []), partition])
      }
      const found = await Promise.all([...byShard].map(([url, served]) => deps.hashesAt(url, served)))
      return new Map(found.flatMap((hashes) => [...hashes]))
    },
    watchTradeEvents: deps.tradeEvents.watch,
  }
}
