import type { Bus } from '@bourse/common/ports/bus.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Events, StreamEvent } from '@bourse/common/ports/events.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { createSeededIds } from '@bourse/common/testkit/seeded-random.ts'
import type { Faults } from '../faults/faults.ts'
import type { World } from '../world/world.ts'
import { createBroker } from './bus.ts'
import { createProcessClock } from './clock.ts'
import type { Disks } from './disks.ts'
import { createEventHub } from './events.ts'
import { createBareJournal, createJournalDisk } from './journal-disk.ts'
import { createJournalService } from './journal.ts'
import { createNetwork } from './network.ts'
import { createPace } from './pace.ts'
import { createProcess } from './process.ts'
import { createSnapshotService } from './snapshots.ts'
import { createTravel } from './travel.ts'
import type { AnyModel } from './view-table.ts'
import { createViewService } from './views.ts'

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
  /** Messages in the broker's queues, in hand or waiting, by partition name; those that have none are left out. */
  waitingMessages(): ReadonlyMap<string, number>
  /** Records on all disks. */
  readonly records: number
}

/** What the ground needs and where it is bounded. */
export interface GroundDeps {
  readonly world: World
  readonly faults: Faults
  /** The models of the views. */
  readonly models: readonly AnyModel[]
  /** Messages a partition's queue holds; default 65,536. */
  readonly queueMax?: number
  /** How far apart the runs of a repeating task may come while nothing happens to its process, ms; default 5,000. */
  readonly idleIntervalMsMax?: number
}

const QUEUE_MAX = 65_536
const IDLE_INTERVAL_MS_MAX = 5_000

/** Makes the ground of a world. */
export const createGround = (deps: GroundDeps): Ground => {
  const { world, faults, models, queueMax = QUEUE_MAX, idleIntervalMsMax = IDLE_INTERVAL_MS_MAX } = deps
  const travel = createTravel(world.chance('travel'), faults)
  const disk = createJournalDisk(world)
  let isFull = false
  const broker = createBroker({ world, faults, travel, queueMax })
  const journals = createJournalService({ world, faults, travel, disk, isFull: () => isFull })
  const snapshots = createSnapshotService({ world, faults, travel, isFull: () => isFull })
  const views = createViewService({ world, faults, travel, models })
  const network = createNetwork({ world, faults, travel })
  const hub = createEventHub({ world, faults, travel })
  disk.onAppended(({ partition }) => hub.appended(partition))

  const open = (name: string): Door => {
    const process = createProcess(world, name, createPace(world, idleIntervalMsMax))
    const { clock, jump } = createProcessClock(world, process)
    const journal = journals.open(process)
    const random = world.chance(`random of ${name}`)
    return {
      name,
      clock,
      journal,
      random,
      bus: broker.open(process),
      snapshots: snapshots.open(process),
      events: hub.open(process, { clock, journal }),
      views: views.open(process),
      ids: createSeededIds(world.chance(`ids of ${name}`)),
      fetch: network.open(process),
      get state() {
        return process.state
      },
      kill: () => {
        world.trace.note(`${name} is killed`)
        process.kill()
      },
      pause: () => {
        world.trace.note(`${name} is paused`)
        process.pause()
      },
      resume: () => {
        world.trace.note(`${name} is resumed`)
        process.resume()
      },
      jumpClock: jump,
    }
  }

  return {
    open,
    listen: network.listen,
    busForgets: broker.forget,
    tearAppends: journals.tear,
    diskFull: (full) => {
      isFull = full
    },
    flipRecord: (partition, sequence) => disk.flip(partition, sequence, world.chance('flip')),
    damageSnapshot: snapshots.damage,
    disks: { journal: createBareJournal(disk), snapshots: snapshots.bare, views: views.bare },
    onAppended: disk.onAppended,
    waitingMessages: broker.waiting,
    get records() {
      return disk.records
    },
  }
}
