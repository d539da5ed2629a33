import { describe, expect, test } from '@jest/globals'
import { encodeAnswer } from '../src/codec/calls.ts'
import { encodeRedeliver } from '../src/codec/commands.ts'
import type { Reply } from '../src/codec/reply.ts'
import { REDELIVERY_MS } from '../src/machine/redelivery.ts'
import { REDELIVERIES_MAX, WINDOW_MS } from '../src/machine/state.ts'
import { bytes16, createWorld, demoRules, moveOf, tradeOf } from './world.ts'

/** A world whose bank has acknowledged `count` events. */
const worldOf = (count: number, crashing = true) => {
  const world = createWorld({ crashing })
  for (let index = 1; index <= count; index += 1) {
    world.move(moveOf({ idempotencyKey: `move-${index}` }))
    world.webhook(true)
  }
  const redeliver = (key: string, first: number, through = 0, hash = 'same'): Reply =>
    world.say(
      encodeRedeliver(
        { id: bytes16(key), requestHash: bytes16(hash) },
        { bank: 'demo', first: BigInt(first), through: BigInt(through) },
      ),
    )
  /** What is on its way again: the sequence, or null. */
  const sending = (): bigint | null => {
    const found = world.calls().find(({ call }) => call.kind === 'redeliver')
    return found?.call.kind === 'redeliver' ? found.call.sequence : null
  }
  const answer = (acknowledged: boolean): void => {
    const { number, call } = world.waiting('redeliver')
    if (call.kind !== 'redeliver') throw new Error('another kind of call')
    world.take(number)
    const { id, bank, sequence } = call
    world.say(encodeAnswer({ kind: 'redelivery', id, bank, sequence, acknowledged }))
  }
  return { world, redeliver, sending, answer }
}

describe('A redelivery', () => {
  test('sends acknowledged events again, one at a time and in order, over any restart.', () => {
    const { redeliver, sending, answer } = worldOf(5)
    expect(redeliver('again', 2, 4)).toMatchObject({ code: 'OK', recorded: true, eventSequence: 4n })
    for (const sequence of [2n, 3n, 4n]) {
      expect(sending()).toBe(sequence)
      answer(true)
    }
    expect(sending()).toBeNull()
  })

  test('without an end goes as far as the bank has acknowledged, and no further than a hundred.', () => {
    const { world, redeliver } = worldOf(102, false)
    world.move(moveOf({ idempotencyKey: 'waits' }))
    expect(redeliver('all', 1).eventSequence).toBe(100n)
    expect(redeliver('rest', 101).eventSequence).toBe(102n)
  })

  test('has a lane of its own: regular events go on while the bank does not take the old ones.', () => {
    const { world, redeliver, sending, answer } = worldOf(2)
    redeliver('again', 1)
    world.move(moveOf({ idempotencyKey: 'new-1' }))
    world.move(moveOf({ idempotencyKey: 'new-2' }))
    const regular = (): bigint => {
      const { call } = world.waiting('webhook')
      return call.kind === 'webhook' ? call.sequence : 0n
    }
    answer(false)
    expect([regular(), sending()]).toEqual([3n, 1n])
    world.webhook(true)
    expect([regular(), sending()]).toEqual([4n, 1n])
    answer(true)
    expect([regular(), sending()]).toEqual([4n, 2n])
  })

  test('is tried for ten minutes, then given up; the next one has its turn.', () => {
    const { world, redeliver, sending, answer } = worldOf(3)
    redeliver('first', 1)
    redeliver('second', 3)
    world.later(REDELIVERY_MS - 1n)
    answer(false)
    expect(sending()).toBe(1n)
    world.later(1n)
    answer(false)
    expect(sending()).toBe(3n)
    answer(true)
    expect(sending()).toBeNull()
  })

  test('has its first outcome under its key, whatever came since; another request or call is a conflict.', () => {
    const { world, redeliver, sending, answer } = worldOf(2)
    world.trade(tradeOf({ idempotencyKey: 'traded' }))
    expect(redeliver('key', 1).eventSequence).toBe(2n)
    answer(true)
    answer(true)
    world.move(moveOf({ idempotencyKey: 'new' }))
    world.webhook(true)
    expect(redeliver('key', 1)).toMatchObject({ recorded: true, eventSequence: 2n })
    expect(sending()).toBeNull()
    expect(redeliver('key', 1, 0, 'another').code).toBe('IDEMPOTENCY_CONFLICT')
    expect(redeliver('traded', 1).code).toBe('IDEMPOTENCY_CONFLICT')
    expect(world.trade(tradeOf({ idempotencyKey: 'key' })).code).toBe('IDEMPOTENCY_CONFLICT')
    expect(world.move(moveOf({ idempotencyKey: 'key' })).code).toBe('IDEMPOTENCY_CONFLICT')
  })

  test('of what is not there, not acknowledged, or too much is refused, and nothing is sent.', () => {
    const { world, redeliver, sending } = worldOf(2)
    world.move(moveOf({ idempotencyKey: 'waits' }))
    const codes = (first: number, through = 0) => redeliver(`${first}-${through}`, first, through).code
    expect([codes(4), codes(1, 4)]).toEqual(['NOT_FOUND', 'NOT_FOUND'])
    expect([codes(3), codes(1, 3), codes(0), codes(2, 1), codes(1, 101)]).toEqual(Array(5).fill('VALIDATION_ERROR'))
    world.configure(demoRules({ suspended: true }))
    expect(codes(1)).toBe('BANK_SUSPENDED')
    expect(sending()).toBeNull()
    // What was refused is free: the key may be used again.
    world.configure(demoRules())
    expect(redeliver('4-0', 1, 2).code).toBe('OK')
  })

  test('is forgotten ten minutes after it was taken on, and counts until then.', () => {
    const { world, redeliver, answer } = worldOf(1, false)
    for (let index = 0; index < REDELIVERIES_MAX; index += 1) {
      expect(redeliver(`key-${index}`, 1).code).toBe('OK')
      answer(true)
    }
    world.later(1_000n)
    const refused = redeliver('one more', 1)
    expect([refused.code, refused.retryAfterSeconds]).toEqual(['RATE_LIMITED', 600])
    world.later(WINDOW_MS - 1_000n)
    expect(redeliver('one more', 1).code).toBe('OK')
  })

  test('was no command under the rules of before, and leaves a state without one as it was.', () => {
    const { world } = worldOf(1)
    const before = world.machine().stateHash()
    const command = encodeRedeliver(
      { id: bytes16('old'), requestHash: bytes16('same') },
      { bank: 'demo', first: 1n, through: 0n },
    )
    const { outcomes, effects } = world.machine().apply([command], world.now(), 2)
    expect(effects).toEqual([])
    expect(outcomes[0]?.[4]).not.toBe(0)
    expect(world.machine().stateHash()).toBe(before)
    // Layout 1: what a release before this one wrote, and hashed.
    expect(new DataView(world.machine().snapshot().buffer).getUint32(4, true)).toBe(1)
  })
})
