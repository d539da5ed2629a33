import type { Logger } from 'pino'
import type { Bus } from '../ports/bus.ts'
import type { Clock } from '../ports/clock.ts'
import type { Events } from '../ports/events.ts'
import type { Journal } from '../ports/journal.ts'
import type { Snapshots } from '../ports/snapshots.ts'
import type { MachineHost } from './host.ts'
import type { PartitionNumber } from './partition.ts'
import type { RecoveryReport } from './recovery.ts'
import type { SnapshotPolicy } from './snapshotter.ts'

/** Deliveries a partition holds unacknowledged; the bus keeps the rest. */
export const IN_FLIGHT_MAX = 8_192
/** Commands whose inputs are being fetched from outside at a time. */
export const RESOLVING_MAX = 1_024
/** Pause before a state that was given up is rebuilt; doubles up to REBUILD_PAUSE_MS_MAX. */
export const REBUILD_PAUSE_MS = 100
/** Longest such pause. */
export const REBUILD_PAUSE_MS_MAX = 5_000
/** How often overdue effects, parked reads and deadlines are looked at. */
export const UPKEEP_INTERVAL_MS = 100
/** A partition that appends and reads nothing looks this often whether the journal's head is still its own, ms. */
export const OWNERSHIP_CHECK_MS = 5_000
/** How often effect cursors are saved, ms. */
export const CURSOR_SAVE_MS = 2_000

/** States of a runner: it answers only while `serving`. */
export type RunnerState = 'starting' | 'serving' | 'recovering' | 'deposed' | 'failed' | 'stopped'

/** What a runner tells of itself. */
export interface RunnerStatus {
  readonly partition: PartitionNumber
  readonly name: string
  readonly state: RunnerState
  readonly reason: string | null
  readonly sequence: bigint
  readonly nowMs: bigint
  readonly waiting: number
  readonly unconfirmedEffects: number
  readonly outsideCalls: number
  readonly parkedReads: number
  readonly counts: Readonly<Record<string, number>>
  readonly lastSnapshot: {
    readonly sequence: bigint
    readonly bytes: number
    readonly sha256: string
    readonly atMs: number
  } | null
  readonly recovery: RecoveryReport | null
}

/** What a runner needs. */
export interface RunnerDeps<Observation> {
  readonly partition: PartitionNumber
  readonly host: MachineHost<Observation>
  readonly bus: Bus
  readonly journal: Journal
  readonly snapshots: Snapshots
  readonly events: Events
  readonly clock: Clock
  readonly logger: Logger
  readonly snapshotPolicy: SnapshotPolicy
}

/** Serves one partition: the only writer of its journal as long as every append wins. */
export interface Runner<Observation> {
  /** Recovers and serves. Rejects when the journal can't be trusted. */
  start(): Promise<RecoveryReport>
  /** Puts an observation (a quote) in order. */
  observe(observation: Observation): void
  /** Stops intake, finishes what was taken, writes a last snapshot when asked. */
  stop(options: { readonly snapshot: boolean }): Promise<void>
  /** Takes a snapshot now; resolves with its sequence, or null when it failed or nothing is new. */
  snapshotNow(): Promise<bigint | null>
  status(): RunnerStatus
  /** Hash over all journaled state, between two records. */
  stateHash(): Promise<string>
}
