import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BinaryError, createBinaryReader, createBinaryWriter } from '@bourse/common/codec/binary.ts'
import { bodyOf, decodeHeader } from '@bourse/common/kernel/command.ts'
import { fuzzed, nearly, readOnce } from '@bourse/common/testkit/fuzz.ts'
import { readBankRules, writeBankRules } from '../../src/codec/bank-rules.ts'
import { decodeAnswer, decodeCall, encodeAnswer, encodeCall } from '../../src/codec/calls.ts'
import {
  decodeClientCommand,
  encodeCancelQuote,
  encodeConfig,
  encodeMove,
  encodeQuote,
  encodeRedeliver,
  encodeTrade,
} from '../../src/codec/commands.ts'
import { idOfName, quoteName, transactionName } from '../../src/codec/identifiers.ts'
import { decodeQuestion, encodeQuestion } from '../../src/codec/questions.ts'
import { decodeReply, encodeReply } from '../../src/codec/reply.ts'
import { decodeTransaction, encodeTransaction } from '../../src/codec/transaction.ts'
import {
  answers,
  bytes16,
  calls,
  cancel,
  move,
  questions,
  quote,
  redeliver,
  replies,
  rules,
  trade,
} from './arbitraries.ts'
import { transactions, u16 } from './arbitraries.ts'

const DOCUMENTED = [BinaryError, RangeError]
const identities = fc.record({ id: bytes16, requestHash: bytes16 })

const rulesBytes = (value: Parameters<typeof writeBankRules>[1]): Uint8Array => {
  const writer = createBinaryWriter()
  writeBankRules(writer, value)
  return writer.finish()
}

/** Each codec by name: arbitrary values, and both directions. */
const codecs: readonly (readonly [
  string,
  fc.Arbitrary<unknown>,
  (value: never) => Uint8Array,
  (bytes: Uint8Array) => unknown,
])[] = [
  ['rules of a bank', rules, rulesBytes, (bytes) => readBankRules(createBinaryReader(bytes))],
  ['a transaction', transactions, encodeTransaction, decodeTransaction],
  ['a call', calls, encodeCall, decodeCall],
  ['an answer', answers, encodeAnswer, (bytes) => decodeAnswer(decodeHeader(bytes).kind, bodyOf(bytes))],
  ['a question', questions, encodeQuestion, (bytes) => decodeQuestion(decodeHeader(bytes).kind, bodyOf(bytes))],
  ['a reply', replies, (value) => encodeReply({ kind: 2, id: new Uint8Array(16) }, value), decodeReply],
]

const commands = fc.oneof(
  rules.map((value) => ({ bytes: encodeConfig(value), is: { kind: 'config', rules: value } })),
  fc
    .tuple(identities, trade)
    .map(([who, value]) => ({ bytes: encodeTrade(who, value), is: { kind: 'trade', trade: value } })),
  fc
    .tuple(identities, move)
    .map(([who, value]) => ({ bytes: encodeMove(who, value), is: { kind: 'move', move: value } })),
  fc
    .tuple(bytes16, quote)
    .map(([id, value]) => ({ bytes: encodeQuote(id, value), is: { kind: 'quote', quote: value } })),
  cancel.map((value) => ({ bytes: encodeCancelQuote(value), is: { kind: 'cancelQuote', cancel: value } })),
  fc
    .tuple(identities, redeliver)
    .map(([who, value]) => ({ bytes: encodeRedeliver(who, value), is: { kind: 'redeliver', redeliver: value } })),
)

describe.each(codecs)('the codec of %s', (_name, values, encode, decode) => {
  test('reads what it wrote', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value as never))).toEqual(value)
      }),
      fuzzed(),
    )
  })

  test('refuses other bytes with its documented errors, in bounded work', () => {
    fc.assert(
      fc.property(nearly(values.map((value) => encode(value as never))), (bytes) => {
        readOnce(() => decode(bytes), [...DOCUMENTED])
      }),
      fuzzed(),
    )
  })
})

describe('the codec of client commands', () => {
  test('reads what it wrote', () => {
    fc.assert(
      fc.property(commands, ({ bytes, is }) => {
        expect(decodeClientCommand(decodeHeader(bytes).kind, bodyOf(bytes))).toEqual(is)
      }),
      fuzzed(),
    )
  })

  test('refuses other bytes with its documented errors, whatever their kind', () => {
    fc.assert(
      fc.property(nearly(commands.map(({ bytes }) => bodyOf(bytes))), fc.oneof(fc.nat(8), u16), (body, kind) => {
        readOnce(() => decodeClientCommand(kind, body), DOCUMENTED)
      }),
      fuzzed(),
    )
  })
})

describe('what is behind the last field', () => {
  test('is refused: no two bodies of a codec mean the same, padding of a command apart', () => {
    fc.assert(
      fc.property(
        answers,
        questions,
        calls,
        fc.uint8Array({ minLength: 8, maxLength: 24 }),
        (answer, question, call, more) => {
          for (const command of [encodeAnswer(answer), encodeQuestion(question)]) {
            const longer = Uint8Array.from([...bodyOf(command), ...more])
            const { kind } = decodeHeader(command)
            expect(() => (kind < 200 ? decodeAnswer(kind, longer) : decodeQuestion(kind, longer))).toThrow(BinaryError)
          }
          expect(() => decodeCall(Uint8Array.from([...encodeCall(call), ...more]))).toThrow(BinaryError)
        },
      ),
      fuzzed(),
    )
  })
})

describe('public ids', () => {
  test('are read as they were written, and nothing else is one', () => {
    fc.assert(
      fc.property(bytes16, fc.string({ unit: 'binary' }), (id, other) => {
        expect(idOfName('tx', transactionName(id))).toEqual(id)
        expect(idOfName('q', quoteName(id))).toEqual(id)
        expect(idOfName('q', transactionName(id))).toBeNull()
        const read = idOfName('q', other)
        if (read !== null) expect(quoteName(read)).toBe(other)
      }),
      fuzzed(),
    )
  })
})
