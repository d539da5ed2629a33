import { hash as hashOf } from 'node:crypto'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Clock, Repeating } from '../../ports/clock.ts'
import { HEAL_INTERVAL_MS, type Events, type StreamEvent, type Subscription } from '../../ports/events.ts'
import { PortError } from '../../ports/failure.ts'
import type { Journal, StoredRecord } from '../../ports/journal.ts'

/** What the in-process streams need. */
export interface EmbeddedEventsOptions {
  readonly journal: Journal
  readonly clock: Clock
  /** Hears of every handler or journal failure; the event comes again after a pause. */
  readonly onFailure?: (error: unknown, partition: PartitionNumber) => void
}

/** Events a slow subscriber holds in memory; beyond it they are dropped and read from the journal later. */
const BUFFER_MAX = 256
/** Pause before a failed handler gets the same event again. */
const RETRY_PAUSE_MS = 100

interface Subscriber extends Subscription {
  offer(event: StreamEvent): void
  lookIntoJournal(): void
}

interface SubscriberDeps extends Required<EmbeddedEventsOptions> {
  readonly partition: PartitionNumber
  readonly fromSequence: bigint
  readonly handler: (event: StreamEvent) => Promise<void>
}

/**
 * A handler keeps getting the event in hand until it takes it: damaged bytes must not be handed over at all, or the subscription
 * would not see that the journal was repaired.
 */
const checkBytes = ({ sequence, hash, body }: StoredRecord, partition: PartitionNumber): void => {
  if (Buffer.compare(hashOf('sha256', body, 'buffer'), hash) === 0) return
  throw new PortError('corrupt', `record ${sequence} of partition ${partition}: its bytes do not match its hash`)
}

const createSubscriber = (deps: SubscriberDeps): Subscriber => {
  const { partition, journal, clock } = deps
  const stopping = new AbortController()
  let next = deps.fromSequence < 1n ? 1n : deps.fromSequence
  /** The newest event that was in the handler's hands: what follows it may be buffered. */
  let inHand = next - 1n
  let buffer: StreamEvent[] = []
  let mayLack = true
  let running: Promise<void> | null = null
  const isStopped = (): boolean => stopping.signal.aborted

  const pause = async (): Promise<void> => {
    try {
      await clock.sleep(RETRY_PAUSE_MS, stopping.signal)
    } catch {
      // Stopped while it waited: the loop around sees that.
    }
  }

  /** Hands over one event until the handler takes it, or the subscription stops. */
  const handOver = async (event: StreamEvent): Promise<void> => {
    inHand = event.sequence
    while (!isStopped()) {
      try {
        await deps.handler(event)
        next = event.sequence + 1n
        return
      } catch (error) {
        deps.onFailure(error, partition)
        await pause()
      }
    }
  }

  const readJournal = async (): Promise<void> => {
    try {
      for await (const record of journal.readFrom(partition, next)) {
        checkBytes(record, partition)
        await handOver({ partition, sequence: record.sequence, body: record.body })
        if (isStopped()) return
      }
    } catch (error) {
      // The next healing look tries again.
      if (!isStopped()) deps.onFailure(error, partition)
    }
  }

  const pump = async (): Promise<void> => {
    while (!isStopped()) {
      while (buffer[0] !== undefined && buffer[0].sequence < next) buffer.shift()
      const first = buffer[0]
      if (first?.sequence === next) {
        buffer.shift()
        await handOver(first)
      } else if (mayLack) {
        mayLack = false
        await readJournal()
      } else {
        return
      }
    }
  }

  const wake = (): void => {
    if (running !== null || isStopped()) return
    running = pump().finally(() => {
      running = null
      // Something may have come between the last look and this moment.
      if (mayLack || buffer[0]?.sequence === next) wake()
    })
  }

  wake()
  return {
    offer: (event) => {
      const expected = (buffer.at(-1)?.sequence ?? inHand) + 1n
      if (event.sequence < expected) return
      if (event.sequence === expected && buffer.length < BUFFER_MAX) buffer.push(event)
      else mayLack = true
      wake()
    },
    lookIntoJournal: () => {
      mayLack = true
      wake()
    },
    stop: async () => {
      stopping.abort(new Error('the subscription was stopped'))
      buffer = []
      await running
    },
  }
}

/**
 * Streams in one process: a published event goes straight to the subscribers that wait for it; whatever one lacks is read from
 * the journal, at the start, after a gap or an overflow, and every half HEAL_INTERVAL_MS anyway.
 * A handler must not await its own subscription's `stop`.
 */
export const createEmbeddedEvents = (options: EmbeddedEventsOptions): Events => {
  const { clock, journal, onFailure = () => undefined } = options
  const subscribers = new Map<PartitionNumber, Set<Subscriber>>()
  let isClosed = false
  let healing: Repeating | null = null

  const heal = (): void => {
    for (const set of subscribers.values()) for (const subscriber of set) subscriber.lookIntoJournal()
  }

  const subscribe: Events['subscribe'] = (partition, fromSequence, handler) => {
    if (isClosed) throw new PortError('closed', 'the streams are closed')
    healing ??= clock.every(HEAL_INTERVAL_MS / 2, heal, (error) => {
      throw error // Healing only sets marks: a failure is a bug.
    })
    const subscriber = createSubscriber({ partition, fromSequence, handler, journal, clock, onFailure })
    const set = subscribers.get(partition) ?? new Set()
    subscribers.set(partition, set.add(subscriber))
    return {
      stop: () => {
        set.delete(subscriber)
        return subscriber.stop()
      },
    }
  }

  return {
    publish: (event) => {
      for (const subscriber of subscribers.get(event.partition) ?? []) subscriber.offer(event)
    },
    subscribe,
    close: async () => {
      isClosed = true
      const all = [...subscribers.values()].flatMap((set) => [...set])
      subscribers.clear()
      await Promise.all([healing?.stop(), ...all.map((subscriber) => subscriber.stop())])
    },
  }
}
