import { describe, expect, test } from '@jest/globals'
import { encodeCommand } from '../../src/kernel/command.ts'
import type { EffectSender } from '../../src/kernel/effect-sender.ts'
import type { Applied, Machine, QueryAnswer } from '../../src/kernel/machine.ts'
import { encodeOutcome, outcomeBodyOf } from '../../src/kernel/outcome.ts'
import { emptyState } from '../../src/kernel/partition-state.ts'
import { createReads } from '../../src/kernel/reads.ts'
import type { BusReply, Delivery } from '../../src/ports/bus.ts'

const ID = new Uint8Array(16).fill(7)
const KEPT = new Uint8Array(8).fill(1)
const WHOLE = Uint8Array.of(...KEPT, ...new Uint8Array(16).fill(2))

const outcome = (body: Uint8Array, code = 0, id = ID): Uint8Array => encodeOutcome({ code, kind: 2, id }, body)
const applied = (...outcomes: Uint8Array[]): Applied[] => [{ outcomes, effects: [], settledIds: [ID] }]

const setUp = (first: QueryAnswer) => {
  let answer = first
  const replies: BusReply[] = []
  const headers = { 'bourse-park-ms': '1000' }
  const delivery: Delivery = {
    message: { type: 'read', body: encodeCommand({ kind: 212 }, new Uint8Array(0)), headers },
    attempt: 1,
    acknowledge: () => undefined,
    requeue: () => undefined,
    deadLetter: () => undefined,
    reply: (reply) => replies.push(reply),
  }
  const machine = { query: () => answer, behaviourVersion: 1 } as unknown as Machine
  const reads = createReads({ sender: {} as EffectSender, nowMs: () => 0 })
  return {
    reads,
    delivery,
    state: emptyState(1 << 24, machine),
    know: (bytes: Uint8Array): void => void (answer = { bytes, pending: false }),
    bodies: () => replies.map(({ body }) => [...outcomeBodyOf(body)]),
  }
}

const unknown: QueryAnswer = { bytes: outcome(new Uint8Array(0), 4), pending: true, wakeId: ID }

describe('a read of an id', () => {
  test('that the record just appended settled gets the whole outcome, parked before or only arrived', () => {
    const { reads, delivery, state, know, bodies } = setUp(unknown)
    reads.answer(delivery, state, [])
    expect(bodies()).toEqual([])
    know(outcome(KEPT))
    reads.wake(applied(outcome(WHOLE)), state)
    reads.answer(delivery, state, applied(outcome(WHOLE)))
    expect(bodies()).toEqual([[...WHOLE], [...WHOLE]])
  })

  test('that was settled before gets what the machine keeps', () => {
    const { reads, delivery, state, know, bodies } = setUp(unknown)
    know(outcome(KEPT))
    reads.answer(delivery, state, [])
    reads.answer(delivery, state, applied(outcome(WHOLE, 0, new Uint8Array(16).fill(9))))
    expect(bodies()).toEqual([[...KEPT], [...KEPT]])
  })

  test('gets the machine’s own answer when the record’s outcome says anything else', () => {
    const { reads, delivery, state, know, bodies } = setUp(unknown)
    // Another request under the same id, judged by the machine: its conflict is not the record's outcome.
    know(outcome(KEPT, 8))
    reads.answer(delivery, state, applied(outcome(WHOLE)))
    know(outcome(KEPT))
    reads.answer(delivery, state, applied(outcome(Uint8Array.of(3, ...WHOLE.subarray(1)))))
    expect(bodies()).toEqual([[...KEPT], [...KEPT]])
  })
})
