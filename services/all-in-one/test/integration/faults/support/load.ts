import { codeOfOutcome, type PartitionClient } from '@bourse/common/kernel/client.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { decodeOpenKept, tradingKinds } from '@bourse/risk-rules/trading/codec.ts'
import { pause } from '../../../support/calls.ts'
import type { Operation, Operations } from './operations.ts'

/** How long a client waits for an answer before it says the same again, ms. */
export const DEADLINE_MS = 3_000
/** How long a read stays parked for its id, ms. */
const PARK_MS = 2_500
const AGAIN_MS = 50
/** Operations that may be unanswered at a time: then the clients wait. */
const UNANSWERED_MAX = 256

/** The answer to an operation: where it was ordered, and where it ended. */
export interface Answer {
  readonly first: Uint8Array
  readonly then: Uint8Array | null
}

/** An operation that was answered. */
export interface Answered extends Answer {
  readonly operation: Operation
  readonly tookMs: number
  /** Of the monotonic clock. */
  readonly answeredAtMs: number
  readonly attempts: number
}

/** One more operation of the load's kinds, drawn by chance. */
export interface Draw {
  next(): Operation
  /** Hears of every answer: what was opened can be closed. */
  heard(answered: Answered): void
}

/** While the machine does not know an id, it answers the question itself. */
const isPending = (answer: Uint8Array): boolean => {
  const { kind } = decodeOutcomeHeader(answer)
  return kind !== tradingKinds.open && kind !== tradingKinds.close && codeOfOutcome(answer) === 'NOT_FOUND'
}

/** Says it once, to one gateway; null when there was no answer that stays. */
export const attempt = async (gateway: PartitionClient, operation: Operation): Promise<Answer | null> => {
  const ordered = await gateway.command(operation.partition, operation.command, DEADLINE_MS).catch(() => null)
  if (ordered === null || !ordered.ok) return null
  const first = ordered.value.outcome
  const code = codeOfOutcome(first)
  if (code === 'UNAVAILABLE') return null
  if (code !== 'OK' || operation.follow === null) return { first, then: null }
  const { partition, question } = operation.follow
  const settled = await gateway
    .read(partition, question, { deadlineMs: DEADLINE_MS, parkMs: PARK_MS })
    .catch(() => null)
  if (settled === null || !settled.ok || isPending(settled.value.outcome)) return null
  return { first, then: settled.value.outcome }
}

/**
 * A careful client: says it with the same id until it is answered, to another gateway each time.
 * @throws {Error} when there is no answer by `endMs` of the monotonic clock
 */
export const insist = async (
  gateways: readonly PartitionClient[],
  operation: Operation,
  firstGateway: number,
  endMs: () => number,
): Promise<Answered> => {
  const startedMs = performance.now()
  for (let attempts = 1; ; attempts++) {
    const answer = await attempt(gateways[(firstGateway + attempts - 1) % gateways.length]!, operation)
    const answeredAtMs = performance.now()
    const tookMs = answeredAtMs - startedMs
    if (answer !== null) return { ...answer, operation, tookMs, answeredAtMs, attempts }
    if (answeredAtMs > endMs()) throw new Error(`no answer to a ${operation.kind} in ${Math.round(tookMs)} ms`)
    await pause(AGAIN_MS)
  }
}

/** Draws deposits, transfers within a partition and between two, openings, and closings of what was opened. */
export const createDraw = (random: SeededRandom, operations: Operations): Draw => {
  const open: { readonly owner: Uint8Array; readonly tradeNumber: bigint }[] = []
  const closing = (): Operation | null => {
    const [trade] = open.splice(Math.floor(random.between(0, Math.max(0, open.length - 1))), 1)
    return trade === undefined ? null : operations.close(trade.owner, trade.tradeNumber)
  }
  return {
    next: () => {
      const lot = random.between(1, 100)
      if (lot <= 20) return operations.deposit(random.pick(operations.savers))
      if (lot <= 50) return operations.transfer(random.pick(operations.savers), random.pick(operations.savers))
      return (lot <= 75 ? null : closing()) ?? operations.open(random.pick(operations.traders))
    },
    heard: ({ operation, then }) => {
      if (operation.kind !== 'open' || then === null || codeOfOutcome(then) !== 'OK') return
      open.push({ owner: operation.owner, tradeNumber: decodeOpenKept(then).tradeNumber })
    },
  }
}

/** A load under way. */
export interface Load {
  answered(): number
  /** Everything that was answered so far. */
  answers(): readonly Answered[]
  /**
   * Sends for at least another second, and at least `least` in all, and then no more; resolves when everything was answered,
   * or with what never was.
   */
  finish(
    least: number,
    patienceMs: number,
  ): Promise<{ readonly done: readonly Answered[]; readonly unanswered: number }>
  /** Ends it in the middle: nothing more is sent or said again. */
  abort(): Promise<void>
}

/** Starts a load of so many operations a second, spread over the gateways. */
export const startLoad = (gateways: readonly PartitionClient[], draw: Draw, perSecond: number): Load => {
  const done: Answered[] = []
  const underWay = new Set<Promise<void>>()
  let sent = 0
  let lost = 0
  let least = Infinity
  let endMs = Infinity

  const send = (): void => {
    const gateway = sent
    sent += 1
    const task: Promise<void> = insist(gateways, draw.next(), gateway, () => endMs)
      .then(
        (answered) => {
          done.push(answered)
          draw.heard(answered)
        },
        () => void (lost += 1),
      )
      .finally(() => underWay.delete(task))
    underWay.add(task)
  }
  const run = async (): Promise<void> => {
    const startedMs = performance.now()
    let missed = 0
    while (least === Infinity || sent < least) {
      const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1_000) - missed
      while (sent < due && underWay.size < UNANSWERED_MAX && (least === Infinity || sent < least)) send()
      // What the clients had to wait for is not made up for in one burst.
      missed += Math.max(0, due - sent)
      await pause(5)
    }
  }
  const running = run()
  const finish: Load['finish'] = async (wanted, patienceMs) => {
    least = Math.min(least, Math.max(wanted, sent + perSecond))
    await running
    endMs = performance.now() + patienceMs
    while (underWay.size > 0) await Promise.all(underWay)
    return { done, unanswered: lost }
  }
  return {
    answered: () => done.length,
    answers: () => done,
    finish,
    abort: async () => {
      least = sent
      await finish(0, 0)
    },
  }
}
