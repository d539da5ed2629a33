import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { ShownPartition } from '@bourse/common/shard-client/answers.ts'
import type { KubeObject } from '../runtime/types.ts'
import type { PodSeen } from './types.ts'

/** Pods, and templates of StatefulSets, carry the name of their group under this label. */
export const GROUP_LABEL = 'bourse.dev/group'
/** The controller that looks after groups, as others put keys into its queue. */
export const GROUP_CONTROLLER = 'shard-group'

/** What a group of shards is to be. */
export interface GroupDefinition {
  readonly name: string
  readonly partitions: readonly PartitionNumber[]
  /** How many shards are wanted; null where somebody else sets the replicas of the StatefulSet. */
  readonly wanted: number | null
  /** Everything is to be released, for good. */
  readonly isEnding: boolean
  /** The object that events are about; null: the StatefulSet. */
  readonly about: KubeObject | null
}

/** A group as it was seen last. */
export interface GroupView {
  readonly pods: readonly PodSeen[]
  /** What each pod answered, as it was shown, by the pod's name. */
  readonly shown: ReadonlyMap<string, readonly ShownPartition[]>
  readonly unserved: readonly PartitionNumber[]
  readonly pending: readonly string[]
  /** When the look began: what came after may not have been seen. Monotonic. */
  readonly seenAtMs: number
}

/** What the controllers know of the groups together: one says what they are to be, the other what they are. */
export interface Groups {
  define(definition: GroupDefinition): void
  forget(name: string): void
  definition(name: string): GroupDefinition | undefined
  see(name: string, view: GroupView): void
  view(name: string): GroupView | undefined
  /** The replicas that were decided last; undefined before the first decision. */
  replicas(name: string): number | undefined
  setReplicas(name: string, replicas: number): void
}

/** Makes an empty register of groups. */
export const createGroups = (): Groups => {
  const definitions = new Map<string, GroupDefinition>()
  const views = new Map<string, GroupView>()
  const replicas = new Map<string, number>()
  return {
    define: (definition) => void definitions.set(definition.name, definition),
    forget: (name) => {
      for (const map of [definitions, views, replicas]) map.delete(name)
    },
    definition: (name) => definitions.get(name),
    see: (name, view) => void views.set(name, view),
    view: (name) => views.get(name),
    replicas: (name) => replicas.get(name),
    setReplicas: (name, count) => void replicas.set(name, count),
  }
}
