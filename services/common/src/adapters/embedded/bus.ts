import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Bus, BusMessage, BusReply, Consumer, DeadLetter, Delivery } from '../../ports/bus.ts'
import type { Clock, Repeating } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'

/** Messages that may wait in one partition's queue. */
export const QUEUE_MAX = 100_000
/** Dead letters kept; beyond it the oldest is dropped. */
export const DEAD_LETTERS_MAX = 10_000
/** How often deadlines of requests are looked at. */
export const DEADLINE_INTERVAL_MS = 50

interface Asker {
  readonly resolve: (reply: BusReply) => void
  readonly reject: (error: PortError) => void
  readonly expiresAtMs: number
}

interface Envelope {
  readonly message: BusMessage
  readonly order: number
  attempt: number
  asker: Asker | null
}

interface Queue {
  /** Waiting, in order. `from` marks the first one still here, so that taking is cheap. */
  waiting: Envelope[]
  from: number
  readonly inFlight: Set<Envelope>
  consumer: { readonly handler: (delivery: Delivery) => void; readonly inFlightMax: number; stopped: boolean } | null
  /** Consumers that wait for the one before them to stop. */
  readonly successors: (() => void)[]
  scheduled: boolean
}

/** The bus inside one process: queues in memory, delivered in a later turn of the event loop than they were sent in. */
export const createEmbeddedBus = (deps: { readonly clock: Clock; readonly queueMax?: number }): Bus => {
  const queueMax = deps.queueMax ?? QUEUE_MAX
  const queues = new Map<PartitionNumber, Queue>()
  const deadLetters: (DeadLetter & { readonly envelope: Envelope })[] = []
  const asking = new Set<Envelope>()
  let deadlines: Repeating | null = null
  let order = 0
  let letter = 0
  let closed = false

  const queueOf = (partition: PartitionNumber): Queue => {
    const known = queues.get(partition)
    if (known !== undefined) return known
    const queue: Queue = { waiting: [], from: 0, inFlight: new Set(), consumer: null, successors: [], scheduled: false }
    queues.set(partition, queue)
    return queue
  }

  const backlog = (queue: Queue): number => queue.waiting.length - queue.from

  const putBack = (queue: Queue, envelopes: readonly Envelope[]): void => {
    if (envelopes.length === 0) return
    for (const envelope of envelopes) envelope.attempt += 1
    queue.waiting = [...envelopes, ...queue.waiting.slice(queue.from)].sort((a, b) => a.order - b.order)
    queue.from = 0
  }

  const deliver = (partition: PartitionNumber, queue: Queue, envelope: Envelope): void => {
    queue.inFlight.add(envelope)
    const { consumer } = queue
    const done = (after: () => void): void => {
      if (!queue.inFlight.delete(envelope)) return
      after()
      schedule(partition, queue)
    }
    const requeue = (): void => done(() => putBack(queue, [envelope]))
    const delivery: Delivery = {
      message: envelope.message,
      attempt: envelope.attempt,
      acknowledge: () => done(() => undefined),
      requeue,
      deadLetter: (reason) => done(() => keep(partition, envelope, reason)),
      reply: (reply) => answer(envelope, (asker) => asker.resolve(reply)),
    }
    try {
      consumer?.handler(delivery)
    } catch {
      // B12: the consumer's failure must not lose the message.
      requeue()
    }
  }

  const pump = (partition: PartitionNumber, queue: Queue): void => {
    queue.scheduled = false
    while (queue.consumer !== null && !queue.consumer.stopped && queue.from < queue.waiting.length) {
      if (queue.inFlight.size >= queue.consumer.inFlightMax) return
      const envelope = queue.waiting[queue.from]!
      queue.from += 1
      if (queue.from > 1_024 && queue.from * 2 > queue.waiting.length) {
        queue.waiting = queue.waiting.slice(queue.from)
        queue.from = 0
      }
      deliver(partition, queue, envelope)
    }
  }

  const schedule = (partition: PartitionNumber, queue: Queue): void => {
    if (queue.scheduled || queue.consumer === null || queue.from >= queue.waiting.length) return
    queue.scheduled = true
    queueMicrotask(() => pump(partition, queue))
  }

  const answer = (envelope: Envelope, how: (asker: Asker) => void): void => {
    const { asker } = envelope
    if (asker === null) return
    envelope.asker = null
    asking.delete(envelope)
    how(asker)
  }

  const keep = (partition: PartitionNumber, envelope: Envelope, reason: string): void => {
    letter += 1
    deadLetters.push({ id: String(letter), partition, reason, message: envelope.message, atMs: deps.clock.nowMs(), envelope })
    if (deadLetters.length > DEAD_LETTERS_MAX) deadLetters.shift()
    answer(envelope, (asker) => asker.resolve({ status: 'unavailable', sequence: 0n, body: new Uint8Array(0) }))
  }

  const enqueue = (partition: PartitionNumber, message: BusMessage, asker: Asker | null): Envelope => {
    if (closed) throw new PortError('closed', 'the bus is closed')
    const queue = queueOf(partition)
    if (backlog(queue) >= queueMax) throw new PortError('full', `the queue of partition ${partition} holds ${queueMax} messages`)
    order += 1
    const envelope: Envelope = { message, order, attempt: 1, asker }
    queue.waiting.push(envelope)
    schedule(partition, queue)
    return envelope
  }

  const expire = (): void => {
    const now = deps.clock.monotonicMs()
    for (const envelope of asking) {
      if (envelope.asker !== null && envelope.asker.expiresAtMs <= now) {
        answer(envelope, (asker) => asker.reject(new PortError('timeout', 'no reply within the deadline')))
      }
    }
  }

  const attach = (partition: PartitionNumber, queue: Queue, handler: (delivery: Delivery) => void, inFlightMax: number): Consumer => {
    const consumer = { handler, inFlightMax, stopped: false }
    queue.consumer = consumer
    schedule(partition, queue)
    return {
      stop: () => {
        if (consumer.stopped) return Promise.resolve()
        consumer.stopped = true
        queue.consumer = null
        const returned = [...queue.inFlight]
        queue.inFlight.clear()
        putBack(queue, returned)
        queue.successors.shift()?.()
        return Promise.resolve()
      },
    }
  }

  return {
    send: async (partition, message) => {
      enqueue(partition, message, null)
    },
    request: (partition, message) =>
      new Promise((resolve, reject) => {
        deadlines ??= deps.clock.every(DEADLINE_INTERVAL_MS, expire, () => undefined)
        const asker = { resolve, reject, expiresAtMs: deps.clock.monotonicMs() + message.deadlineMs }
        try {
          asking.add(enqueue(partition, message, asker))
        } catch (error) {
          reject(error as PortError)
        }
      }),
    consume: (partition, handler, { inFlightMax }) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(new PortError('closed', 'the bus is closed'))
          return
        }
        const queue = queueOf(partition)
        const start = (): void => resolve(attach(partition, queue, handler, inFlightMax))
        if (queue.consumer === null && queue.successors.length === 0) start()
        else queue.successors.push(start)
      }),
    deadLetters: async (limit) => deadLetters.slice(-limit).map(({ envelope: _, ...kept }) => kept),
    resend: async (id) => {
      const index = deadLetters.findIndex((kept) => kept.id === id)
      const [kept] = index < 0 ? [] : deadLetters.splice(index, 1)
      if (kept === undefined) return false
      enqueue(kept.partition, kept.message, null)
      return true
    },
    close: async () => {
      closed = true
      await deadlines?.stop()
      for (const envelope of [...asking]) answer(envelope, (asker) => asker.reject(new PortError('closed', 'the bus was closed')))
      queues.clear()
    },
  }
}
