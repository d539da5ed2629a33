import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { commandOrigins, encodeCommand, KIND_TIME, withSender } from '@bourse/common/kernel/command.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { encodeOutcome } from '@bourse/common/kernel/outcome.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { decodeInstruction, KIND_LEDGER_OUTCOME } from '@bourse/risk-rules/ledger/codec.ts'
import { presentTransaction } from '../src/client/present-transaction.ts'
import { encodeMove, encodeTrade, withTicker } from '../src/codec/commands.ts'
import { encodeQuestion } from '../src/codec/questions.ts'
import { decodeReply } from '../src/codec/reply.ts'
import { bytes16, createWorld, demoRules, moveOf, tradeOf, ticker, START } from './world.ts'

const LEDGER = partitionNumber('ledger', 0)
const time = (): Uint8Array => encodeCommand({ kind: KIND_TIME, origin: commandOrigins.runner }, new Uint8Array(0))

const funded = (): ReturnType<typeof createWorld> => {
  const world = createWorld({ ledgerPartitions: 1 })
  world.move(moveOf())
  world.webhook(true)
  return world
}

/** The ledger says no to the command that waits, before the real one hears of it. */
const refuseWaiting = (world: ReturnType<typeof createWorld>, code: number, id: Uint8Array): void => {
  const outcome = encodeOutcome({ code, kind: 1, id }, new Uint8Array(0))
  world.order(
    partitionNumber('bridge', 0),
    withSender(encodeCommand({ kind: KIND_LEDGER_OUTCOME, id }, outcome), LEDGER, 999n),
  )
}

describe('Commands', () => {
  test('that are none are INVALID_COMMAND, change nothing and never trap.', () => {
    const world = funded()
    const before = world.machine().stateHash()
    fc.assert(
      fc.property(fc.nat(240), fc.nat(3), fc.uint8Array({ maxLength: 200 }), (kind, origin, body) => {
        const command = encodeCommand({ kind, origin: origin as 0 | 1 | 2 | 3, id: bytes16('some') }, body)
        const applied = world.machine().apply([command, body], world.now(), 1)
        expect(applied.effects).toEqual([])
        expect(world.machine().query(command).pending).toBe(false)
        expect(world.machine().query(body).pending).toBe(false)
      }),
      { numRuns: 2_000 },
    )
    expect(world.machine().stateHash()).toBe(before)
  })

  test('of a client can’t pose as answers from outside or from the ledger.', () => {
    const world = funded()
    world.trade(tradeOf())
    const { id } = world.transaction('key-1')
    const posed = encodeCommand({ kind: 111, origin: commandOrigins.client }, new Uint8Array([...id, 0]))
    expect(world.say(posed).code).toBe('INVALID_COMMAND')
    expect(world.say(encodeCommand({ kind: KIND_LEDGER_OUTCOME, id }, new Uint8Array(24))).code).toBe('INVALID_COMMAND')
    expect(world.transaction('key-1').step).toBe(2)
  })

  test('that trapped twice are recorded ENGINE_FAULT under their id, and what is held is released.', () => {
    const world = funded()
    const trade = tradeOf({ idempotencyKey: 'trap' })
    const command = encodeTrade({ id: bytes16('trap'), requestHash: bytes16('same') }, trade)
    const move = encodeMove(
      { id: bytes16('trapped move'), requestHash: bytes16('same') },
      moveOf({ idempotencyKey: 'trapped move' }),
    )
    const applied = world.machine().apply([command, move], world.now(), 1, new Set([0, 1]))
    expect(applied.outcomes.map((outcome) => decodeReply(outcome).code)).toEqual(['ENGINE_FAULT', 'ENGINE_FAULT'])
    expect(world.trade(trade)).toMatchObject({ code: 'OK', recorded: true, transactions: [] })
    expect(presentTransaction(world.transaction('trap'))).toMatchObject({
      status: 'FAILED',
      errorCode: 'ENGINE_FAULT',
      entries: [],
    })
    world.trade(tradeOf())
    const call = world.waiting('authorize').call
    if (call.kind !== 'authorize') throw new Error('not an authorization')
    const answer = encodeCommand(
      { kind: 111, origin: commandOrigins.outside },
      new Uint8Array([...call.transactionId, 0]),
    )
    const faulted = world.machine().apply([answer], world.now(), 1, new Set([0]))
    const toLedger = faulted.effects.filter((effect) => typeof effect.to === 'number')
    expect(toLedger.map((effect) => decodeInstruction(effect.bytes).kind)).toEqual(['RELEASE'])
  })
})

describe('A ledger that refuses for reasons of its own', () => {
  test('is asked again after a pause with another id, and the deadline is the machine’s.', () => {
    const world = funded()
    world.trade(tradeOf())
    world.authorization('acknowledged')
    world.hold(true)
    world.fill('filled', '1.6847', '58.47')
    const [settle] = world.takeHeld()
    if (settle === undefined) throw new Error('nothing was sent')
    expect(world.machine().nextDeadline()).toBeNull()
    refuseWaiting(world, refusalNumbers.UNAVAILABLE, settle.slice(8, 24))
    expect(world.machine().nextDeadline()).toBe(START + 1_000n)
    world.crash()
    expect(world.machine().nextDeadline()).toBe(START + 1_000n)
    world.later(999n)
    world.say(time())
    expect(world.machine().nextDeadline()).toBe(START + 1_000n)
    world.later(1n)
    world.hold(false)
    world.say(time())
    expect(world.machine().nextDeadline()).toBeNull()
    const again = world.instructions.at(-2)
    if (again === undefined) throw new Error('nothing was sent again')
    expect(decodeInstruction(again)).toMatchObject({ kind: 'SETTLE', legs: decodeInstruction(settle).legs })
    expect(again.slice(8, 24)).not.toEqual(settle.slice(8, 24))
    expect(presentTransaction(world.transaction('key-1')).status).toBe('COMPLETED')
  })
})

describe('The ticker', () => {
  test('is asked for a new trade or quote of a known pair, and for nothing else.', () => {
    const world = funded()
    const symbolOf = (command: Uint8Array): string => world.ask({ kind: 'symbolToAsk', command }).message
    const identity = { id: bytes16('key-1'), requestHash: bytes16('same') }
    const bare = encodeTrade(identity, tradeOf({ ticker: { state: 'none', price: 0n } }))
    expect(symbolOf(bare)).toBe('AZNUSDT')
    expect(symbolOf(encodeTrade(identity, tradeOf({ currency: 'EUR' })))).toBe('')
    expect(symbolOf(encodeMove(identity, moveOf()))).toBe('')
    expect(withTicker(bare, ticker('1.6847'))).toEqual(encodeTrade(identity, tradeOf()))
    world.trade(tradeOf())
    expect(symbolOf(bare)).toBe('')
    world.configure(demoRules({ suspended: true }))
    expect(symbolOf(encodeTrade({ ...identity, id: bytes16('new') }, tradeOf()))).toBe('')
  })
})

describe('Questions', () => {
  test('about a transaction under way are pending with the command’s id, which its end settles.', () => {
    const world = funded()
    world.trade(tradeOf({ amount: parseAmount('10') }))
    const question = encodeQuestion({ kind: 'transactionByKey', bank: 'demo', idempotencyKey: 'KEY-1' })
    const asked = world.machine().query(question)
    expect(asked.pending).toBe(true)
    expect(asked.wakeId).toEqual(bytes16('key-1'))
    world.authorization('declined')
    expect(world.settled.at(-1)).toBe(Buffer.from(bytes16('key-1')).toString('hex'))
    expect(world.machine().query(question).pending).toBe(false)
    expect(world.ask({ kind: 'transactionByKey', bank: 'other', idempotencyKey: 'key-1' }).code).toBe('NOT_FOUND')
  })
})
