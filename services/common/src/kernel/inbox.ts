import { commandOrigins, decodeHeader, isCommand, KIND_TIME, kindOf, originOf } from './command.ts'
import type { Delivery } from '../ports/bus.ts'
import type { TraceContext } from '../ports/tracing.ts'

/** Something waiting for its turn in a partition. */
export type InboxItem<Observation> =
  | {
      readonly kind: 'delivery'
      readonly delivery: Delivery
      readonly command: Uint8Array
      readonly expiresAtMs: number
      readonly resolved: boolean
      /** Monotonic ms. */
      readonly arrivedMs: number
    }
  | {
      readonly kind: 'internal'
      readonly command: Uint8Array
      /** The trace that the answered call belongs to. */
      readonly context: TraceContext | undefined
      /** Monotonic ms. */
      readonly arrivedMs: number
    }
  | { readonly kind: 'observation'; readonly observation: Observation }

/** Observations that may wait; beyond it the oldest is dropped and counted (a newer quote replaces it). */
export const OBSERVATIONS_WAITING_MAX = 10_000

/** The ordered inbox of a partition. Deliveries are bounded by the consumer's window. */
export interface Inbox<Observation> {
  push(item: InboxItem<Observation>): void
  /** Puts items back in front, in order. */
  unshift(items: readonly InboxItem<Observation>[]): void
  take(): InboxItem<Observation> | undefined
  readonly size: number
  readonly droppedObservations: number
  drain(): InboxItem<Observation>[]
}

/** Makes an inbox; `onPush` wakes the runner. A queue of two stacks, so that taking is cheap however long it is. */
export const createInbox = <Observation>(onPush: () => void): Inbox<Observation> => {
  let front: InboxItem<Observation>[] = []
  let back: InboxItem<Observation>[] = []
  let observations = 0
  let dropped = 0
  const take = (): InboxItem<Observation> | undefined => {
    if (front.length === 0) {
      front = back.reverse()
      back = []
    }
    const item = front.pop()
    if (item?.kind === 'observation') observations -= 1
    return item
  }
  const dropOldestObservation = (): void => {
    const all = [...front.reverse(), ...back]
    const index = all.findIndex((item) => item.kind === 'observation')
    all.splice(index, 1)
    front = []
    back = all
    observations -= 1
    dropped += 1
  }
  return {
    push: (item) => {
      if (item.kind === 'observation') {
        if (observations >= OBSERVATIONS_WAITING_MAX) dropOldestObservation()
        observations += 1
      }
      back.push(item)
      onPush()
    },
    unshift: (items) => {
      for (let index = items.length - 1; index >= 0; index--) {
        const item = items[index]!
        if (item.kind === 'observation') observations += 1
        front.push(item)
      }
    },
    take,
    get size() {
      return front.length + back.length
    },
    get droppedObservations() {
      return dropped
    },
    drain: () => {
      const all = [...front.reverse(), ...back]
      front = []
      back = []
      observations = 0
      return all
    },
  }
}

/** Why a message body can't be a command of its type, or null. Decided before anything is ordered. */
export const faultOfCommand = (delivery: Delivery): string | null => {
  const { type, body, sender, sequence } = delivery.message
  if (!isCommand(body)) return 'not a command: its header does not match its bytes'
  const origin = originOf(body)
  if (type === 'command' && origin !== commandOrigins.client) return `a client command of origin ${origin}`
  if (kindOf(body) === KIND_TIME) return "time is the runner's to order"
  if (type !== 'effect') return null
  const header = decodeHeader(body)
  const matches = origin === commandOrigins.partition && header.sender === sender && header.sequence === sequence
  return matches ? null : 'an effect whose header does not match its envelope'
}
