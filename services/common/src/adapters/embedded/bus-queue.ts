import type { BusMessage, BusReply, Consumer, Delivery } from '../../ports/bus.ts'
import type { Asker } from './bus-deadlines.ts'

/** A message in its queue. */
export interface Entry {
  readonly message: BusMessage
  /** Monotonic ms after which nobody waits for it. */
  readonly expiresAtMs: number
  readonly asker: Asker | null
  /** Deliveries so far. */
  attempt: number
  /** Place in the queue, given at `push`. */
  order: number
}

/** The messages of one partition and who takes them. */
export interface Queue {
  push(entry: Entry): void
  /** Messages not yet dealt with, those in flight included. */
  size(): number
  consume(handler: (delivery: Delivery) => void, inFlightMax: number): Consumer
  /** Goes on delivering when the pause after a handler's failure is over. */
  resume(nowMs: number): void
  /** Drops everything; deliveries still out are dealt with in vain. */
  close(): void
}

/** What a queue tells its bus. */
export interface QueueEvents {
  monotonicMs(): number
  onDeadLetter(message: BusMessage, reason: string): void
  onExpired(): void
  onHandlerFailure(): void
}

interface Taker {
  readonly handler: (delivery: Delivery) => void
  readonly inFlightMax: number
  readonly inFlight: Set<Entry>
}

/** Deliveries of one queue in one turn of the event loop, so that a long queue holds nobody else up. */
const DELIVERIES_PER_TURN_MAX = 1_024
/** How long a queue rests after its handler threw: a handler that always throws must not spin. */
const FAILURE_PAUSE_MS = 20
/** Taken entries at the front of the array before it is moved up. */
const COMPACT_AT = 4_096

/** First in, first out; what goes back stands before all that was never delivered, in its old order. */
const createLine = () => {
  let fresh: (Entry | undefined)[] = []
  let head = 0
  let returned: Entry[] = []
  return {
    size: (): number => fresh.length - head + returned.length,
    push: (entry: Entry): void => void fresh.push(entry),
    giveBack: (entries: readonly Entry[]): void => {
      returned = [...returned, ...entries].sort((a, b) => a.order - b.order)
    },
    take: (): Entry | undefined => {
      if (returned.length > 0) return returned.shift()
      const entry = fresh[head]
      if (entry === undefined) return undefined
      fresh[head++] = undefined
      if (head === fresh.length) [fresh, head] = [[], 0]
      else if (head >= COMPACT_AT && head * 2 >= fresh.length) [fresh, head] = [fresh.slice(head), 0]
      return entry
    },
  }
}

/** Makes the queue of one partition. */
export const createQueue = (events: QueueEvents): Queue => {
  const line = createLine()
  const takers: Taker[] = []
  let orders = 0
  let pausedUntilMs = 0
  let isScheduled = false
  let isClosed = false

  const schedule = (): void => {
    if (isScheduled || isClosed || takers.length === 0 || line.size() === 0) return
    isScheduled = true
    setImmediate(deliverSome)
  }

  const deliveryOf = (taker: Taker, entry: Entry): Delivery => {
    /** Whether the entry was still in this taker's hands; a second word about it, or one after its stop, is void. */
    const settle = (): boolean => {
      const isOurs = taker.inFlight.delete(entry)
      if (isOurs) schedule()
      return isOurs
    }
    return {
      message: entry.message,
      attempt: entry.attempt,
      acknowledge: () => void settle(),
      requeue: () => {
        if (!taker.inFlight.delete(entry)) return
        line.giveBack([entry])
        schedule()
      },
      deadLetter: (reason) => {
        if (settle()) events.onDeadLetter(entry.message, reason)
      },
      reply: (reply: BusReply) => entry.asker?.answer(reply),
    }
  }

  /** Delivers one message; false when the handler threw. */
  const deliver = (taker: Taker, entry: Entry): boolean => {
    entry.attempt += 1
    taker.inFlight.add(entry)
    const delivery = deliveryOf(taker, entry)
    try {
      taker.handler(delivery)
      return true
    } catch {
      // The consumer goes on (B12): the message comes again after a pause, and the failure is counted.
      events.onHandlerFailure()
      delivery.requeue()
      return false
    }
  }

  const deliverSome = (): void => {
    isScheduled = false
    const nowMs = events.monotonicMs()
    if (isClosed || nowMs < pausedUntilMs) return
    for (let count = 0; count < DELIVERIES_PER_TURN_MAX; count++) {
      const taker = takers[0]
      if (taker === undefined || taker.inFlight.size >= taker.inFlightMax) return
      const entry = line.take()
      if (entry === undefined) return
      if (entry.expiresAtMs <= nowMs) {
        events.onExpired()
      } else if (!deliver(taker, entry)) {
        pausedUntilMs = nowMs + FAILURE_PAUSE_MS
        return
      }
    }
    schedule()
  }

  const stop = async (taker: Taker): Promise<void> => {
    const index = takers.indexOf(taker)
    if (index < 0) return
    takers.splice(index, 1)
    line.giveBack([...taker.inFlight])
    taker.inFlight.clear()
    schedule()
  }

  return {
    push: (entry) => {
      entry.order = orders++
      line.push(entry)
      schedule()
    },
    size: () => line.size() + takers.reduce((sum, taker) => sum + taker.inFlight.size, 0),
    consume: (handler, inFlightMax) => {
      const taker: Taker = { handler, inFlightMax, inFlight: new Set() }
      takers.push(taker)
      schedule()
      return { stop: () => stop(taker) }
    },
    resume: (nowMs) => {
      if (pausedUntilMs === 0 || nowMs < pausedUntilMs) return
      pausedUntilMs = 0
      schedule()
    },
    close: () => {
      isClosed = true
      for (const taker of takers) taker.inFlight.clear()
      takers.length = 0
    },
  }
}
