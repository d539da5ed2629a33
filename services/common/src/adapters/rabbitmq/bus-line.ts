import type { BusMessage } from '../../ports/bus.ts'

/** An AMQP message in a consumer's hands, until all of its parts are dealt with. */
export interface HeldPack {
  readonly tag: number
  readonly id: string
  readonly replyTo: string | undefined
  readonly count: number
  /** Parts that are not dealt with. */
  left: number
  /** Which parts are dealt with, by index; made with the first of them. */
  settled: Set<number> | null
}

/** One message of a pack. */
export interface Part {
  readonly pack: HeldPack
  readonly index: number
  readonly message: BusMessage
  readonly correlation: number
  /** Place among all that came to this consumer. */
  readonly order: number
  /** Deliveries so far, those of former consumers included. */
  attempt: number
  /** How often it was given back to this consumer. */
  givenBack: number
}

/** First in, first out; what was given back stands before all that was never delivered, in its old order. */
export interface Line {
  push(part: Part): void
  giveBack(part: Part): void
  peek(): Part | undefined
  take(): Part | undefined
  size(): number
  clear(): void
}

/** Parts taken from the front of the array before it is moved up. */
const COMPACT_AT = 4_096

/** Makes an empty line. */
export const createLine = (): Line => {
  let fresh: (Part | undefined)[] = []
  let head = 0
  let returned: Part[] = []
  return {
    push: (part) => void fresh.push(part),
    giveBack: (part) => {
      returned.push(part)
      returned.sort((one, other) => one.order - other.order)
    },
    peek: () => returned[0] ?? fresh[head],
    take: () => {
      if (returned.length > 0) return returned.shift()
      const part = fresh[head]
      if (part === undefined) return undefined
      fresh[head++] = undefined
      if (head === fresh.length) [fresh, head] = [[], 0]
      else if (head >= COMPACT_AT && head * 2 >= fresh.length) [fresh, head] = [fresh.slice(head), 0]
      return part
    },
    size: () => fresh.length - head + returned.length,
    clear: () => {
      ;[fresh, head, returned] = [[], 0, []]
    },
  }
}
