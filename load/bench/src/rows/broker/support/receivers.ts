import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Bus, Delivery } from '@bourse/common/ports/bus.ts'

const NOTHING = new Uint8Array(0)
const done = (): void => undefined

const confirmationOf = (sender: PartitionNumber, sequence: bigint): Delivery => ({
  message: { type: 'confirmation', sender, sequence, body: NOTHING },
  attempt: 1,
  acknowledge: done,
  requeue: done,
  deadLetter: done,
  reply: done,
})

/**
 * A bus of which one partition's effects do not travel: each receiver confirms in the next turn, as if it had journaled them.
 * Commands, replies and all the rest go through the real one.
 */
export const withPromptReceivers = (bus: Bus): Bus => {
  let take: (delivery: Delivery) => void = done
  let isScheduled = false
  const unconfirmed = new Map<PartitionNumber, bigint>()
  const confirmAll = (): void => {
    isScheduled = false
    const last = [...unconfirmed]
    unconfirmed.clear()
    for (const [receiver, sequence] of last) take(confirmationOf(receiver, sequence))
  }
  return {
    ...bus,
    send: async (partition, message) => {
      if (message.type !== 'effect') return bus.send(partition, message)
      unconfirmed.set(partition, message.sequence ?? 0n)
      if (isScheduled) return
      isScheduled = true
      setImmediate(confirmAll)
    },
    consume: (partition, handler, options) => {
      take = handler
      return bus.consume(partition, handler, options)
    },
  }
}
