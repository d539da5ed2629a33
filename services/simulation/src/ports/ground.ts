import type { StreamEvent } from '@bourse/common/ports/events.ts'
import type { Bus } from '@bourse/common/ports/bus.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Events } from '@bourse/common/ports/events.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Disks } from '../platform/exchange-platform.ts'

/**
 * A process's ways to the world. Killed, none of its promises settles any more and nothing calls back into it: its code stands
 * still for ever, as a killed process does. Paused, all of that waits until it is resumed (time goes on without it).
 */
export interface Door {
  readonly name: string
  readonly clock: Clock
  readonly bus: Bus
  readonly journal: Journal
  readonly snapshots: Snapshots
  readonly events: Events
  readonly views: Views
  readonly ids: Ids
  readonly random: Random
  /** Calls over the network to what stands outside (exchange, banks); travels, may be lost. */
  readonly fetch: typeof fetch
  readonly state: 'open' | 'paused' | 'killed'
  kill(): void
  pause(): void
  resume(): void
  /** Moves this process's wall clock, either way. */
  jumpClock(deltaMs: number): void
}

/** What stands at a network address: gives the answer as bytes of JSON, or how it fails. Synchronous: it has its own disk. */
export interface NetworkAnswer {
  readonly status: number
  readonly text: string
}

/** Something outside that answers HTTP calls. `null`: it hangs; 'cut': done, but the connection is cut. */
export type NetworkHandler = (call: {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}) => { readonly answer: NetworkAnswer | null | 'cut'; readonly delayMs: number }

/** The simulated ground under all processes: one bus, one journal, one set of snapshots and views, one network. */
export interface Ground {
  /** A new process's doors. */
  open(name: string): Door
  /** Puts something at `http://<host>`. */
  listen(host: string, handler: NetworkHandler): void
  /** All queues of the bus are lost, with every reply under way. */
  busForgets(): void
  /** Unheard appends under way are torn: not there, or whole (drawn for each). Called at a power cut. */
  tearAppends(): void
  /** Refuses appends `full` until told otherwise. */
  diskFull(isFull: boolean): void
  /** Flips a byte of a stored record; the returned function puts it back. Null when there is no such record. */
  flipRecord(partition: PartitionNumber, sequence: bigint): (() => void) | null
  /** Flips a byte of the newest snapshot of a partition, or removes it. False when there is none. */
  damageSnapshot(partition: PartitionNumber, how: 'flip' | 'lose'): boolean
  /** The disks without faults, delays or doors. */
  readonly disks: Disks
  /** Every record that reached the disk, in the order it did (for the trace and for watchers). */
  onAppended(watcher: (event: StreamEvent) => void): void
}
