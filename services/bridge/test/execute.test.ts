import pino from 'pino'
import { describe, expect, test } from '@jest/globals'
import { bodyOf, decodeHeader } from '@bourse/common/kernel/command.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { BankCallbacks } from '../src/adapters/bank-callbacks.ts'
import type { LiquidityProvider, OrderResult } from '../src/adapters/liquidity-provider.ts'
import { decodeAnswer, type BridgeAnswer, type OrderCall } from '../src/codec/calls.ts'
import { transactionName } from '../src/codec/identifiers.ts'
import { executeAuthorization, executeReversal, PATIENCE_MS } from '../src/host/execute-bank.ts'
import { CLOCK_SKEW_MS, executeOrder } from '../src/host/execute-order.ts'
import { bytes16 } from './world.ts'

const logger = pino({ level: 'silent' })

const START_MS = 1_000_000
const VALID_UNTIL_MS = START_MS + 5_000
const FILLED: OrderResult = { kind: 'filled', executedPrice: 170_000_000n, executedQuantity: 5_847_000_000n }

/** A clock whose sleeps take no time but move it. */
const jumpingClock = (
  startMs = START_MS,
): Clock & { readonly move: (ms: number) => void; readonly put: (ms: number) => void } => {
  let nowMs = startMs
  let offsetMs = 0
  return {
    nowMs: () => nowMs + offsetMs,
    monotonicMs: () => nowMs,
    sleep: async (delayMs, signal) => {
      signal?.throwIfAborted()
      nowMs += delayMs
    },
    every: () => {
      throw new Error('not used')
    },
    move: (ms) => {
      nowMs += ms
    },
    put: (ms) => {
      offsetMs += ms
    },
  }
}

const answerOf = (command: Uint8Array): BridgeAnswer => decodeAnswer(decodeHeader(command).kind, bodyOf(command))

const orderCall: OrderCall = {
  kind: 'order',
  transactionId: bytes16('tx'),
  symbol: 'AZNUSDT',
  side: 'BUY',
  quantity: '58.47',
  validUntil: BigInt(VALID_UNTIL_MS),
}

/** An exchange that says what it is told to, and notes when it was called. */
const scripted = (
  clock: Clock,
  script: { readonly place?: OrderResult; readonly ask: (atMs: number) => OrderResult },
) => {
  const calls: string[] = []
  const liquidity: LiquidityProvider = {
    ticker: async () => ({ kind: 'unavailable', reason: 'not asked' }),
    place: async (order) => {
      expect(order).toMatchObject({
        clientOrderId: transactionName(orderCall.transactionId),
        validUntilMs: VALID_UNTIL_MS,
      })
      calls.push('place')
      return script.place ?? { kind: 'unknown', reason: 'lost' }
    },
    ask: async (id) => {
      expect(id).toBe(transactionName(orderCall.transactionId))
      calls.push(`ask+${clock.nowMs() - START_MS}`)
      return script.ask(clock.nowMs())
    },
  }
  return { liquidity, calls }
}

const absent = (): OrderResult => ({ kind: 'absent' })
const run = async (
  clock: Clock,
  script: Parameters<typeof scripted>[1],
  maybeSent: boolean,
): Promise<{ readonly answer: BridgeAnswer; readonly calls: readonly string[] }> => {
  const { liquidity, calls } = scripted(clock, script)
  const command = await executeOrder({ liquidity, clock, logger }, orderCall, maybeSent, new AbortController().signal)
  return { answer: answerOf(command), calls }
}

describe('An order', () => {
  test('that is answered clearly is sent once and not asked for.', async () => {
    expect(await run(jumpingClock(), { place: FILLED, ask: absent }, false)).toEqual({
      answer: expect.objectContaining({
        result: 'filled',
        executedPrice: 170_000_000n,
        executedQuantity: 5_847_000_000n,
      }),
      calls: ['place'],
    })
    expect(
      (await run(jumpingClock(), { place: { kind: 'rejected', reason: 'no' }, ask: absent }, false)).answer,
    ).toMatchObject({ result: 'rejected' })
  })

  test('without an answer is asked for, and not there counts only after it can’t arrive any more.', async () => {
    const { answer, calls } = await run(jumpingClock(), { ask: absent }, false)
    expect(answer).toMatchObject({ result: 'absent' })
    expect(calls.filter((call) => call === 'place')).toHaveLength(1)
    expect(calls.at(-1)).toBe(`ask+${5_000 + CLOCK_SKEW_MS + 1}`)
  })

  test.each([false, true])(
    'is not given up because the wall clock was put forward: it may still arrive (sent by a former run: %s).',
    async (maybeSent) => {
      const clock = jumpingClock()
      const ask = (): OrderResult => {
        if (clock.monotonicMs() === START_MS) clock.put(3_600_000)
        return clock.monotonicMs() < START_MS + 3_000 ? absent() : FILLED
      }
      const { answer } = await run(clock, { ask }, maybeSent)
      expect(answer).toMatchObject({ result: 'filled' })
    },
  )

  test('that arrives late is found by the next question.', async () => {
    const { answer, calls } = await run(
      jumpingClock(),
      { ask: (atMs) => (atMs < START_MS + 2_000 ? absent() : FILLED) },
      false,
    )
    expect(answer).toMatchObject({ result: 'filled' })
    expect(calls.filter((call) => call === 'place')).toHaveLength(1)
  })

  test('whose fate the exchange does not tell stays unknown past validUntil, until it tells.', async () => {
    const untold = (atMs: number): OrderResult =>
      atMs < START_MS + 60_000 ? { kind: 'unknown', reason: '500' } : FILLED
    expect((await run(jumpingClock(), { ask: untold }, false)).answer).toMatchObject({ result: 'filled' })
  })

  test('that may have been sent before is asked for first and not sent when it is there.', async () => {
    expect((await run(jumpingClock(), { ask: () => FILLED }, true)).calls).toEqual(['ask+0'])
    expect((await run(jumpingClock(), { ask: () => ({ kind: 'rejected', reason: 'no' }) }, true)).answer).toMatchObject(
      { result: 'rejected' },
    )
  })

  test('that may have been sent and is not there is sent once while it is valid, and never later.', async () => {
    const early = await run(jumpingClock(), { place: FILLED, ask: absent }, true)
    expect(early.calls).toEqual(['ask+0', 'place'])
    const late = await run(jumpingClock(VALID_UNTIL_MS), { place: FILLED, ask: absent }, true)
    expect(late.calls).not.toContain('place')
    expect(late.answer).toMatchObject({ result: 'absent' })
  })

  test('that may have been sent while the exchange can’t be asked is not sent.', async () => {
    const untold = (atMs: number): OrderResult =>
      atMs < START_MS + 1_000 ? { kind: 'unknown', reason: '500' } : absent()
    const { calls, answer } = await run(jumpingClock(), { place: FILLED, ask: untold }, true)
    expect(calls).not.toContain('place')
    expect(answer).toMatchObject({ result: 'absent' })
  })

  test('that waited in line beyond validUntil is not sent at all.', async () => {
    expect(await run(jumpingClock(VALID_UNTIL_MS), { place: FILLED, ask: absent }, false)).toMatchObject({
      answer: { result: 'absent' },
      calls: [],
    })
  })
})

describe('Calls to a bank', () => {
  const target = { callbackUrl: 'http://bank', timeoutMs: 2_000 }
  type Word = 'acknowledged' | 'declined' | 'unreachable'
  const callbacks = (answers: readonly Word[]): BankCallbacks & { readonly asked: string[] } => {
    const asked: string[] = []
    return {
      asked,
      authorize: async (_, authorization) => answers[asked.push(authorization.transactionId) - 1] ?? 'unreachable',
      reverse: async () => answers[asked.push('reverse') - 1] === 'acknowledged',
      deliver: async () => false,
    }
  }
  const authorize = async (bank: BankCallbacks): Promise<BridgeAnswer> =>
    answerOf(
      await executeAuthorization(
        { callbacks: bank, clock: jumpingClock(), logger },
        {
          kind: 'authorize',
          transactionId: bytes16('tx'),
          ...target,
          retries: 3,
          bankUserId: 'u',
          type: 'BUY',
          amount: '1.00',
          currency: 'AZN',
        },
        new AbortController().signal,
      ),
    )

  test('are four attempts with retries 3, all with the same id, and the bank’s first word counts.', async () => {
    const down = callbacks([])
    expect(await authorize(down)).toMatchObject({ result: 'unreachable' })
    expect(down.asked).toEqual(Array(4).fill(transactionName(bytes16('tx'))))
    const late = callbacks(['unreachable', 'unreachable', 'unreachable', 'acknowledged'])
    expect(await authorize(late)).toMatchObject({ result: 'acknowledged' })
    const declined = callbacks(['declined', 'acknowledged'])
    expect(await authorize(declined)).toMatchObject({ result: 'declined' })
    expect(declined.asked).toHaveLength(1)
  })

  test('that must get through are repeated, and handed back to the machine when patience ends.', async () => {
    const call = { kind: 'reverse', transactionId: bytes16('tx'), bank: 'demo', ...target } as const
    const clock = jumpingClock()
    const { signal } = new AbortController()
    expect(answerOf(await executeReversal({ callbacks: callbacks([]), clock, logger }, call, signal))).toMatchObject({
      acknowledged: false,
    })
    expect(clock.nowMs() - START_MS).toBeGreaterThanOrEqual(PATIENCE_MS)
    const heard = await executeReversal(
      { callbacks: callbacks(['declined', 'unreachable', 'acknowledged']), clock, logger },
      call,
      signal,
    )
    expect(answerOf(heard)).toMatchObject({ acknowledged: true })
  })
})
