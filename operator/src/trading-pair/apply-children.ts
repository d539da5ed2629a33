import type { Clock } from '@bourse/common/ports/clock.ts'
import { statefulSetKind } from '../runtime/kinds.ts'
import type { KubeClient, Store, KubeObject } from '../runtime/types.ts'
import type { StatefulSet } from '../runtime/kinds.ts'
import type { TradingPairResource } from '../resources/trading-pair.ts'
import type { Groups } from '../shards/groups.ts'
import { childrenOf, groupOfPair, type Child, type ShardTemplate } from './children.ts'

/** What is not watched is applied again this often: somebody may have changed or removed it, ms. */
export const APPLY_INTERVAL_MS = 60_000

/** Applies what a pair owns, and only what changed since. */
export interface ChildrenKeeper {
  /** @throws {KubeApiError} */
  apply(pair: TradingPairResource, wanted: number): Promise<void>
  /** Removes all of it. @throws {KubeApiError} */
  remove(pair: TradingPairResource): Promise<void>
}

interface Applied {
  readonly text: string
  readonly generation: number
  readonly atMs: number
}

/** Makes a keeper of all pairs' children. */
export const createChildrenKeeper = (deps: {
  readonly client: KubeClient
  readonly sets: Store<StatefulSet>
  readonly groups: Pick<Groups, 'replicas' | 'setReplicas'>
  readonly template: ShardTemplate
  readonly clock: Clock
}): ChildrenKeeper => {
  const { client, sets, groups, template, clock } = deps
  const applied = new Map<string, Applied>()
  const keyOf = ({ kind, object }: Child): string => `${kind.plural}/${object.metadata.name}`

  /** What was decided last. A new operator takes what is there, from the API server itself: an old word would end shards. */
  const replicasOf = async (group: string, wanted: number): Promise<number> => {
    const decided = groups.replicas(group)
    if (decided !== undefined) return decided
    const set = await client.get(statefulSetKind, group)
    const replicas = set?.spec?.replicas ?? wanted
    groups.setReplicas(group, replicas)
    return replicas
  }

  /** Whether somebody else changed or removed it, or may have: of kinds other than StatefulSets that is not watched. */
  const isTouched = ({ kind, object }: Child, before: Applied): boolean => {
    if (kind.plural !== statefulSetKind.plural) return clock.monotonicMs() - before.atMs >= APPLY_INTERVAL_MS
    const now = sets.get(object.metadata.name)
    return now === undefined || (now.metadata.generation ?? 0) > before.generation
  }

  return {
    apply: async (pair, wanted) => {
      const replicas = await replicasOf(groupOfPair(pair.metadata.name), wanted)
      for (const child of childrenOf(pair, template, { namespace: client.namespace, replicas })) {
        const text = JSON.stringify(child.object)
        const before = applied.get(keyOf(child))
        if (before?.text === text && !isTouched(child, before)) continue
        const made: KubeObject = await client.apply(child.kind, child.object)
        applied.set(keyOf(child), { text, generation: made.metadata.generation ?? 0, atMs: clock.monotonicMs() })
      }
    },
    remove: async (pair) => {
      // The StatefulSet goes last: while its pods end they are reached by their names.
      for (const child of childrenOf(pair, template, { namespace: client.namespace, replicas: 0 }).toReversed()) {
        applied.delete(keyOf(child))
        await client.delete(child.kind, child.object.metadata.name)
      }
    },
  }
}
