import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BinaryError } from '@bourse/common/codec/binary.ts'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { encodeCommand, isCommand, KIND_TIME, withSender } from '@bourse/common/kernel/command.ts'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import { decodeOutcomeHeader, encodeOutcome } from '@bourse/common/kernel/outcome.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { KIND_LEDGER_OUTCOME } from '@bourse/risk-rules/ledger/codec.ts'
import { framed, fuzzed, mutationsOf, nearly } from '@bourse/common/testkit/fuzz.ts'
import { decodeBacklog } from '../../src/codec/backlog.ts'
import { decodeDayUse } from '../../src/codec/day-use.ts'
import { encodeAnswer } from '../../src/codec/calls.ts'
import {
  encodeCancelQuote,
  encodeConfig,
  encodeMove,
  encodeQuote,
  encodeRedeliver,
  encodeTrade,
} from '../../src/codec/commands.ts'
import { encodeQuestion, questionKinds } from '../../src/codec/questions.ts'
import { decodeReply } from '../../src/codec/reply.ts'
import { BEHAVIOUR_VERSION, createBridgeMachine } from '../../src/machine/machine.ts'
import { bytes16, createWorld, demoRules, moveOf, ticker, tradeOf } from '../world.ts'
import {
  answers,
  bytes16 as anyId,
  cancel,
  i128,
  move,
  questions,
  quote,
  redeliver,
  rules,
  trade,
  u16,
} from './arbitraries.ts'

const LEDGER = partitionNumber('ledger', 0)
const INVALID = refusalNumbers.INVALID_COMMAND

/** The state in which everything is under way: trades at every step, a quote, events and reversals that wait. */
const busy = () => {
  const world = createWorld({ ledgerPartitions: 1 })
  world.move(moveOf())
  world.webhook(true)
  world.trade(tradeOf({ idempotencyKey: 'key-1', amount: parseAmount('10') }))
  world.trade(tradeOf({ idempotencyKey: 'key-2', amount: parseAmount('11') }))
  world.authorization('acknowledged')
  return world
}

const SNAPSHOT = busy().machine().snapshot()
const NOW = busy().now()
const knownIds = busy()
  .machine()
  .query(encodeQuestion({ kind: 'inFlight' }))
const known = decodeReply(knownIds.bytes).transactions

const restored = (): Machine => {
  const machine = createBridgeMachine({ ledgerPartitions: 1 })
  machine.restore(SNAPSHOT)
  return machine
}

const amounts = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, parseAmount('10'), parseAmount('99999999999'), 10n ** 20n - 1n, 10n ** 20n),
  i128,
)
const ids = fc.oneof(
  anyId,
  fc.constantFrom(bytes16('key-1'), bytes16('key-2'), bytes16('new'), new Uint8Array(16), ...known.map(({ id }) => id)),
)
const who = fc.record({ id: ids, requestHash: fc.oneof(fc.constant(bytes16('same')), anyId) })
const prices = fc.oneof(
  fc.constant(ticker('1.6847')),
  fc.record({ state: fc.constant('price' as const), price: amounts }),
)
const texts = fc.constantFrom('demo', '', 'user_123', 'AZN', 'USDT', 'key-1', 'x'.repeat(201), 'ü'.repeat(30_000), '\0')
const sides = fc.constantFrom<'BUY' | 'SELL'>('BUY', 'SELL')

/** Commands that nearly fit the state: their fields are those of the world, or edges. */
const aimed: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .tuple(who, prices, amounts, sides, texts, texts)
    .map(([identity, price, amount, side, key, name]) =>
      encodeTrade(
        identity,
        tradeOf({ ticker: price, amount, side, idempotencyKey: key.slice(0, 9_000), quoteName: name.slice(0, 9_000) }),
      ),
    ),
  fc
    .tuple(who, amounts, texts, texts)
    .map(([identity, amount, currency, reference]) =>
      encodeMove(
        identity,
        moveOf({ amount, currency: currency.slice(0, 9_000), reference: reference.slice(0, 9_000) }),
      ),
    ),
  fc.tuple(ids, prices, amounts, sides, texts).map(([id, price, amount, side, bankUserId]) =>
    encodeQuote(id, {
      ticker: price,
      bank: 'demo',
      bankUserId,
      side,
      amount,
      currency: side === 'BUY' ? 'AZN' : 'USDT',
    }),
  ),
  texts.map((quoteName) => encodeCancelQuote({ bank: 'demo', quoteName })),
  fc
    .tuple(who, fc.bigInt({ min: 0n, max: 3n }), fc.constantFrom(0n, 1n, 2n, 101n))
    .map(([identity, first, through]) => encodeRedeliver(identity, { bank: 'demo', first, through })),
  fc
    .record({ slippageBps: amounts, dailyAmount: amounts, dailyAmountPerCustomer: amounts })
    .map((change) => encodeConfig(demoRules(change))),
  fc
    .tuple(amounts, amounts, amounts)
    .map(([tickSize, lotSize, spreadBps]) =>
      encodeConfig(demoRules({ pairs: demoRules().pairs.map((pair) => ({ ...pair, tickSize, lotSize, spreadBps })) })),
    ),
  fc
    .tuple(fc.constantFrom(...known.map(({ id }) => id)), amounts, amounts)
    .map(([transactionId, executedPrice, executedQuantity]) =>
      encodeAnswer({ kind: 'order', transactionId, result: 'filled', executedPrice, executedQuantity }),
    ),
  fc.constant(encodeCommand({ kind: KIND_TIME, origin: 2 }, new Uint8Array(0))),
)
const any: fc.Arbitrary<Uint8Array> = fc.oneof(
  rules.map(encodeConfig),
  fc.tuple(who, trade).map(([identity, value]) => encodeTrade(identity, value)),
  fc.tuple(who, move).map(([identity, value]) => encodeMove(identity, value)),
  fc.tuple(anyId, quote).map(([id, value]) => encodeQuote(id, value)),
  cancel.map(encodeCancelQuote),
  fc.tuple(who, redeliver).map(([identity, value]) => encodeRedeliver(identity, value)),
  answers.map(encodeAnswer),
)
/** Outcomes of the ledger, most of them about nothing that waits, with any code and any body. */
const ledgerOutcomes = fc.tuple(ids, u16, fc.nat(8), fc.uint8Array({ maxLength: 80 })).map(([id, code, kind, body]) => {
  const outcome = encodeOutcome({ code: code % 120, kind, id }, body)
  return withSender(encodeCommand({ kind: KIND_LEDGER_OUTCOME, id }, outcome), LEDGER, 5n)
})

const commands = fc.oneof(aimed, any, ledgerOutcomes)
const inputs = fc.oneof(nearly(commands), mutationsOf(commands).map(framed), commands)

/** Applies to a machine in the busy state; what came out, and the state's hash before and after. */
const applied = (batch: readonly Uint8Array[], refused?: ReadonlySet<number>) => {
  const machine = restored()
  const before = machine.stateHash()
  const result = machine.apply(batch, NOW, BEHAVIOUR_VERSION, refused)
  return { machine, before, result, after: machine.stateHash() }
}

/** Reads an answer whole: those to `backlog` and `dayUse` have layouts of their own. */
const readAnswer = (answer: Uint8Array): unknown => {
  const { code, kind } = decodeOutcomeHeader(answer)
  if (kind === questionKinds.dayUse && code !== refusalNumbers.INVALID_COMMAND) return decodeDayUse(answer)
  return kind === questionKinds.backlog && code === refusalNumbers.OK ? decodeBacklog(answer) : decodeReply(answer)
}

describe('the bridge machine', () => {
  test('answers whatever it is told, and INVALID_COMMAND leaves no trace', () => {
    fc.assert(
      fc.property(inputs, (bytes) => {
        const { result, before, after } = applied([bytes])
        expect(result.outcomes).toHaveLength(1)
        const { code } = decodeOutcomeHeader(result.outcomes[0]!)
        if (!isCommand(bytes)) expect(code).toBe(INVALID)
        if (code === INVALID) expect([after, result.effects, result.settledIds]).toEqual([before, [], []])
        // What it answers, everybody who reads the journal can read.
        decodeReply(result.outcomes[0]!)
      }),
      fuzzed(2),
    )
  })

  test('goes on after any of it: the state can be saved, restored and told the same again with the same result', () => {
    fc.assert(
      fc.property(fc.array(inputs, { minLength: 1, maxLength: 5 }), fc.nat(4), (batch, which) => {
        const refused = which < batch.length ? new Set([which]) : undefined
        const first = applied(batch, refused)
        const again = applied(batch, refused)
        expect([again.result, again.after]).toEqual([first.result, first.after])
        const next = createBridgeMachine({ ledgerPartitions: 1 })
        next.restore(first.machine.snapshot())
        expect(next.stateHash()).toBe(first.after)
      }),
      fuzzed(),
    )
  })

  test('answers whatever it is asked, and no question leaves a trace', () => {
    const machine = restored()
    const before = machine.stateHash()
    fc.assert(
      fc.property(nearly(fc.oneof(questions.map(encodeQuestion), commands)), (bytes) => {
        for (const question of [bytes, framed(bytes)]) readAnswer(machine.query(question).bytes)
      }),
      fuzzed(),
    )
    expect(machine.stateHash()).toBe(before)
  })

  test('refuses a snapshot with any change, or restores one that can be saved again', () => {
    fc.assert(
      fc.property(nearly(fc.constant(SNAPSHOT)), (bytes) => {
        const machine = restored()
        const before = machine.stateHash()
        try {
          machine.restore(bytes)
        } catch (error) {
          expect(error instanceof BinaryError || error instanceof RangeError).toBe(true)
          expect(machine.stateHash()).toBe(before)
          return
        }
        machine.snapshot()
      }),
      fuzzed(),
    )
  })
})
