import type { PartitionNumber } from '../../kernel/partition.ts'
import type { BusMessage } from '../../ports/bus.ts'
import { PortError } from '../../ports/failure.ts'
import { createPack, type Pack, type Settlement } from './bus-pack.ts'

/** Packs to one partition that may be unconfirmed at a time; what is sent meanwhile gathers into the next one. */
export const PACKS_UNCONFIRMED_MAX = 4
/** How often a pack that found no queue is published again, once the queue was declared anew. */
export const RETURNS_MAX = 3

/** Pause before a queue that could not be declared is declared again, ms. */
export const DECLARE_PAUSE_MS = 500

/**
 * Pause before a queue that was found missing is declared again, ms. Its consumer hears of its end meanwhile: RabbitMQ mixes up
 * what a channel knows of a queue with the one of the same name that was declared before the channel was told.
 */
export const MISSING_PAUSE_MS = 300

/** How many messages travel together, and how many packs to one partition are on their way. */
export interface PackingLimits {
  /** Messages of one pack, and replies of one; 1 turns packing off. */
  readonly packCountMax: number
  readonly packsUnconfirmedMax: number
}

/** What became of a published pack. */
export type Verdict = 'confirmed' | 'refused' | 'lost'

/** What a lane tells of and asks for. */
export interface LaneDeps {
  readonly partition: PartitionNumber
  /** Where they are not the usual PACK_COUNT_MAX and PACKS_UNCONFIRMED_MAX. */
  readonly limits?: PackingLimits | undefined
  /** Publishes a pack; false when nothing can be published now: the lane is pumped again later. */
  publish(lane: Lane, pack: Pack): boolean
  nowMs(): number
  /** Whether the broker can be asked for anything now. */
  isReachable(): boolean
  /** Declares the queue. */
  declare(partition: PartitionNumber): Promise<void>
  onDeclareFailed(error: unknown): void
  /** This many messages and bytes are in nobody's hands any more. */
  onLeft(messages: number, bytes: number): void
  onRefused(messages: number): void
  onExpired(messages: number): void
}

/** All messages of one publisher to one partition, in order. */
export interface Lane {
  readonly partition: PartitionNumber
  /** Adds a message; returns the bytes it takes. */
  add(message: BusMessage, correlation: number, settlement: Settlement, dueAtMs: number): number
  /** Publishes what may be published. */
  pump(): void
  /** The broker had no queue for this pack; its confirm follows. */
  returned(pack: Pack): void
  settled(pack: Pack, verdict: Verdict, why?: Error): void
  /** Ends the messages whose time is up. */
  expire(nowMs: number): void
  /** Since when the oldest unconfirmed pack is on its way; Infinity when none is. */
  oldestPublishedAtMs(): number
  failAll(error: PortError): void
  isIdle(): boolean
}

/** Makes a lane. Its queue is declared before the first message, and again when it was found missing. */
export const createLane = (deps: LaneDeps): Lane => {
  const { partition, limits } = deps
  const unconfirmedMax = limits?.packsUnconfirmedMax ?? PACKS_UNCONFIRMED_MAX
  let gathering: Pack[] = []
  const unconfirmed = new Set<Pack>()
  const returned: Pack[] = []
  let isDeclared = false
  let isDeclaring = false
  let declareAtMs = 0
  let lastConfirmed = 0

  const leave = (pack: Pack): void => deps.onLeft(pack.count(), pack.bytes())

  const fail = (pack: Pack, error: PortError): void => {
    leave(pack)
    pack.failed(error)
  }

  const declare = async (): Promise<void> => {
    isDeclaring = true
    try {
      await deps.declare(partition)
      isDeclared = true
    } catch (error) {
      // The messages wait within their deadlines; `expire` pumps again, which tries again.
      declareAtMs = deps.nowMs() + DECLARE_PAUSE_MS
      deps.onDeclareFailed(error)
    } finally {
      isDeclaring = false
    }
    if (isDeclared) pump()
  }

  /** Once nothing is on its way any more, returned packs stand first in line again, in their order. */
  const takeBackReturned = (): void => {
    if (returned.length === 0 || unconfirmed.size > 0) return
    returned.sort((one, other) => one.number - other.number)
    const again: Pack[] = []
    for (const pack of returned.splice(0)) {
      pack.isReturned = false
      pack.returns += 1
      // A later one got through: this one may not come after it.
      if (pack.returns > RETURNS_MAX || pack.number < lastConfirmed) {
        fail(pack, new PortError('unavailable', `partition ${partition} had no queue`))
      } else again.push(pack)
    }
    gathering = [...again, ...gathering]
  }

  const pump = (): void => {
    takeBackReturned()
    if (isDeclaring || returned.length > 0) return
    if (!isDeclared) {
      if (gathering.length > 0 && deps.isReachable() && deps.nowMs() >= declareAtMs) void declare()
      return
    }
    for (let pack = gathering[0]; pack !== undefined && unconfirmed.size < unconfirmedMax; pack = gathering[0]) {
      if (pack.count() > 0) {
        if (!deps.publish(lane, pack)) return
        unconfirmed.add(pack)
        pack.markPublished()
      }
      gathering.shift()
    }
  }

  const lane: Lane = {
    partition,
    add: (message, correlation, settlement, dueAtMs) => {
      let pack = gathering.at(-1)
      if (pack === undefined || !pack.hasRoomFor(message)) {
        pack = createPack(limits?.packCountMax)
        gathering.push(pack)
      }
      const before = pack.bytes()
      pack.add(message, correlation, settlement, dueAtMs)
      return pack.bytes() - before
    },
    pump,
    returned: (pack) => {
      pack.isReturned = true
      isDeclared = false
      declareAtMs = deps.nowMs() + MISSING_PAUSE_MS
    },
    settled: (pack, verdict, why) => {
      unconfirmed.delete(pack)
      if (verdict === 'confirmed' && pack.isReturned) returned.push(pack)
      else if (verdict === 'confirmed') {
        lastConfirmed = Math.max(lastConfirmed, pack.number)
        leave(pack)
        pack.done()
      } else if (verdict === 'refused') {
        deps.onRefused(pack.count())
        fail(pack, new PortError('full', `the queue of partition ${partition} is full`))
      } else {
        fail(pack, new PortError('unknown', 'the connection was lost before the broker confirmed', { cause: why }))
      }
      pump()
    },
    expire: (nowMs) => {
      for (const pack of gathering) {
        const before = pack.bytes()
        const gone = pack.expire(nowMs)
        if (gone === 0) continue
        deps.onExpired(gone)
        // What was returned by the broker keeps its bytes, and leaves with its pack.
        if (pack.returns === 0) deps.onLeft(gone, before - pack.bytes())
      }
      for (const pack of unconfirmed) deps.onExpired(pack.expire(nowMs))
      pump()
    },
    oldestPublishedAtMs: () => {
      let oldest = Infinity
      for (const pack of unconfirmed) oldest = Math.min(oldest, pack.publishedAtMs)
      return oldest
    },
    failAll: (error) => {
      for (const pack of [...gathering.splice(0), ...returned.splice(0)]) fail(pack, error)
      for (const pack of unconfirmed) fail(pack, error)
      unconfirmed.clear()
    },
    isIdle: () => gathering.length === 0 && unconfirmed.size === 0 && returned.length === 0,
  }
  return lane
}
