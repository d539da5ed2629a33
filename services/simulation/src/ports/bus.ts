import { createBytePool } from '@bourse/common/codec/byte-pool.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Bus, BusMessage, BusReply, DeadLetter } from '@bourse/common/ports/bus.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Faults } from '../faults/faults.ts'
import type { Scheduled, World } from '../world/world.ts'
import type { Asker, Entry } from './bus-line.ts'
import { createConsumers } from './bus-consumers.ts'
import { createBusQueue, type BusQueue } from './bus-queue.ts'
import { WORLD_EPOCH_MS } from './clock.ts'
import { callOf, type Process } from './process.ts'
import type { Travel } from './travel.ts'

/** The broker between all processes. */
export interface Broker {
  /** A process's way to it. */
  open(process: Process): Bus
  /** All queues, all letters and all that is under way are lost; consumers stay. */
  forget(): void
  /** Messages that wait or are in hand, by partition name: what keeps a world from being quiet. */
  waiting(): ReadonlyMap<string, number>
}

/** What the broker needs and where it is bounded. */
export interface BrokerDeps {
  readonly world: World
  readonly faults: Faults
  readonly travel: Travel
  readonly queueMax: number
}

/** How long a link stays cut, ms. */
const CUT_MS = { least: 50, most: 5_000 } as const
/** How long after itself a message comes a second time at most, ms. */
const TWICE_MS_MAX = 300

const closed = (): PortError => new PortError('closed', 'the bus is closed')

/** A process's messages to one partition: they keep their order. */
interface Lane {
  lastAtMs: number
  readonly what: Readonly<Record<BusMessage['type'], string>>
}

/** Makes the broker of a world. */
export const createBroker = (deps: BrokerDeps): Broker => {
  const { world, faults, travel, queueMax } = deps
  const random: SeededRandom = world.chance('bus')
  const copyBytes = createBytePool()
  const copyOf = (message: BusMessage): BusMessage => ({ ...message, body: copyBytes(message.body) })
  const queues = new Map<PartitionNumber, BusQueue>()
  const letters = new Map<string, DeadLetter & { readonly entry: Entry }>()
  const linkCuts = new Map<Process, number>()
  let lettersMade = 0
  let orders = 0
  /** Rises when everything is forgotten: what was under way before belongs to nobody. */
  let epoch = 0

  const linkCutUntilMs = (process: Process): number => linkCuts.get(process) ?? 0
  const cutLink = (process: Process): void => {
    if (faults.strikes('link-cut')) linkCuts.set(process, world.nowMs() + random.between(CUT_MS.least, CUT_MS.most))
  }
  /** World ms at which something that leaves now arrives over this process's link. */
  const arrivalMs = (process: Process): number => Math.max(world.nowMs(), linkCutUntilMs(process)) + travel.message()

  const sendReply = (asker: Asker, reply: BusReply): void => {
    if (faults.strikes('answer-lost')) return
    const sent: BusReply = { ...reply, body: copyBytes(reply.body) }
    asker.answer(sent)
  }

  const queueOf = (partition: PartitionNumber): BusQueue => {
    const known = queues.get(partition)
    if (known !== undefined) return known
    const name = partitionName(partition)
    const made = createBusQueue({
      world,
      faults,
      random,
      name,
      linkCutUntilMs,
      sendReply,
      onDeadLetter: (entry, reason) => {
        const id = `dead-${++lettersMade}`
        const atMs = WORLD_EPOCH_MS + world.nowMs()
        world.trace.note(`dead letter of ${name}: ${reason}`)
        letters.set(id, { id, partition, reason, message: entry.message, atMs, entry })
      },
    })
    queues.set(partition, made)
    return made
  }

  const open = (process: Process): Bus => {
    const lanes = new Map<PartitionNumber, Lane>()
    const askers = new Set<(error: Error) => void>()
    const replies = `bus replies to ${process.name}`
    const times = `${process.name} stops waiting`
    const asks = `${process.name} asks the bus`
    let isClosed = false
    const consumers = createConsumers({ process, world, travel, random, queueOf })
    process.onKilled(() => void linkCuts.delete(process))

    const laneOf = (partition: PartitionNumber): Lane => {
      const known = lanes.get(partition)
      if (known !== undefined) return known
      const way = `${process.name} > ${partitionName(partition)}`
      const what = {
        command: `command ${way}`,
        effect: `effect ${way}`,
        confirmation: `confirmation ${way}`,
        read: `read ${way}`,
      }
      const made: Lane = { lastAtMs: 0, what }
      lanes.set(partition, made)
      return made
    }

    /** Puts a message on its way; `taken` hears when the broker has it, `failed` when it has not, or says so. */
    const dispatch = (
      partition: PartitionNumber,
      message: BusMessage,
      asker: Asker | null,
      taken: () => void,
      failed: (error: Error) => void,
    ): void => {
      process.pace.note()
      cutLink(process)
      const lane = laneOf(partition)
      const what = lane.what[message.type]
      const sentIn = epoch
      const isRefused = faults.strikes('send-refused')
      const isLost = isRefused && random.chance(50)
      const { deadlineMs } = message
      const expiresAtMs = deadlineMs === undefined ? Infinity : world.nowMs() + deadlineMs
      const atMs = Math.max(lane.lastAtMs, arrivalMs(process))
      lane.lastAtMs = atMs
      const arrive = (): void => {
        if (sentIn !== epoch) return failed(new PortError('unknown', 'the connection to the bus was lost'))
        const queue = queueOf(partition)
        if (queue.size() >= queueMax)
          return failed(new PortError('full', `partition ${partition} has ${queueMax} messages waiting`))
        if (!isLost) queue.push({ message, expiresAtMs, asker, attempt: 0, order: orders++ })
        if (isRefused) failed(new PortError(isLost ? 'unavailable' : 'unknown', 'the bus refused the message'))
        else taken()
      }
      world.schedule(atMs - world.nowMs(), what, arrive)
      if (!faults.strikes('message-twice') || isLost) return
      const again = (): void => {
        if (sentIn === epoch) queueOf(partition).push({ message, expiresAtMs, asker, attempt: 0, order: orders++ })
      }
      // In the old place (B2): what the sender says afterwards comes behind it.
      lane.lastAtMs = atMs + random.between(0, TWICE_MS_MAX)
      world.schedule(lane.lastAtMs - world.nowMs(), what, again)
    }

    const send: Bus['send'] = (partition, message) => {
      if (isClosed) return Promise.reject(closed())
      const sent = copyOf(message)
      return callOf(process, (resolve, reject) => {
        // An answer that is lost on its way shows as one that never came in time.
        const taken = (): void =>
          faults.strikes('answer-lost') ? reject(new PortError('timeout', 'the bus did not answer')) : resolve()
        dispatch(partition, sent, null, taken, reject)
      })
    }

    const request: Bus['request'] = (partition, message) => {
      if (isClosed) return Promise.reject(closed())
      const sent = copyOf(message)
      return callOf<BusReply>(process, (resolve, reject) => {
        const askedIn = epoch
        const finish = (): boolean => {
          deadline.cancel()
          return askers.delete(fail)
        }
        const fail = (error: Error): void => {
          if (finish()) reject(error)
        }
        const answer = (reply: BusReply): void => {
          world.schedule(arrivalMs(process) - world.nowMs(), replies, () => {
            process.pace.note()
            if (askedIn === epoch && finish()) resolve(reply)
          })
        }
        const deadline: Scheduled = world.schedule(message.deadlineMs, times, () =>
          fail(new PortError('timeout', `no reply within ${message.deadlineMs} ms`)),
        )
        askers.add(fail)
        dispatch(partition, sent, { answer }, () => undefined, fail)
      })
    }

    /** A call that the broker answers at once when it gets there. */
    const ask = <Value>(task: () => Value): Promise<Value> =>
      isClosed
        ? Promise.reject(closed())
        : callOf(process, (resolve) => {
            world.schedule(arrivalMs(process) - world.nowMs(), asks, () => resolve(task()))
          })

    const close = async (): Promise<void> => {
      if (isClosed) return
      isClosed = true
      consumers.close()
      for (const fail of [...askers]) fail(new PortError('closed', 'the bus was closed before the reply came'))
    }

    return {
      send,
      request,
      consume: consumers.consume,
      deadLetters: (limit) =>
        ask(() => [...letters.values()].slice(0, Math.max(0, limit)).map(({ entry: _, ...letter }) => letter)),
      deadLetterCount: () => ask(() => letters.size),
      resend: (id) =>
        ask(() => {
          const letter = letters.get(id)
          if (letter === undefined) return false
          letters.delete(id)
          queueOf(letter.partition).push({
            ...letter.entry,
            expiresAtMs: Infinity,
            asker: null,
            attempt: 0,
            order: orders++,
          })
          return true
        }),
      close,
    }
  }

  return {
    open,
    forget: () => {
      epoch += 1
      letters.clear()
      for (const queue of queues.values()) queue.forget()
    },
    waiting: () =>
      new Map(
        [...queues]
          .filter(([, queue]) => queue.size() > 0)
          .map(([partition, queue]) => [partitionName(partition), queue.size()]),
      ),
  }
}
