import type { ConfirmChannel, Message } from 'amqplib'
import type { HeldPack } from './bus-line.ts'

/** Acknowledges the AMQP messages of one channel: all of a turn at once, and what is contiguous with one frame. */
export interface Acknowledger {
  received(pack: HeldPack): void
  /** All parts of this pack are dealt with. */
  finished(pack: HeldPack): void
  /** Writes what is due at once. */
  flush(): void
  /** The channel is gone or given up: what was not acknowledged returns to the queue. */
  forget(): readonly HeldPack[]
  held(): number
}

/** The driver wants the message; it reads the tag only. */
const messageOf = (tag: number): Message =>
  ({ fields: { deliveryTag: tag }, properties: {}, content: Buffer.alloc(0) }) as unknown as Message

/** Makes one for a fresh channel. `onAcknowledged` hears of each pack whose acknowledgement was written. */
export const createAcknowledger = (channel: ConfirmChannel, onAcknowledged: (pack: HeldPack) => void): Acknowledger => {
  /** In the order of their tags. */
  const unacknowledged = new Map<number, HeldPack>()
  let finished: HeldPack[] = []
  let isScheduled = false
  let isForgotten = false

  const acknowledge = (pack: HeldPack, multiple: boolean): void => {
    channel.ack(messageOf(pack.tag), multiple)
  }

  const flush = (): void => {
    isScheduled = false
    if (isForgotten || finished.length === 0) return
    let last: HeldPack | null = null
    for (const [tag, pack] of unacknowledged) {
      if (pack.left > 0) break
      last = pack
      unacknowledged.delete(tag)
    }
    try {
      if (last !== null) acknowledge(last, true)
      for (const pack of finished) if (unacknowledged.delete(pack.tag)) acknowledge(pack, false)
    } catch {
      // The channel is closing: its keeper says so next, and the broker delivers again what it did not hear of.
    }
    for (const pack of finished.splice(0)) onAcknowledged(pack)
  }

  return {
    received: (pack) => void unacknowledged.set(pack.tag, pack),
    finished: (pack) => {
      finished.push(pack)
      if (isScheduled || isForgotten) return
      isScheduled = true
      setImmediate(flush)
    },
    flush,
    forget: () => {
      isForgotten = true
      const left = [...unacknowledged.values()]
      unacknowledged.clear()
      finished = []
      return left
    },
    held: () => unacknowledged.size,
  }
}
