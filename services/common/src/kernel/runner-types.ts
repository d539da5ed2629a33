import type { Logger } from 'pino'
import type { Bus } from '../ports/bus.ts'
import type { Clock } from '../ports/clock.ts'
import type { Events } from '../ports/events.ts'
import type { Journal } from '../ports/journal.ts'
import type { Snapshots } from '../ports/snapshots.ts'
import type { PartitionTracing } from './batch-trace.ts'
import type { MachineHost } from './host.ts'
import type { PartitionObserver } from './observer.ts'
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

/**
 * States of a runner: it answers only while `serving`. `preparing` restores the state and `prepared` follows the journal, while
 * another owner serves.
 */
export type RunnerState =
  'preparing' | 'prepared' | 'starting' | 'serving' | 'recovering' | 'deposed' | 'failed' | 'stopped'

/** What a runner tells of itself. */
export interface RunnerStatus {
  readonly partition: PartitionNumber
  readonly name: string
  readonly state: RunnerState
  readonly reason: string | null
  /** Of the last journaled record; while `prepared`, of the last one that was followed. */
  readonly sequence: bigint
  readonly nowMs: bigint
  readonly waiting: number
  readonly unconfirmedEffects: number
  /** Lowest record that still holds an unconfirmed effect; null when there is none. */
  readonly oldestUnconfirmedRecord: bigint | null
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
  /** Memory that is the machine's alone; null when it has none of its own, or there is no state. */
  readonly machineBytes: number | null
}

/** What a runner counts from nought, whatever it acquires or gives up. */
export const createRunnerCounts = () => ({
  records: 0,
  commands: 0,
  duplicateEffects: 0,
  gapEffects: 0,
  expired: 0,
  droppedFaulty: 0,
  overloaded: 0,
  deadLetters: 0,
  traps: 0,
  engineFaults: 0,
  appendRetries: 0,
  rebuilds: 0,
  confirmationsLost: 0,
  headReads: 0,
  headReadsFailed: 0,
})

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
  /** Looks on; what it throws is logged and dropped. */
  readonly observer?: PartitionObserver | undefined
  /** Without it nothing is traced. */
  readonly tracing?: PartitionTracing | undefined
}

/** Serves one partition: the only writer of its journal as long as every append wins. */
export interface Runner<Observation> {
  /**
   * Restores the state and follows the journal from then on, while another owner serves; once, before the start. Rejects when
   * the journal can't be trusted. A stop drops what was followed.
   */
  prepare(): Promise<RecoveryReport>
  /**
   * Serves: from the followed state and the last records after a `prepare`, else recovered. Rejects when the journal can't be
   * trusted.
   */
  start(): Promise<RecoveryReport>
  /** Puts an observation (a quote) in order. */
  observe(observation: Observation): void
  /**
   * Stops intake, finishes what was taken, saves the effects' cursors. When it resolves another may acquire the partition,
   * though a snapshot may still be being written. Again: the same.
   */
  release(): Promise<void>
  /** Releases, waits for a snapshot that is being written, and writes a last one when asked. */
  stop(options: { readonly snapshot: boolean }): Promise<void>
  /** Takes a snapshot now; resolves with its sequence, or null when it failed or nothing is new. */
  snapshotNow(): Promise<bigint | null>
  status(): RunnerStatus
  /** Hash over all journaled state, between two records. */
  stateHash(): Promise<string>
  /**
   * What the machine answers to a question, between two records, for whoever counts things in this process. It waits for no
   * journal: the answer may be an owner's that was deposed a moment ago.
   */
  query(question: Uint8Array): Promise<Uint8Array>
}
