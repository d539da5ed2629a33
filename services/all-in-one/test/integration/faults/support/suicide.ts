import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Bus } from '@bourse/common/ports/bus.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { KillOrder } from './settings.ts'

/** How long what was said to clients has to leave the process before it ends, ms. */
const ANSWERS_LEAVE_MS = 100

const die = (): void => void process.kill(process.pid, 'SIGKILL')
/** Ends the process soon; what waits for the promise waits for ever. */
const dieSoon = (): Promise<never> => {
  setTimeout(die, ANSWERS_LEAVE_MS)
  return new Promise(() => undefined)
}

/** Ports of a process that kills itself at a moment at which it hurts, once it is told to. */
export interface Suicidal {
  readonly bus: Bus
  readonly journal: Journal
  arm(order: KillOrder): void
}

/** Wraps the ports. */
export const createSuicidal = (bus: Bus, journal: Journal): Suicidal => {
  let order: KillOrder | null = null
  let seen = 0
  const isDue = (between: KillOrder['between'], partition: PartitionNumber): boolean => {
    if (order === null || order.between !== between || order.partition !== partition) return false
    seen += 1
    return seen >= order.nth
  }
  return {
    arm: (given) => {
      order = given
      seen = 0
    },
    journal: {
      ...journal,
      append: async (partition, record) => {
        // Whoever is told anything now is told what never was.
        if (isDue('decision-and-append', partition)) return dieSoon()
        const result = await journal.append(partition, record)
        // Durable, and this process can tell nobody any more.
        if (result === 'appended' && isDue('append-and-acknowledge', partition)) die()
        return result
      },
    },
    bus: {
      ...bus,
      send: (receiver, message) => {
        if (message.type !== 'effect' || !isDue('append-and-effects', message.sender ?? 0))
          return bus.send(receiver, message)
        // Neither this effect nor a later one leaves; what was said to clients does.
        return dieSoon()
      },
    },
  }
}
