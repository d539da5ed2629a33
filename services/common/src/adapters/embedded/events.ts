import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Clock, Repeating } from '../../ports/clock.ts'
import { HEAL_INTERVAL_MS, type Events, type StreamEvent, type Subscription } from '../../ports/events.ts'
import type { Journal } from '../../ports/journal.ts'

/** Events a subscription keeps in memory; what comes beyond is read from the journal when its turn comes. */
export const EVENTS_WAITING_MAX = 1_024
/** Pause before a failing handler gets its event again. */
export const RETRY_PAUSE_MS = 100

interface Subscriber {
  readonly partition: PartitionNumber
  readonly offer: (event: StreamEvent) => void
  readonly heal: () => void
  readonly stop: () => Promise<void>
}

/** Streams in this process; the journal fills every gap. */
export const createEmbeddedEvents = (deps: { readonly journal: Journal; readonly clock: Clock }): Events => {
  const subscribers = new Set<Subscriber>()
  let healing: Repeating | null = null

  const subscribe = (
    partition: PartitionNumber,
    fromSequence: bigint,
    handler: (event: StreamEvent) => Promise<void>,
  ): Subscription => {
    let next = fromSequence < 1n ? 1n : fromSequence
    let waiting: StreamEvent[] = []
    let missed = true
    let running: Promise<void> | null = null
    const stopping = new AbortController()

    const handle = async (event: StreamEvent): Promise<void> => {
      while (!stopping.signal.aborted) {
        try {
          await handler(event)
          next = event.sequence + 1n
          return
        } catch {
          // The handler's own business to report; the event comes again until it succeeds.
          await deps.clock.sleep(RETRY_PAUSE_MS, stopping.signal).catch(() => undefined)
        }
      }
    }

    const catchUp = async (): Promise<void> => {
      missed = false
      for await (const stored of deps.journal.readFrom(partition, next)) {
        if (stopping.signal.aborted) return
        await handle({ partition, sequence: stored.sequence, body: stored.body })
      }
    }

    const work = async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        const event = waiting[0]
        if (event !== undefined && event.sequence < next) {
          waiting.shift()
          continue
        }
        if (event !== undefined && event.sequence === next) {
          waiting.shift()
          await handle(event)
          continue
        }
        if (event === undefined && !missed) return
        await catchUp()
        if (waiting[0] !== undefined && waiting[0].sequence > next) waiting = []
      }
    }

    const run = (): void => {
      if (running !== null || stopping.signal.aborted) return
      running = work()
        .catch(() => {
          // The journal could not be read: the next healing tries again.
          missed = true
        })
        .finally(() => {
          running = null
        })
    }

    const subscriber: Subscriber = {
      partition,
      offer: (event) => {
        if (event.sequence < next) return
        if (waiting.length >= EVENTS_WAITING_MAX) missed = true
        else waiting.push(event)
        run()
      },
      heal: () => {
        missed = true
        run()
      },
      stop: async () => {
        stopping.abort(new Error('stopped'))
        subscribers.delete(subscriber)
        await running
      },
    }
    subscribers.add(subscriber)
    run()
    return { stop: subscriber.stop }
  }

  return {
    publish: (event) => {
      for (const subscriber of subscribers) if (subscriber.partition === event.partition) subscriber.offer(event)
    },
    subscribe: (partition, fromSequence, handler) => {
      healing ??= deps.clock.every(HEAL_INTERVAL_MS, () => {
        for (const subscriber of subscribers) subscriber.heal()
      }, () => undefined)
      return subscribe(partition, fromSequence, handler)
    },
    close: async () => {
      await healing?.stop()
      for (const subscriber of [...subscribers]) await subscriber.stop()
    },
  }
}
