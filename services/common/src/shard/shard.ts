import type { Logger } from 'pino'
import { createEmbeddedEvents } from '../adapters/embedded/events.ts'
import type { PartitionTracing } from '../kernel/batch-trace.ts'
import type { MachineHost } from '../kernel/host.ts'
import type { PartitionObserver } from '../kernel/observer.ts'
import { partitionName, partitionParts, type MachineName, type PartitionNumber } from '../kernel/partition.ts'
import { createRunner } from '../kernel/runner.ts'
import type { SnapshotPolicy } from '../kernel/snapshotter.ts'
import type { Bus } from '../ports/bus.ts'
import type { Clock } from '../ports/clock.ts'
import type { Events } from '../ports/events.ts'
import { PortError } from '../ports/failure.ts'
import type { Journal } from '../ports/journal.ts'
import type { Snapshots } from '../ports/snapshots.ts'
import type { Views } from '../ports/views.ts'
import type { Fold } from '../views/projector.ts'
import { startShardProjection } from './projection.ts'
import { createSeat, type Order, type Seat } from './seat.ts'
import {
  done,
  refused,
  SHARD_PARTITIONS_MAX,
  type ShardPartition,
  type ShardRefusal,
  type ShardResult,
} from './types.ts'

/** How often a shard looks after partitions that stepped down, ms. */
export const TEND_INTERVAL_MS = 250

/** The machine whose partitions a shard serves, and everything around it. */
export interface ShardKind<Observation> {
  readonly machine: MachineName
  readonly hostOf: (partition: PartitionNumber) => MachineHost<Observation>
  readonly foldOf: (partition: PartitionNumber) => Fold
  readonly policyOf: (partition: PartitionNumber) => SnapshotPolicy
  /** Puts the partition's spec in order by commands to it; told again until it resolves. */
  readonly applySpec: (partition: PartitionNumber) => Promise<void>
  /** Who looks at a partition's records, made anew for each time it is served here. Without it: nobody. */
  readonly observerOf?: (partition: PartitionNumber) => PartitionObserver
}

/** What a shard stands on. */
export interface ShardPorts {
  readonly bus: Bus
  readonly journal: Journal
  readonly snapshots: Snapshots
  /** The platform's stream. The shard's own views are told within the process. */
  readonly events: Events
  readonly views: Views
}

/** What a shard needs. */
export interface ShardDeps<Observation> {
  /** The shard's name among the others, as people and heartbeats say it. */
  readonly name: string
  readonly ports: ShardPorts
  readonly clock: Clock
  readonly logger: Logger
  readonly kind: ShardKind<Observation>
  /** Without it the partitions' work is not traced. */
  readonly tracing?: PartitionTracing | undefined
  /** Name under which the cursors of the views are kept: all shards share it. */
  readonly projection: string
}

/** What became of one partition of an assignment. */
export interface Assigned {
  readonly partition: PartitionNumber
  /** Null when it is as the assignment says. */
  readonly refusal: ShardRefusal | null
}

/** Where a partition goes is decided elsewhere: a shard does as it is told under the highest epoch. */
export interface Shard<Observation> {
  readonly name: string
  readonly machine: MachineName
  /** Epoch of the last assignment, 0 before the first. */
  readonly epoch: number
  /**
   * The full set of partitions that the shard is to serve: acquires what is new and releases what is gone, side by side.
   * Refused as a whole under an epoch lower than one seen, and for another set under the same epoch.
   */
  assign(epoch: number, partitions: readonly PartitionNumber[]): Promise<ShardResult<readonly Assigned[]>>
  /** Restores a partition and follows its journal, while another shard serves it. */
  prepare(partition: PartitionNumber, epoch: number): Promise<ShardResult<ShardPartition>>
  /** Serves a partition; resolves once its spec is in order, or was told once without success. */
  acquire(partition: PartitionNumber, epoch: number): Promise<ShardResult<ShardPartition>>
  /** Hands a partition over, or drops what was prepared. When it resolves another shard may acquire it. */
  release(partition: PartitionNumber, epoch: number): Promise<ShardResult<ShardPartition>>
  /**
   * Another shard has the partition under this epoch: it is released, and lower orders are out of date. Null, and nothing
   * changes, where it is not here or was told anything under this epoch or a higher one.
   */
  giveWay(partition: PartitionNumber, epoch: number): Promise<ShardResult<ShardPartition> | null>
  /** Stores a snapshot now, if there is anything new. */
  snapshotNow(partition: PartitionNumber, epoch: number): Promise<ShardResult<ShardPartition>>
  status(): readonly ShardPartition[]
  /** Hashes of the states that are served here, each taken between two records. */
  stateHashes(): Promise<ReadonlyMap<PartitionNumber, string>>
  /**
   * What the machine of a partition that is served here answers to a question, between two records.
   * @throws {PortError} `unavailable` when it is not served here
   */
  query(partition: PartitionNumber, question: Uint8Array): Promise<Uint8Array>
  /** Hands an observation to the partitions of a market, or (null) to all. */
  observe(market: number | null, observation: Observation): void
  /** Hands everything over, then writes last snapshots. Orders are refused from now on. */
  stop(): Promise<void>
}

const outOfDate = (wanted: number, seen: number): ShardResult<never> =>
  refused('STALE_EPOCH', `epoch ${seen} was seen already, ${wanted} is out of date; use a higher epoch`)

/** Makes a shard that serves nothing yet. */
export const createShard = <Observation>(deps: ShardDeps<Observation>): Shard<Observation> => {
  const { ports, clock, logger, kind, name } = deps
  const { machine } = kind
  const seats = new Map<PartitionNumber, Seat<Observation>>()
  const own = createEmbeddedEvents({
    journal: ports.journal,
    clock,
    onFailure: (error, partition) =>
      logger.error(
        { err: error, partition: partitionName(partition) },
        'the views could not take a record; it comes again',
      ),
  })
  const events: Events = {
    ...ports.events,
    publish: (event) => {
      own.publish(event)
      ports.events.publish(event)
    },
  }
  let assignment: { readonly epoch: number; readonly partitions: ReadonlySet<PartitionNumber> } = {
    epoch: 0,
    partitions: new Set(),
  }
  let stopped: Promise<void> | null = null

  const seatOf = (partition: PartitionNumber): Seat<Observation> => {
    const known = seats.get(partition)
    if (known !== undefined) return known
    const { bus, journal, snapshots, views } = ports
    const { projection } = deps
    const made = createSeat<Observation>(
      {
        partition,
        clock,
        logger,
        makeRunner: () =>
          createRunner<Observation>({
            partition,
            host: kind.hostOf(partition),
            bus,
            journal,
            snapshots,
            events,
            clock,
            logger,
            snapshotPolicy: kind.policyOf(partition),
            tracing: deps.tracing,
            ...(kind.observerOf === undefined ? null : { observer: kind.observerOf(partition) }),
          }),
        startProjection: () =>
          startShardProjection({
            projection,
            partition,
            fold: kind.foldOf(partition),
            events: own,
            views,
            journal,
            clock,
            logger,
          }),
        applySpec: () => kind.applySpec(partition),
      },
      assignment.epoch,
    )
    seats.set(partition, made)
    return made
  }

  /** Why nothing can be ordered about these partitions, or null. */
  const refusalOf = (partitions: readonly PartitionNumber[]): ShardResult<never> | null => {
    if (stopped !== null) return refused('STOPPING', `shard ${name} is stopping; ask another`)
    const known = partitions.filter((partition) => seats.has(partition)).length
    if (seats.size + partitions.length - known > SHARD_PARTITIONS_MAX)
      return refused('OVERLOADED', `a shard has ${SHARD_PARTITIONS_MAX} partitions at most; give some to another`)
    const foreign = partitions.find((partition) => partitionParts(partition).machine !== machine)
    if (foreign === undefined) return null
    const message = `${partitionName(foreign)} is no partition of the ${machine}, which is all that shard ${name} serves`
    return refused('WRONG_MACHINE', message)
  }

  const order = async (
    what: Order,
    partition: PartitionNumber,
    epoch: number,
  ): Promise<ShardResult<ShardPartition>> => {
    const refusal = refusalOf([partition])
    if (refusal !== null) return refusal
    if (epoch < assignment.epoch) return outOfDate(epoch, assignment.epoch)
    return seatOf(partition).order(what, epoch)
  }

  const assign = async (
    epoch: number,
    partitions: readonly PartitionNumber[],
  ): Promise<ShardResult<readonly Assigned[]>> => {
    const refusal = refusalOf(partitions)
    if (refusal !== null) return refusal
    const wanted = new Set(partitions)
    const isSame =
      wanted.size === assignment.partitions.size && [...wanted].every((one) => assignment.partitions.has(one))
    if (epoch === assignment.epoch && !isSame)
      return refused('EPOCH_REUSED', `epoch ${epoch} assigned other partitions already; use a higher epoch`)
    const seen = Math.max(assignment.epoch, ...[...seats.values()].map((seat) => seat.epoch))
    if (epoch < seen) return outOfDate(epoch, seen)
    const gone = [...seats.values()].filter((seat) => !wanted.has(seat.partition))
    // Seats of partitions that are new here come before the assignment: what it names is not passed over.
    const orders = [...wanted].map((partition) => [seatOf(partition), 'acquire'] as const)
    assignment = { epoch, partitions: wanted }
    for (const seat of gone) if (!seat.isTaken) seat.pass(epoch)
    const releases = gone.filter((seat) => seat.isTaken).map((seat) => [seat, 'release'] as const)
    const results = await Promise.all(
      [...orders, ...releases].map(async ([seat, what]) => {
        const result = await seat.order(what, epoch)
        return { partition: seat.partition, refusal: result.ok ? null : result.refusal }
      }),
    )
    return done(results.sort((one, other) => one.partition - other.partition))
  }

  const tending = clock.every(
    TEND_INTERVAL_MS,
    () => {
      for (const seat of seats.values()) seat.tend()
    },
    (error) => logger.error({ err: error }, 'the partitions could not be looked after'),
  )

  const stop = async (): Promise<void> => {
    await tending.stop()
    await Promise.all([...seats.values()].map((seat) => seat.stop()))
    await own.close()
  }

  return {
    name,
    machine,
    get epoch() {
      return assignment.epoch
    },
    assign,
    prepare: (partition, epoch) => order('prepare', partition, epoch),
    acquire: (partition, epoch) => order('acquire', partition, epoch),
    release: (partition, epoch) => order('release', partition, epoch),
    giveWay: async (partition, epoch) => {
      const seat = seats.get(partition)
      return seat?.isTaken === true && epoch > seat.epoch ? order('release', partition, epoch) : null
    },
    snapshotNow: async (partition, epoch) => {
      const refusal = refusalOf([partition])
      if (refusal !== null) return refusal
      const seat = seats.get(partition)
      const seen = Math.max(assignment.epoch, seat?.epoch ?? 0)
      if (epoch < seen) return outOfDate(epoch, seen)
      return seat?.snapshotNow() ?? refused('NOT_SERVED', `${partitionName(partition)} is not served by ${name}`)
    },
    status: () => [...seats.values()].map((seat) => seat.status()),
    stateHashes: async () => {
      const hashes = await Promise.all(
        [...seats].map(async ([partition, seat]) => [partition, await seat.stateHash()] as const),
      )
      return new Map(hashes.flatMap(([partition, hash]) => (hash === null ? [] : [[partition, hash] as const])))
    },
    query: async (partition, question) => {
      const seat = seats.get(partition)
      if (seat === undefined) throw new PortError('unavailable', `${partitionName(partition)} is not served by ${name}`)
      return seat.query(question)
    },
    observe: (market, observation) => {
      for (const [partition, seat] of seats) {
        if (market === null || partitionParts(partition).market === market) seat.observe(observation)
      }
    },
    stop: () => (stopped ??= stop()),
  }
}
