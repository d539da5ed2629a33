import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'

/** Variable under which a child process finds its settings, as JSON. */
export const SETTINGS_VARIABLE = 'BOURSE_TEST_FAULTS_PART'

/** What a shard or gateway of these tests is told at its start. */
export interface PartSettings {
  readonly name: string
  readonly rabbitUrl: string
  /** Prefix of everything it has at RabbitMQ. */
  readonly prefix: string
  /** The journal and the snapshots are there; null: they are the parent's. */
  readonly mongoUrl: string | null
  /** Prices come from there; null: it makes its own. */
  readonly redisUrl: string | null
  readonly maxAgeSeconds: number
}

/** When a shard is to kill itself, counted from the moment it is told so. */
export interface KillOrder {
  /**
   * `decision-and-append`: decided, not yet in the journal. `append-and-acknowledge`: in the journal, and nobody was told.
   * `append-and-effects`: clients were told, other partitions were not.
   */
  readonly between: 'decision-and-append' | 'append-and-acknowledge' | 'append-and-effects'
  readonly partition: PartitionNumber
  /** The how-manieth record, or effect, from 1. */
  readonly nth: number
}

/** What a shard says of a partition. */
export interface PartitionReport {
  readonly partition: PartitionNumber
  readonly state: string
  readonly reason: string | null
  readonly epoch: number
  readonly sequence: bigint
  readonly waiting: number
  readonly unconfirmedEffects: number
}

/** The settings that the parent gave this process. */
export const settingsFromParent = (): PartSettings => {
  const text = process.env[SETTINGS_VARIABLE]
  if (text === undefined) throw new Error(`${SETTINGS_VARIABLE} is not set: only tests start this program`)
  return JSON.parse(text) as PartSettings
}
