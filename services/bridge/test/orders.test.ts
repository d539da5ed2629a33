import { describe, expect, test } from '@jest/globals'
import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import type { Conversation } from '../src/client/conversation.ts'
import { orderAndWait, OUTCOME_WAIT_MS, VIEW_LAG_MS_MAX } from '../src/client/orders.ts'
import { encodeTrade } from '../src/codec/commands.ts'
import { EMPTY_REPLY, type Reply } from '../src/codec/reply.ts'
import { createMemoryViews } from './memory-views.ts'
import { BRIDGE, bytes16, createWorld, tradeOf } from './world.ts'

describe('an order whose answer was lost', () => {
  /** The partition has a transaction under the key; the order of `requestHash` is answered by nobody. */
  const orderAfterLoss = async (requestHash: Uint8Array) => {
    const world = createWorld()
    const first = { id: bytes16('key'), requestHash: bytes16('first request') }
    const reply = world.say(encodeTrade(first, tradeOf({ quoteName: 'q_00000000000000000000000000000000' })))
    const conversation: Conversation = {
      command: async () => ({ ...refuse('UNAVAILABLE', 'no answer'), isOpen: true }),
      ask: async () => ({ ok: true, value: { ...EMPTY_REPLY, transactions: reply.transactions } }),
    }
    const clock = createManualClock(1_000)
    const views = createMemoryViews()
    const identity = { id: first.id, requestHash, keyed: true }
    const order = { identity, bank: 'demo', partition: BRIDGE, command: encodeTrade(identity, tradeOf()) }
    return orderAndWait({ conversation, views, clock, viewFreshness: async () => clock.nowMs() }, order)
  }

  test('is told its own transaction’s end.', async () => {
    expect(await orderAfterLoss(bytes16('first request'))).toMatchObject({ ok: true, value: { kind: 'final' } })
  })

  test('is told of a conflict when another request has taken the key.', async () => {
    expect(await orderAfterLoss(bytes16('second request'))).toMatchObject({ refusal: { code: 'IDEMPOTENCY_CONFLICT' } })
  })
})

describe('an order that was refused on its way', () => {
  const key = bytes16('key')
  const identity = { id: key, requestHash: bytes16('request'), keyed: true }
  const order = { identity, bank: 'demo', partition: BRIDGE, command: encodeTrade(identity, tradeOf()) }
  const unavailable = refuse('UNAVAILABLE', 'on its way')
  const unheard = async (): Promise<Result<Reply>> => unavailable
  const absent = async (): Promise<Result<Reply>> => refuse('NOT_FOUND', 'there is no such transaction')
  const accepted = (): Result<Reply> => {
    const reply = createWorld().say(encodeTrade(identity, tradeOf({ quoteName: 'q_00000000000000000000000000000000' })))
    return ok({ ...EMPTY_REPLY, transactions: reply.transactions })
  }

  /** What a bank is told, and after how long, of an order whose command is refused and whose transaction is asked for. */
  const toldAfter = async (isOpen: boolean, ask: (elapsedMs: number) => Promise<Result<Reply>>) => {
    const clock = createManualClock(1_000)
    const startMs = clock.monotonicMs()
    const conversation: Conversation = {
      command: async () => ({ ...unavailable, isOpen }),
      ask: () => ask(clock.monotonicMs() - startMs),
    }
    const deps = { conversation, views: createMemoryViews(), clock, viewFreshness: async () => clock.nowMs() }
    let elapsedMs = 0
    const told = orderAndWait(deps, order).finally(() => {
      elapsedMs = clock.monotonicMs() - startMs
    })
    await clock.advance(2 * OUTCOME_WAIT_MS)
    return { told: await told, elapsedMs }
  }

  test('is unavailable at once when the partition turned it away, whether it can be asked or not', async () => {
    for (const ask of [unheard, absent]) {
      expect(await toldAfter(false, ask)).toMatchObject({ told: { refusal: { code: 'UNAVAILABLE' } }, elapsedMs: 0 })
    }
  })

  test('is pending, not refused, when it may have been accepted, though there is no such transaction yet', async () => {
    for (const ask of [unheard, absent]) {
      const { told, elapsedMs } = await toldAfter(true, ask)
      expect(told).toMatchObject({ ok: true, value: { kind: 'pending' } })
      expect(elapsedMs).toBe(OUTCOME_WAIT_MS)
    }
  })

  test('is told its end when it was taken up late', async () => {
    const late = async (elapsedMs: number): Promise<Result<Reply>> => (elapsedMs < 9_000 ? absent() : accepted())
    expect(await toldAfter(true, late)).toMatchObject({ told: { ok: true, value: { kind: 'final' } } })
  })

  test('is told its end when an earlier call under its key was accepted', async () => {
    const answer = await toldAfter(false, async () => accepted())
    expect(answer).toMatchObject({ told: { ok: true, value: { kind: 'final' } } })
  })
})

test('an order is not sent when the views were too old as they were read, though they have caught up since', async () => {
  const clock = createManualClock(10_000_000)
  const views = createMemoryViews()
  const identity = { id: bytes16('old key'), requestHash: bytes16('request'), keyed: true }
  const order = { identity, bank: 'demo', partition: BRIDGE, command: encodeTrade(identity, tradeOf()) }
  let asOfMs = clock.nowMs() - VIEW_LAG_MS_MAX - 1
  const sent: Uint8Array[] = []
  const conversation: Conversation = {
    command: async (_, command) => {
      sent.push(command)
      return { ...refuse('VALIDATION_ERROR', 'executed'), isOpen: false }
    },
    ask: async () => ({ ok: true, value: EMPTY_REPLY }),
  }
  const catchingUp: typeof views = {
    ...views,
    get: async (model, id) => {
      const found = await views.get(model, id)
      asOfMs = clock.nowMs()
      return found
    },
  }
  const answer = await orderAndWait(
    { conversation, views: catchingUp, clock, viewFreshness: async () => asOfMs },
    order,
  )
  expect(answer).toMatchObject({ refusal: { code: 'UNAVAILABLE' } })
  expect(sent).toEqual([])
  expect(await orderAndWait({ conversation, views, clock, viewFreshness: async () => asOfMs }, order)).toMatchObject({
    refusal: { message: 'executed' },
  })
})
