import { describe, expect, test } from '@jest/globals'
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

describe('the loops of the wire', () => {
  test('a closed loop asks again when it has its answer, and counts answers per second', async () => {
    const lanes = [laneTo(10), laneTo(10)]
    const perSecond = await closedLoop(lanes, 300)
    expect(perSecond).toBeGreaterThan(60)
    expect(perSecond).toBeLessThanOrEqual(200)
  })

  test('an open loop counts from the moment a request was due: a stall shows in all that waited for it', async () => {
    const { latenciesMs } = await openLoop([laneTo(1, 300)], 100, 500)
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
    await expect(closedLoop([wrong], 100)).rejects.toThrow('503')
    await expect(openLoop([wrong], 100, 100)).rejects.toThrow('503')
  })
})
