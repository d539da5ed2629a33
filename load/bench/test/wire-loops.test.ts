import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { HttpAnswer, HttpConnection } from '../src/rows/wire/support/http-client.ts'
import { closedLoop, openLoop, quantile, type Lane } from '../src/rows/wire/support/loops.ts'

const answer: HttpAnswer = { status: 200, body: Buffer.from('{}'), head: () => '' }

/** A lane to a server that answers after so long, one request at a time; `stallMs` holds the first answer up. */
const laneTo = (answerMs: number, stallMs = 0): Lane & { readonly sent: () => number } => {
  let sent = 0
  const connection: HttpConnection = {
    send: (_request, answered) => {
      sent += 1
      setTimeout(() => answered(answer), sent === 1 ? Math.max(answerMs, stallMs) : answerMs)
    },
    close: () => undefined,
  }
  return { connection, next: () => '', judge: () => undefined, sent: () => sent }
}

/** A loop to its end, on a clock that moves as the timers of the loop and its lanes ask for it. */
const ran = async <Value>(loop: Promise<Value>): Promise<Value> => {
  await jest.runAllTimersAsync()
  return loop
}

describe('the loops of the wire', () => {
  // A clock of the test's: how often a lane gets its turn within 300 ms is not the machine's to decide.
  beforeEach(() => void jest.useFakeTimers())
  afterEach(() => void jest.useRealTimers())

  test('a closed loop asks again when it has its answer, and counts answers per second', async () => {
    const lanes = [laneTo(10), laneTo(10)]
    expect(await ran(closedLoop(lanes, 300))).toBe(200)
    expect(lanes.map((lane) => lane.sent())).toEqual([30, 30])
  })

  test('an open loop counts from the moment a request was due: a stall shows in all that waited for it', async () => {
    const { latenciesMs } = await ran(openLoop([laneTo(1, 300)], 100, 500))
    // About thirty were due while the one lane was held up; a client that waits to ask would have seen one.
    expect(latenciesMs.filter((latencyMs) => latencyMs > 50).length).toBeGreaterThan(15)
    expect(quantile(latenciesMs, 0.99)).toBeGreaterThan(200)
  })

  test('an answer that is not the expected one ends the loop', async () => {
    const wrong: Lane = {
      ...laneTo(1),
      judge: () => {
        throw new Error('503')
      },
    }
    const [closed, open] = [closedLoop([wrong], 100), openLoop([wrong], 100, 100)]
    const ended = Promise.all([expect(closed).rejects.toThrow('503'), expect(open).rejects.toThrow('503')])
    await jest.runAllTimersAsync()
    await ended
  })
})
