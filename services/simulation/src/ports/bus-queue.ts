import type { BusReply, Delivery } from '@bourse/common/ports/bus.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Faults } from '../faults/faults.ts'
import type { Scheduled, World } from '../world/world.ts'
import { createLine, type Asker, type Entry } from './bus-line.ts'
import type { Process } from './process.ts'

/** A consumer as the broker knows it. */
export interface Taker {
  readonly process: Process
  readonly handler: (delivery: Delivery) => void
  readonly inFlightMax: number
  readonly inFlight: Set<Entry>
  /** Acknowledgements that may be lost with their process: they travel too. */
  acknowledged: { readonly entry: Entry; readonly atMs: number }[]
  /** Stopped by its own process: nothing is handed to it any more, and what it says is void. */
  isStopped: boolean
}

/** The broker's queue of one partition. */
export interface BusQueue {
  /** Messages not yet dealt with, those in flight included. */
  size(): number
  push(entry: Entry): void
  /** Joins the consumers, if it is not among them; the first in line gets everything. */
  join(taker: Taker): void
  /** Takes a consumer out; what it had in hand comes again. */
  leave(taker: Taker): void
  /** Loses everything; the consumers stay. */
  forget(): void
}

/** What a queue needs of its broker. */
export interface BusQueueDeps {
  readonly world: World
  readonly faults: Faults
  readonly random: SeededRandom
  /** Name of the partition, for the trace. */
  readonly name: string
  /** World ms until which the link to a process is cut. */
  linkCutUntilMs(process: Process): number
  onDeadLetter(entry: Entry, reason: string): void
  sendReply(asker: Asker, reply: BusReply): void
}

/** Deliveries that leave together; the rest of a long queue follows. */
const DELIVERIES_PER_EVENT_MAX = 128
/** How long the queue rests after a handler threw, ms. */
const FAILURE_PAUSE_MS = 20
/** Acknowledgements younger than this are lost with their process, ms. */
const ACKNOWLEDGEMENT_TRAVEL_MS = 2

/** A consumer's process was killed: what it acknowledged last may not have left it, so it is in its hands still. */
export const loseAcknowledgements = (taker: Taker, nowMs: number): void => {
  for (const { entry, atMs } of taker.acknowledged)
    if (atMs > nowMs - ACKNOWLEDGEMENT_TRAVEL_MS) taker.inFlight.add(entry)
  taker.acknowledged = []
}

/** Makes the queue of a partition. */
export const createBusQueue = (deps: BusQueueDeps): BusQueue => {
  const { world, name, random } = deps
  const line = createLine()
  const takers: Taker[] = []
  const what = `bus delivers ${name}`
  let resting: Scheduled | null = null
  let restsUntilMs = 0
  let isDelivering = false

  const deliverLater = (delayMs: number): void => {
    resting ??= world.schedule(delayMs, what, () => {
      resting = null
      deliverSome()
    })
  }

  const acknowledge = (taker: Taker, entry: Entry): boolean => {
    if (taker.isStopped || !taker.inFlight.delete(entry)) return false
    const nowMs = world.nowMs()
    if (taker.acknowledged.length > 0 && taker.acknowledged[0]!.atMs < nowMs - ACKNOWLEDGEMENT_TRAVEL_MS)
      taker.acknowledged = []
    taker.acknowledged.push({ entry, atMs: nowMs })
    if (line.size > 0 && !isDelivering) deliverLater(1)
    return true
  }

  const deliveryOf = (taker: Taker, entry: Entry): Delivery => ({
    message: entry.message,
    attempt: entry.attempt,
    acknowledge: () => void acknowledge(taker, entry),
    requeue: () => {
      if (taker.isStopped || !taker.inFlight.delete(entry)) return
      line.giveBack([entry])
      deliverLater(1)
    },
    deadLetter: (reason) => {
      if (acknowledge(taker, entry)) deps.onDeadLetter(entry, reason)
    },
    reply: (reply) => {
      if (entry.asker !== null) deps.sendReply(entry.asker, reply)
    },
  })

  const deliver = (taker: Taker, entry: Entry): void => {
    entry.attempt += 1
    taker.inFlight.add(entry)
    taker.process.pace.note()
    const delivery = deliveryOf(taker, entry)
    taker.process.enter(() => {
      if (taker.isStopped) return
      try {
        taker.handler(delivery)
      } catch {
        // The consumer goes on (B12): the message comes again after a rest.
        restsUntilMs = world.nowMs() + FAILURE_PAUSE_MS
        delivery.requeue()
      }
    })
  }

  /** Delivers until the consumer's hands are full or the queue has to rest. */
  const deliverBatch = (taker: Taker, nowMs: number): void => {
    for (let count = 0; count < DELIVERIES_PER_EVENT_MAX; count++) {
      if (resting !== null || line.size === 0 || taker.inFlight.size >= taker.inFlightMax) return
      const entry = line.take()!
      if (entry.expiresAtMs > nowMs) deliver(taker, entry)
    }
    deliverLater(1)
  }

  const deliverSome = (): void => {
    const taker = takers[0]
    if (resting !== null || isDelivering || taker === undefined || line.size === 0) return
    const nowMs = world.nowMs()
    const mayAtMs = Math.max(restsUntilMs, deps.linkCutUntilMs(taker.process))
    if (mayAtMs > nowMs) return deliverLater(mayAtMs - nowMs)
    if (deps.faults.strikes('slow-consumer')) return deliverLater(random.between(50, 2_500))
    isDelivering = true
    deliverBatch(taker, nowMs)
    isDelivering = false
  }

  return {
    size: () => takers.reduce((sum, taker) => sum + taker.inFlight.size, line.size),
    push: (entry) => {
      line.push(entry)
      deliverSome()
    },
    join: (taker) => {
      if (takers.includes(taker)) return
      takers.push(taker)
      deliverSome()
    },
    leave: (taker) => {
      const index = takers.indexOf(taker)
      if (index < 0) return
      takers.splice(index, 1)
      line.giveBack([...taker.inFlight])
      taker.inFlight.clear()
      taker.acknowledged = []
      deliverSome()
    },
    forget: () => {
      line.clear()
      for (const taker of takers) {
        taker.inFlight.clear()
        taker.acknowledged = []
      }
    },
  }
}
