import type { BusMessage, BusReply } from '@bourse/common/ports/bus.ts'

/** Whoever waits for a reply: another process, behind the network. */
export interface Asker {
  readonly answer: (reply: BusReply) => void
}

/** A message in its queue. */
export interface Entry {
  readonly message: BusMessage
  /** World ms after which nobody waits for it. */
  readonly expiresAtMs: number
  readonly asker: Asker | null
  /** Deliveries so far. */
  attempt: number
  /** Place in the queue. */
  readonly order: number
}

/** The messages of one partition that wait for delivery: what was never delivered stands behind what came back. */
export interface Line {
  readonly size: number
  push(entry: Entry): void
  /** Puts entries back in their old places. */
  giveBack(entries: readonly Entry[]): void
  take(): Entry | undefined
  clear(): void
}

/** Taken entries at the front of the array before it is moved up. */
const COMPACT_AT = 256

/** Makes an empty line. */
export const createLine = (): Line => {
  let fresh: (Entry | undefined)[] = []
  let head = 0
  let returned: Entry[] = []
  return {
    get size() {
      return fresh.length - head + returned.length
    },
    push: (entry) => void fresh.push(entry),
    giveBack: (entries) => {
      if (entries.length > 0) returned = [...returned, ...entries].sort((a, b) => a.order - b.order)
    },
    take: () => {
      if (returned.length > 0) return returned.shift()
      const entry = fresh[head]
      if (entry === undefined) return undefined
      fresh[head++] = undefined
      if (head === fresh.length) {
        fresh = []
        head = 0
      } else if (head >= COMPACT_AT && head * 2 >= fresh.length) {
        fresh = fresh.slice(head)
        head = 0
      }
      return entry
    },
    clear: () => {
      fresh = []
      head = 0
      returned = []
    },
  }
}
