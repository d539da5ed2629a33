import type { BusMessage } from '../../ports/bus.ts'
import type { PortError } from '../../ports/failure.ts'
import { createPackWriter } from './pack-codec.ts'

/** Who hears what became of a message. Exactly one of the three ends it. */
export interface Settlement {
  /** The broker has it and answers for it. */
  done(): void
  failed(error: PortError): void
  /** Its time is up; when it was published it may arrive all the same. */
  expired(wasPublished: boolean): void
  /** It is on its way to the broker. */
  published(): void
}

interface Entry {
  readonly settlement: Settlement
  /** Monotonic ms. */
  readonly dueAtMs: number
  at: number
  readonly size: number
  isSettled: boolean
}

/** Messages to one partition that travel as one AMQP message. */
export interface Pack {
  hasRoomFor(message: BusMessage): boolean
  add(message: BusMessage, correlation: number, settlement: Settlement, dueAtMs: number): void
  /** Messages in it. */
  count(): number
  /** Bytes of its messages. */
  bytes(): number
  /** Whether somebody waits for a reply to one of them. */
  hasAsker(): boolean
  /** Headers of the message, when it is alone. */
  loneHeaders(): Readonly<Record<string, string>> | undefined
  /** The bytes to publish, always the same ones; nothing may be added any more. */
  seal(sentAtMs: number): Buffer
  /** Ends those whose time is up. What was not published is taken out of the pack. */
  expire(nowMs: number): number
  markPublished(): void
  done(): void
  failed(error: PortError): void
  /** Number at this publisher, given when it is published. */
  number: number
  publishedAtMs: number
  /** How often the broker had no queue for it. */
  returns: number
  isReturned: boolean
}

const FIRST_PART_AT = 16

/** Begins a pack of `countMax` messages at most. */
export const createPack = (countMax?: number): Pack => {
  const writer = createPackWriter(countMax)
  const headers: (Readonly<Record<string, string>> | undefined)[] = []
  let entries: Entry[] = []
  let dueAtMs = Infinity
  let hasAsker = false
  let sealed: Buffer | null = null
  let isPublished = false

  /** Takes the messages that nobody waits for any more out of the bytes. */
  const drop = (gone: readonly Entry[]): void => {
    writer.remove(gone)
    entries = entries.filter((entry) => !entry.isSettled)
    let at = FIRST_PART_AT
    for (const entry of entries) {
      entry.at = at
      at += entry.size
    }
    sealed = null
  }

  const pack: Pack = {
    number: 0,
    publishedAtMs: 0,
    returns: 0,
    isReturned: false,
    hasRoomFor: (message) => sealed === null && writer.hasRoomFor(message),
    add: (message, correlation, settlement, due) => {
      const { at, size } = writer.add(message, correlation)
      entries.push({ settlement, dueAtMs: due, at, size, isSettled: false })
      if (headers.length < 2) headers.push(message.headers)
      if (due < dueAtMs) dueAtMs = due
      if (correlation !== 0) hasAsker = true
    },
    count: () => entries.length,
    bytes: () => writer.bytes() - FIRST_PART_AT,
    hasAsker: () => hasAsker,
    loneHeaders: () => (headers.length === 1 ? headers[0] : undefined),
    seal: (sentAtMs) => (sealed ??= writer.seal(sentAtMs)),
    expire: (nowMs) => {
      if (nowMs < dueAtMs) return 0
      const gone = entries.filter((entry) => !entry.isSettled && entry.dueAtMs <= nowMs)
      for (const entry of gone) {
        entry.isSettled = true
        entry.settlement.expired(isPublished)
      }
      if (!isPublished) drop(gone)
      dueAtMs = entries.reduce((least, entry) => (entry.isSettled ? least : Math.min(least, entry.dueAtMs)), Infinity)
      return gone.length
    },
    markPublished: () => {
      isPublished = true
      for (const entry of entries) if (!entry.isSettled) entry.settlement.published()
    },
    done: () => {
      for (const entry of entries) if (!entry.isSettled) entry.settlement.done()
    },
    failed: (error) => {
      for (const entry of entries) if (!entry.isSettled) entry.settlement.failed(error)
    },
  }
  return pack
}
