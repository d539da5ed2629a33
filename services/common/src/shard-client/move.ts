import { partitionName, type PartitionNumber } from '../kernel/partition.ts'
import type { OrderRefusal, Orders } from './client.ts'

/** A shard as it is reached. */
export interface ShardPlace {
  readonly name: string
  /** Of its control interface. */
  readonly url: string
}

/** A move that did not succeed; `servedBy` is who was told to serve the partition in the end. */
export class MoveFailed extends Error {
  override readonly name = 'MoveFailed'
  readonly servedBy: ShardPlace | null
  constructor(message: string, servedBy: ShardPlace | null, options?: ErrorOptions) {
    super(message, options)
    this.servedBy = servedBy
  }
}

/** Moves partitions between shards. */
export interface MoveController {
  /**
   * Prepares at the new owner while the old one serves, releases there, acquires here: all under one new epoch. A
   * preparation that fails changes nothing, nor does an old owner that refuses, as one does that was told more since; when
   * the new owner does not take over, the old one is told to serve again, under an epoch higher still. An old owner that
   * does not answer is left behind: the journal fences it off.
   * @throws {MoveFailed}
   */
  move(partition: PartitionNumber, from: ShardPlace, to: ShardPlace): Promise<void>
}

/** Refusals of an owner that is there and keeps the partition: to take it from under it would make two owners. */
const KEPT: ReadonlySet<string> = new Set(['STALE_EPOCH', 'STALE_FENCE', 'OVERLOADED', 'UNAUTHENTICATED'])

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Why an order was not carried out. */
interface Trouble {
  readonly why: string
  readonly cause: unknown
  /** The shard answered, and keeps what it was to give. */
  readonly isKept: boolean
}

/** Makes a controller. `nextEpoch` gives a number that no shard has been told yet, higher at every call. */
export const createMoveController = (deps: {
  readonly orders: Pick<Orders, 'prepare' | 'acquire' | 'release'>
  readonly nextEpoch: () => number
  /** Hears of an old owner that did not hand over. */
  readonly onUnreleased: (error: unknown, partition: PartitionNumber, from: ShardPlace) => void
}): MoveController => {
  const { orders, nextEpoch } = deps

  /** Null when it was done, else why not. */
  const trouble = async (order: Promise<OrderRefusal | null>): Promise<Trouble | null> => {
    try {
      const refusal = await order
      if (refusal === null) return null
      return { why: `${refusal.code}: ${refusal.message}`, cause: refusal, isKept: KEPT.has(refusal.code) }
    } catch (error) {
      return { why: messageOf(error), cause: error, isKept: false }
    }
  }

  return {
    move: async (partition, from, to) => {
      const name = partitionName(partition)
      const epoch = nextEpoch()
      const unprepared = await trouble(orders.prepare(to.url, partition, epoch))
      const stays = async ({ cause }: Trouble, why: string): Promise<never> => {
        await trouble(orders.release(to.url, partition, epoch))
        throw new MoveFailed(`${name} stays at ${from.name}, since ${why}`, from, { cause })
      }
      if (unprepared !== null) return stays(unprepared, `${to.name} could not prepare it: ${unprepared.why}`)
      const unreleased = await trouble(orders.release(from.url, partition, epoch))
      if (unreleased?.isKept === true) return stays(unreleased, `it keeps it: ${unreleased.why}`)
      if (unreleased !== null) deps.onUnreleased(unreleased.cause, partition, from)
      const untaken = await trouble(orders.acquire(to.url, partition, epoch))
      if (untaken === null) return
      // Whether it took over or not can't be told: a higher epoch at the old owner settles it, the journal fences the other off.
      await trouble(orders.release(to.url, partition, epoch))
      const back = await trouble(orders.acquire(from.url, partition, nextEpoch()))
      throw new MoveFailed(
        `${to.name} did not take over ${name} (${untaken.why}); ` +
          (back === null ? `${from.name} serves it again` : `nor did ${from.name} take it back (${back.why})`),
        back === null ? from : null,
        { cause: untaken.cause },
      )
    },
  }
}
