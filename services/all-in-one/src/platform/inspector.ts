import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Runner, RunnerState } from '@bourse/common/kernel/runner.ts'
import { partitionTitle, type Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { PartitionState, PlatformInspector } from '@bourse/gateway/platform-inspector.ts'
import type { Projection } from './projection-thread.ts'

const statesShown: Record<RunnerState, PartitionState['state']> = {
  preparing: 'starting',
  prepared: 'starting',
  starting: 'starting',
  serving: 'serving',
  recovering: 'rebuilding',
  deposed: 'stopped',
  failed: 'stopped',
  stopped: 'stopped',
}

/** How the platform of one process is called where others name their shards. */
const OWN_SHARD = 'this process'

/** Null when the partition stopped serving meanwhile. */
const hashOf = async (runner: Runner<never>): Promise<string | null> => {
  try {
    return await runner.stateHash()
  } catch (error) {
    if (error instanceof PortError) return null
    throw error
  }
}

/** What the edge may know of the platform around it. */
export const createInspector = (deps: {
  readonly topology: Topology
  readonly runners: ReadonlyMap<PartitionNumber, Runner<never>>
  readonly projection: Projection
  readonly clock: Clock
  readonly stopping: () => boolean
}): PlatformInspector => {
  const watchers = new Map<string, Set<() => void>>()
  deps.projection.onTradeEvents((account) => {
    for (const notify of watchers.get(account) ?? []) notify()
  })
  return {
    ready: () => {
      const reasons = [...deps.runners]
        .map(([partition, runner]) => ({ name: partitionTitle(deps.topology, partition), status: runner.status() }))
        .filter(({ status }) => status.state !== 'serving')
        .map(
          ({ name, status }) =>
            `partition ${name} is ${status.state}${status.reason === null ? '' : `: ${status.reason}`}`,
        )
      if (deps.stopping()) reasons.unshift('the platform is stopping')
      return { ready: reasons.length === 0, reasons }
    },
    partitions: () =>
      [...deps.runners].map(([partition, runner]) => {
        const status = runner.status()
        const snapshot = status.lastSnapshot ?? status.recovery?.snapshot ?? null
        return {
          name: partitionTitle(deps.topology, partition),
          number: partition,
          state: statesShown[status.state],
          sequence: status.sequence,
          snapshotSequence: snapshot?.sequence ?? status.recovery?.snapshotSequence ?? null,
          snapshotAtMs: snapshot?.atMs ?? null,
          viewLagRecords: status.sequence - deps.projection.projectedThrough(partition),
          reason: status.state === 'serving' ? null : (status.reason ?? `is ${status.state}`),
          shard: OWN_SHARD,
          ageMs: 0,
        }
      }),
    stateHashes: async () => {
      const serving = [...deps.runners].filter(([, runner]) => runner.status().state === 'serving')
      const hashes = await Promise.all(
        serving.map(async ([partition, runner]) => [partition, await hashOf(runner)] as const),
      )
      return new Map(hashes.flatMap(([partition, hash]) => (hash === null ? [] : [[partition, hash] as const])))
    },
    viewsAsOfMs: () => {
      const behind = [...deps.runners]
        .filter(([partition, runner]) => runner.status().sequence > deps.projection.projectedThrough(partition))
        .map(([partition]) => deps.projection.projectedAtMs(partition))
      return behind.length === 0 ? deps.clock.nowMs() : Math.min(...behind)
    },
    watchTradeEvents: (account, notify) => {
      const known = watchers.get(account) ?? new Set()
      known.add(notify)
      watchers.set(account, known)
      return () => {
        known.delete(notify)
        if (known.size === 0) watchers.delete(account)
      }
    },
  }
}
