import type { Delivery } from '../ports/bus.ts'
import { READ_HEADER_FLUSHED_TO, READ_HEADER_PARK_MS } from './client.ts'
import type { EffectSender } from './effect-sender.ts'
import { OVERLOADED, UNAVAILABLE } from './intake.ts'
import { NO_ID } from './command.ts'
import type { Applied, QueryAnswer } from './machine.ts'
import { decodeOutcomeHeader } from './outcome.ts'
import type { PartitionState } from './partition-state.ts'

/** Reads that may wait in one partition at a time, parked or for confirmations. */
export const PARKED_READS_MAX = 50_000
/** Longest a read may stay parked. */
export const PARK_MS_MAX = 60_000

interface ParkedRead {
  readonly delivery: Delivery
  readonly expiresAtMs: number
}

interface FlushWait {
  readonly delivery: Delivery
  readonly body: Uint8Array
  readonly sequence: bigint
  readonly receiver: number
  readonly number: bigint
  readonly expiresAtMs: number
}

/**
 * Strong reads of a partition. All are evaluated on journaled state only, after an append or head read that began after
 * they arrived: whoever calls with a state says that no append of it is in flight. A read is acknowledged before it
 * waits, so that reads never fill the window that the commands and confirmations they wait for need.
 */
export interface Reads {
  /**
   * Answers a read now, parks it for its id, or lets it wait until its effects are confirmed. `applied` is what the record
   * just appended gave: an id settled there is answered with its whole outcome, of which the machine may keep a part.
   */
  answer(delivery: Delivery, state: PartitionState, applied: readonly Applied[]): void
  /** Evaluates again what waits for one of the ids settled there. */
  wake(applied: readonly Applied[], state: PartitionState): void
  /** Answers what waited for confirmations. */
  confirmed(): void
  /** Ends what waited too long: parked reads get the pending answer. */
  expire(state: PartitionState): void
  /** Ends everything: this partition answers no more. */
  drop(): void
  waiting(): number
  /** What the machine threw on a question, once; until it is taken no read is answered, since the machine is worthless. */
  takeTrap(): Error | null
}

const numberHeader = (delivery: Delivery, name: string): number | undefined => {
  const text = delivery.message.headers?.[name]
  if (text === undefined) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** Looks up the outcomes of a record by id; nothing is collected before the first look. */
type OutcomeOf = (id: string) => Uint8Array | undefined

const NO_OUTCOME: OutcomeOf = () => undefined
const NO_KEY = '\0'.repeat(NO_ID.length)

const outcomesOf = (applied: readonly Applied[]): OutcomeOf => {
  if (applied.length === 0) return NO_OUTCOME
  let outcomes: Map<string, Uint8Array> | null = null
  return (id) => {
    if (outcomes === null) {
      outcomes = new Map()
      for (const one of applied) for (const outcome of one.outcomes) outcomes.set(idKeyOf(outcome), outcome)
    }
    return outcomes.get(id)
  }
}

const idKeyOf = (outcome: Uint8Array): string => keyOf(decodeOutcomeHeader(outcome).id)

/** Bytes of an outcome before its code: its size, in which a whole outcome and a kept part of it differ. */
const SIZE_BYTES = 4

/** The whole outcome when the machine's answer is its beginning, else the answer. */
const whole = (answer: Uint8Array, outcomeOf: OutcomeOf): Uint8Array => {
  const key = idKeyOf(answer)
  const outcome = key === NO_KEY ? undefined : outcomeOf(key)
  if (outcome === undefined || outcome.length <= answer.length) return answer
  const kept = outcome.subarray(SIZE_BYTES, answer.length)
  return Buffer.compare(kept, answer.subarray(SIZE_BYTES)) === 0 ? outcome : answer
}

const keyOf = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1')

/** Makes the reads of one partition. `nowMs` is monotonic. */
export const createReads = (deps: { readonly sender: EffectSender; readonly nowMs: () => number }): Reads => {
  const parked = new Map<string, ParkedRead[]>()
  let parkedCount = 0
  let flushWaits: FlushWait[] = []
  let trap: Error | null = null

  const waiting = (): number => parkedCount + flushWaits.length

  const respond = (delivery: Delivery, body: Uint8Array, sequence: bigint): void =>
    delivery.reply({ status: 'ok', sequence, body })

  const ask = (delivery: Delivery, state: PartitionState): QueryAnswer | null => {
    if (trap !== null) return null
    try {
      return state.machine.query(delivery.message.body)
    } catch (error) {
      trap = new Error('the machine threw on a question', { cause: error })
      return null
    }
  }

  const respondFlushed = (delivery: Delivery, body: Uint8Array, state: PartitionState): void => {
    const receiver = numberHeader(delivery, READ_HEADER_FLUSHED_TO)
    const number = receiver === undefined ? 0n : (state.numbers.get(receiver) ?? 0n)
    if (receiver === undefined || deps.sender.confirmedThrough(receiver) >= number) {
      respond(delivery, body, state.sequence)
      return
    }
    if (waiting() >= PARKED_READS_MAX) {
      delivery.reply(OVERLOADED)
      return
    }
    const expiresAtMs = deps.nowMs() + (delivery.message.deadlineMs ?? PARK_MS_MAX)
    flushWaits.push({ delivery, body, sequence: state.sequence, receiver, number, expiresAtMs })
  }

  const evaluate = (delivery: Delivery, state: PartitionState, parkUntilMs: number, outcomeOf: OutcomeOf): void => {
    const answer = ask(delivery, state)
    if (answer === null) {
      delivery.reply(UNAVAILABLE)
      return
    }
    if (
      !answer.pending ||
      answer.wakeId === undefined ||
      parkUntilMs <= deps.nowMs() ||
      waiting() >= PARKED_READS_MAX
    ) {
      respondFlushed(delivery, answer.pending ? answer.bytes : whole(answer.bytes, outcomeOf), state)
      return
    }
    const key = keyOf(answer.wakeId)
    const list = parked.get(key)
    const read = { delivery, expiresAtMs: parkUntilMs }
    if (list === undefined) parked.set(key, [read])
    else list.push(read)
    parkedCount += 1
  }

  return {
    answer: (delivery, state, applied) => {
      delivery.acknowledge()
      const parkMs = Math.min(numberHeader(delivery, READ_HEADER_PARK_MS) ?? 0, PARK_MS_MAX)
      evaluate(delivery, state, deps.nowMs() + parkMs, outcomesOf(applied))
    },
    wake: (applied, state) => {
      // Nobody waits, nearly always: then the ids are not even collected.
      if (parkedCount === 0) return
      const outcomeOf = outcomesOf(applied)
      for (const id of applied.flatMap(({ settledIds }) => settledIds)) {
        const key = keyOf(id)
        const list = parked.get(key)
        if (list === undefined) continue
        parked.delete(key)
        parkedCount -= list.length
        for (const read of list) evaluate(read.delivery, state, read.expiresAtMs, outcomeOf)
      }
    },
    confirmed: () => {
      if (flushWaits.length === 0) return
      const still: FlushWait[] = []
      for (const wait of flushWaits) {
        if (deps.sender.confirmedThrough(wait.receiver) >= wait.number) respond(wait.delivery, wait.body, wait.sequence)
        else still.push(wait)
      }
      flushWaits = still
    },
    expire: (state) => {
      const now = deps.nowMs()
      for (const [key, list] of parked) {
        const over = list.filter((read) => read.expiresAtMs <= now)
        if (over.length === 0) continue
        parkedCount -= over.length
        const rest = list.filter((read) => read.expiresAtMs > now)
        if (rest.length === 0) parked.delete(key)
        else parked.set(key, rest)
        for (const read of over) evaluate(read.delivery, state, 0, NO_OUTCOME)
      }
      const expired = flushWaits.filter((wait) => wait.expiresAtMs <= now)
      flushWaits = flushWaits.filter((wait) => wait.expiresAtMs > now)
      for (const wait of expired) wait.delivery.reply(UNAVAILABLE)
    },
    drop: () => {
      const all = [...[...parked.values()].flat(), ...flushWaits]
      parked.clear()
      parkedCount = 0
      flushWaits = []
      for (const { delivery } of all) delivery.reply(UNAVAILABLE)
    },
    waiting,
    takeTrap: () => {
      const taken = trap
      trap = null
      return taken
    },
  }
}
