import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Observation, PartitionSeen, PodSeen } from '../../src/shards/types.ts'

/** A partition of the group, by its index. */
export const numberOf = (index: number): number => partitionNumber('ledger', index)

/** A partition as a shard answers about it. */
export const seen = (index: number, state = 'serving', epoch = 5): PartitionSeen => ({
  partition: numberOf(index),
  state,
  reason: null,
  epoch,
  sequence: 10n,
  viewSequence: 10n,
  waitingCommands: 0,
  unconfirmedEffects: 0,
})

/** A pod that is well and serves these. */
export const pod = (ordinal: number, serving: readonly number[], changes: Partial<PodSeen> = {}): PodSeen => ({
  name: `pair-x-${ordinal}`,
  uid: `uid-${ordinal}`,
  ordinal,
  url: `http://10.0.0.${ordinal}:3100`,
  isReady: true,
  isTerminating: false,
  isOutdated: false,
  isCordoned: false,
  containerId: `container-${ordinal}`,
  answer: serving.map((index) => seen(index)),
  ...changes,
})

/** A group of four partitions. */
export const group = (pods: readonly PodSeen[], changes: Partial<Observation> = {}): Observation => ({
  partitions: [0, 1, 2, 3].map(numberOf),
  pods,
  replicas: pods.length,
  wanted: pods.length,
  isEnding: false,
  said: new Map(),
  moving: [],
  ordered: new Set(),
  ...changes,
})
