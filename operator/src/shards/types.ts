import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Move } from '../placement/moves.ts'

/** A shard that does not answer for this long has failed, ms. */
export const SHARD_GRACE_MS = 5_000
/** Pause before a partition is acquired that its shard gave up, ms: a new owner that deposed it has spoken by then. */
export const TROUBLE_PAUSE_MS = 3_000
/** Pause after the first attempt at a partition, ms; doubles with each … */
export const ATTEMPT_PAUSE_MS_MIN = 1_000
/** … up to this. */
export const ATTEMPT_PAUSE_MS_MAX = 60_000
/** A partition that was served for this long is sound: its attempts are forgotten, ms. */
export const SOUND_MS = 60_000
/** Partitions of a group that may be acquired at a time; the rest wait for the next look. */
export const ACQUISITIONS_MAX = 16

/** A partition as a shard answers about it. */
export interface PartitionSeen {
  readonly partition: PartitionNumber
  /** One of `shardStates`. */
  readonly state: string
  readonly reason: string | null
  readonly epoch: number
  readonly sequence: bigint
  readonly viewSequence: bigint
  readonly waitingCommands: number
  readonly unconfirmedEffects: number
}

/** A pod of the group, as the API server and the pod itself tell. */
export interface PodSeen {
  readonly name: string
  readonly uid: string
  readonly ordinal: number
  /** Of its control interface; null while it has no address. */
  readonly url: string | null
  readonly isReady: boolean
  readonly isTerminating: boolean
  /** Made from an older template than the StatefulSet has now. */
  readonly isOutdated: boolean
  /** Its node takes no new pods. */
  readonly isCordoned: boolean
  /** Of the running shard; null while none runs. */
  readonly containerId: string | null
  /** Null when it did not answer. */
  readonly answer: readonly PartitionSeen[] | null
}

/** What the views say of a partition. */
export interface PartitionSaid {
  readonly shard: string
  readonly epoch: number
  readonly state: string
}

/** Everything a decision is made from, at one moment. */
export interface Observation {
  readonly partitions: readonly PartitionNumber[]
  readonly pods: readonly PodSeen[]
  /** Of the StatefulSet; null while there is none. */
  readonly replicas: number | null
  /** How many shards are wanted; null where the number of replicas is somebody else's to set. */
  readonly wanted: number | null
  /** Everything is to be released, for good. */
  readonly isEnding: boolean
  /** Null: the views can't be read. */
  readonly said: ReadonlyMap<PartitionNumber, PartitionSaid> | null
  readonly moving: readonly Move[]
  /** Partitions with another order under way. */
  readonly ordered: ReadonlySet<PartitionNumber>
}

/** Who had a partition when it was last seen served. */
export interface OwnerKnown {
  readonly shard: string
  /** Of the pod, and of its container: another one has nothing. */
  readonly uid: string
  readonly containerId: string | null
  readonly epoch: number
}

/** What was tried with a partition. Moments are the monotonic clock's. */
export interface Attempts {
  readonly acquired: number
  readonly acquiredAtMs: number
  readonly moved: number
  readonly movedAtMs: number
  /** Since when it is served, or since when its shard gave it up; null when neither. */
  readonly wellSinceMs: number | null
  readonly troubledSinceMs: number | null
}

/** What is remembered from one decision to the next. A new operator begins with nothing. */
export interface Memory {
  /** By the pods' uid: since when it does not answer; null while it does. */
  readonly silentSinceMs: ReadonlyMap<string, number | null>
  readonly owners: ReadonlyMap<PartitionNumber, OwnerKnown>
  readonly attempts: ReadonlyMap<PartitionNumber, Attempts>
  /** Uid of the pod that is being replaced by one of the new template. */
  readonly replacing: string | null
  /** Uids of pods that were said to have failed, or to be drained. */
  readonly failed: ReadonlySet<string>
  readonly drained: ReadonlySet<string>
}

/** What is remembered at first. */
export const noMemory: Memory = {
  silentSinceMs: new Map(),
  owners: new Map(),
  attempts: new Map(),
  replacing: null,
  failed: new Set(),
  drained: new Set(),
}

/** What is to be done. Pods are named; whoever acts knows their addresses. */
export type Action =
  | { readonly kind: 'acquire'; readonly partition: PartitionNumber; readonly at: string; readonly why: string }
  | ({ readonly kind: 'move'; readonly why: string } & Move)
  /** Releases what is somebody else's, under the epoch given, or, without one, what is to be served by nobody. */
  | {
      readonly kind: 'release'
      readonly partition: PartitionNumber
      readonly at: string
      readonly epoch: number | null
    }
  | { readonly kind: 'deletePod'; readonly pod: string; readonly uid: string; readonly why: string }
  | { readonly kind: 'scale'; readonly replicas: number; readonly why: string }

/** Something worth telling people. */
export interface Happening {
  readonly type: 'Normal' | 'Warning'
  readonly reason: 'ShardFailed' | 'ShardDrained'
  readonly note: string
}

/** A decision. */
export interface Decision {
  readonly actions: readonly Action[]
  readonly happenings: readonly Happening[]
  readonly memory: Memory
  /** Partitions that nobody serves. */
  readonly unserved: readonly PartitionNumber[]
  /** Partitions that are not where they belong, and pods that are to go: empty when the group is at rest. */
  readonly pending: readonly string[]
}
