import { describe, expect, test } from '@jest/globals'
import { refuse } from '@bourse/common/errors/codes.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import type { Conversation } from '../src/client/conversation.ts'
import { orderAndWait } from '../src/client/orders.ts'
import { encodeTrade } from '../src/codec/commands.ts'
import { EMPTY_REPLY } from '../src/codec/reply.ts'
import { createMemoryViews } from './memory-views.ts'
import { BRIDGE, bytes16, createWorld, tradeOf } from './world.ts'

describe('an order whose answer was lost', () => {
  /** The partition has a transaction under the key; the order of `requestHash` is answered by nobody. */
  const orderAfterLoss = async (requestHash: Uint8Array) => {
    const world = createWorld()
    const first = { id: bytes16('key'), requestHash: bytes16('first request') }
    const reply = world.say(encodeTrade(first, tradeOf({ quoteName: 'q_00000000000000000000000000000000' })))
    const conversation: Conversation = {
      command: async () => refuse('UNAVAILABLE', 'no answer'),
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
