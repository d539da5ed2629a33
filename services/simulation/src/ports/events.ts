import { createEmbeddedEvents } from '@bourse/common/adapters/embedded/events.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Events, StreamEvent } from '@bourse/common/ports/events.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Faults } from '../faults/faults.ts'
import type { World } from '../world/world.ts'
import type { Process } from './process.ts'
import type { Travel } from './travel.ts'

/** The streams between the processes. */
export interface EventHub {
  open(process: Process, deps: { readonly clock: Clock; readonly journal: Journal }): Events
  /** A record is on the disk: who subscribes to its partition may have to look for it there. */
  appended(partition: PartitionNumber): void
}

/** The subscriptions of one process to a partition. */
interface Receiver {
  readonly process: Process
  readonly local: Events
  readonly subscriptions: Map<PartitionNumber, number>
}

/**
 * Streams of a world (port Events at each door): what one process publishes travels to each process that subscribes, may be lost,
 * come twice or in another order. Ordering and healing from the journal are those of the product's own streams, in each process.
 */
export const createEventHub = (deps: {
  readonly world: World
  readonly faults: Faults
  readonly travel: Travel
}): EventHub => {
  const { world, faults, travel } = deps
  const receivers = new Set<Receiver>()

  const travelTo = (receiver: Receiver, event: StreamEvent, what: string): void => {
    world.schedule(travel.message(), what, () => receiver.process.enter(() => receiver.local.publish(event)))
  }

  const publishTo = (receiver: Receiver, event: StreamEvent): void => {
    const what = `event of ${partitionName(event.partition)} to ${receiver.process.name}`
    if (faults.strikes('event-lost')) return
    travelTo(receiver, event, what)
    if (faults.strikes('event-twice')) travelTo(receiver, event, what)
  }

  return {
    appended: (partition) => {
      for (const { process, subscriptions } of receivers)
        if ((subscriptions.get(partition) ?? 0) > 0) process.pace.note()
    },
    open: (process, { clock, journal }) => {
      const onFailure = (error: unknown): void => {
        // A port that fails is to be expected. Anything else is a bug in a handler: it comes again, and shows as unrest.
        if (!(error instanceof PortError))
          world.trace.note(
            `${process.name}: a handler of events failed: ${error instanceof Error ? error.message : String(error)}`,
          )
      }
      const local = createEmbeddedEvents({ clock, journal, onFailure })
      const receiver: Receiver = { process, local, subscriptions: new Map() }
      receivers.add(receiver)
      process.onKilled(() => void receivers.delete(receiver))
      const count = (partition: PartitionNumber, change: number): void => {
        receiver.subscriptions.set(partition, (receiver.subscriptions.get(partition) ?? 0) + change)
      }
      return {
        publish: (event) => {
          if (process.state === 'killed') return
          for (const other of receivers)
            if ((other.subscriptions.get(event.partition) ?? 0) > 0) publishTo(other, event)
        },
        subscribe: (partition, fromSequence, handler) => {
          const subscription = local.subscribe(partition, fromSequence, handler)
          let isSubscribed = true
          count(partition, 1)
          return {
            stop: () => {
              if (isSubscribed) count(partition, -1)
              isSubscribed = false
              return subscription.stop()
            },
          }
        },
        close: () => {
          receivers.delete(receiver)
          return local.close()
        },
      }
    },
  }
}
