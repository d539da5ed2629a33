import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Bus, Consumer } from '@bourse/common/ports/bus.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Scheduled, World } from '../world/world.ts'
import { loseAcknowledgements, type BusQueue, type Taker } from './bus-queue.ts'
import { callOf, type Process } from './process.ts'
import type { Travel } from './travel.ts'

/** How long the broker takes to see that a consumer's process died or stands still, ms. */
const DEATH_SEEN_MS = { least: 0, most: 30 } as const
const PAUSE_SEEN_MS = { least: 300, most: 2_500 } as const
/** A process's consumers at the broker, which misses them when the process dies or stands still. */
export interface Consumers {
  readonly consume: Bus['consume']
  /** All leave at once; none joins any more. */
  close(): void
}

/** Makes the consumers of a process; none at first. */
export const createConsumers = (deps: {
  readonly process: Process
  readonly world: World
  readonly travel: Travel
  readonly random: SeededRandom
  readonly queueOf: (partition: PartitionNumber) => BusQueue
}): Consumers => {
  const { process, world, travel, random, queueOf } = deps
  const takers = new Map<Taker, BusQueue>()
  let isClosed = false

  const consume: Bus['consume'] = (partition, handler, { inFlightMax }) => {
    if (isClosed) return Promise.reject(new PortError('closed', 'the bus is closed'))
    if (!(inFlightMax >= 1)) return Promise.reject(new RangeError(`inFlightMax of ${inFlightMax}`))
    const queue = queueOf(partition)
    const taker: Taker = { process, handler, inFlightMax, inFlight: new Set(), acknowledged: [], isStopped: false }
    const stop = (): Promise<void> => {
      taker.isStopped = true
      return callOf(process, (resolve) => {
        world.schedule(travel.message(), `${process.name} leaves ${partitionName(partition)}`, () => {
          takers.delete(taker)
          queue.leave(taker)
          resolve()
        })
      })
    }
    return callOf<Consumer>(process, (resolve) => {
      world.schedule(travel.message(), `${process.name} joins ${partitionName(partition)}`, () => {
        // Whoever died on the way never arrives.
        if (process.state === 'killed' || isClosed) return
        takers.set(taker, queue)
        resolve({ stop })
        queue.join(taker)
      })
    })
  }

  const leaveAll = (): void => {
    for (const [taker, queue] of takers) queue.leave(taker)
  }

  process.onKilled(() => {
    for (const taker of takers.keys()) loseAcknowledgements(taker, world.nowMs())
    world.schedule(random.between(DEATH_SEEN_MS.least, DEATH_SEEN_MS.most), `bus misses ${process.name}`, () => {
      leaveAll()
      takers.clear()
    })
  })

  let missing: Scheduled | null = null
  let isMissed = false
  process.onPaused((isPaused) => {
    if (isPaused) {
      missing = world.schedule(
        random.between(PAUSE_SEEN_MS.least, PAUSE_SEEN_MS.most),
        `bus misses ${process.name}`,
        () => {
          isMissed = true
          leaveAll()
        },
      )
      return
    }
    missing?.cancel()
    if (!isMissed) return
    isMissed = false
    // The connection is made anew: its consumers stand behind those that came meanwhile.
    world.schedule(travel.message(), `${process.name} is back at the bus`, () => {
      for (const [taker, queue] of takers) if (!taker.isStopped) queue.join(taker)
    })
  })

  return {
    consume,
    close: () => {
      isClosed = true
      for (const taker of takers.keys()) taker.isStopped = true
      leaveAll()
      takers.clear()
    },
  }
}
