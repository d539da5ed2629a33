import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { encodeCommand, isCommand, KIND_TIME } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { framed, fuzzed, mutationsOf, nearly, readOnce } from '@bourse/common/testkit/fuzz.ts'
import { currencyCode, currencyNumber } from '../../src/ledger/accounts.ts'
import { decodeInstruction, encodeLedgerCommand } from '../../src/ledger/codec.ts'
import type { Instruction } from '../../src/ledger/codec.ts'
import { LEDGER_BEHAVIOUR_VERSION } from '../../src/ledger/machine.ts'
import { decodeLedgerOutcome, decodeLedgerOutcomeCommand } from '../../src/ledger/outcomes.ts'
import {
  accountsQuestion,
  balancesQuestion,
  decodeAccounts,
  decodeBalances,
  decodeHolds,
} from '../../src/ledger/queries.ts'
import {
  decodeOutcomeOf,
  decodeSums,
  holdsQuestion,
  outcomeOfQuestion,
  sumsQuestion,
} from '../../src/ledger/queries.ts'
import { appliedText, MACHINES, NOW } from '../ledger-support.ts'
import { currencies, headers, ids, instructions, sensible, u32, u64 } from './arbitraries.ts'

const INVALID = refusalNumbers.INVALID_COMMAND

const isPosting = ({ kind }: Instruction): boolean => kind === 'POST' || kind === 'SETTLE' || kind === 'CORRECTION'

const commands = fc.oneof(
  fc.tuple(headers, instructions).map(([header, instruction]) => encodeLedgerCommand(header, instruction)),
  fc.tuple(headers, sensible).map(([header, instruction]) => encodeLedgerCommand(header, instruction)),
  fc
    .tuple(headers, fc.uint8Array({ maxLength: 40 }))
    .map(([header, body]) => encodeCommand({ ...header, kind: KIND_TIME }, body)),
)
const inputs = fc.oneof(commands, nearly(commands), mutationsOf(commands).map(framed))
const questions = fc.oneof(
  ids.map(balancesQuestion),
  fc.constant(sumsQuestion()),
  fc.tuple(u32, u32).map(([after, limit]) => holdsQuestion(after, limit)),
  fc.tuple(u32, u32).map(([after, limit]) => accountsQuestion(after, limit)),
  fc.tuple(ids, ids).map(([id, hash]) => outcomeOfQuestion(id, hash)),
)

const decodeCode = (answer: Uint8Array): number => answer[4]! | (answer[5]! << 8)

const pair = () => MACHINES.map(([, make]) => make({ accountsMax: 24, holdsMax: 6, idsMax: 20 }))

describe('the codec of instructions', () => {
  test('reads what it wrote; entries of nothing are left out', () => {
    fc.assert(
      fc.property(headers, instructions, (header, instruction) => {
        const { legs = [], slip, ...rest } = instruction
        const nothing = { transactionType: 0, holds: [], reference: new Uint8Array(16), memo: new Uint8Array(0) }
        const posted = isPosting(instruction) ? legs.filter(({ amount }) => amount !== 0n) : legs
        expect(decodeInstruction(encodeLedgerCommand(header, instruction))).toEqual({
          ...nothing,
          ...rest,
          legs: posted,
          slip: slip ?? null,
        })
      }),
      fuzzed(),
    )
  })

  test('refuses other bytes RangeError, and what it reads lies inside them', () => {
    fc.assert(
      fc.property(inputs, (bytes) => {
        const read = readOnce(() => decodeInstruction(bytes), [RangeError])
        if ('error' in read) return
        const { holds, legs, memo, slip } = read.value
        const parts = 32 + 24 * holds.length + 48 * legs.length + ((memo.length + 7) & ~7)
        expect(parts + (slip?.command.length ?? 0)).toBeLessThanOrEqual(bytes.length - 56)
      }),
      fuzzed(),
    )
  })

  test('keeps currencies', () => {
    fc.assert(
      fc.property(currencies, u64, (code, number) => {
        expect(currencyCode(currencyNumber(code))).toBe(code)
        const read = readOnce(() => currencyCode(number), [RangeError])
        if ('value' in read) expect(currencyNumber(read.value)).toBe(number)
      }),
      fuzzed(),
    )
  })
})

describe('what a ledger answers', () => {
  test('is read, and other bytes are refused RangeError or an error of the ledger, in bounded work', () => {
    const machine = pair()[0]!
    machine.apply(
      [
        encodeLedgerCommand(
          {},
          {
            kind: 'OPEN_ACCOUNT',
            transactionType: 1,
            legs: [{ owner: new Uint8Array(16).fill(1), currency: 'USDC', kind: 'customer', amount: 0n }],
          },
        ),
      ],
      NOW,
      1,
    )
    const answers = questions.map((question) => machine.query(question).bytes)
    const readers = [
      decodeBalances,
      decodeSums,
      decodeHolds,
      decodeAccounts,
      decodeOutcomeOf,
      decodeLedgerOutcome,
      decodeLedgerOutcomeCommand,
    ]
    fc.assert(
      fc.property(nearly(answers), fc.constantFrom<(bytes: Uint8Array) => unknown>(...readers), (bytes, read) => {
        const isRefusal = bytes.length >= 6 && decodeCode(bytes) !== 0
        readOnce(() => read(bytes), isRefusal ? [Error] : [RangeError])
      }),
      fuzzed(),
    )
  })
})

describe('the WASM ledger and its reference, told anything', () => {
  test('give one outcome each, the same, and INVALID_COMMAND leaves no trace', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(inputs, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        fc.nat(12),
        (batches, which) => {
          const [module, reference] = pair()
          for (const [index, batch] of batches.entries()) {
            const refused = which === index ? new Set([0]) : undefined
            const before = module!.stateHash()
            const found = module!.apply(batch, NOW + BigInt(index), LEDGER_BEHAVIOUR_VERSION, refused)
            expect(found.outcomes).toHaveLength(batch.length)
            expect(appliedText(found)).toEqual(
              appliedText(reference!.apply(batch, NOW + BigInt(index), LEDGER_BEHAVIOUR_VERSION, refused)),
            )
            expect(module!.stateHash()).toBe(reference!.stateHash())
            const codes = found.outcomes.map((outcome) => decodeOutcomeHeader(outcome).code)
            if (codes.every((code) => code === INVALID)) expect(module!.stateHash()).toBe(before)
            batch.forEach((bytes, at) => {
              if (!isCommand(bytes)) expect(codes[at]).toBe(INVALID)
            })
          }
          const sums = decodeSums(module!.query(sumsQuestion()).bytes)
          const totals = new Map<string, bigint>()
          for (const { currency, balance } of sums) totals.set(currency, (totals.get(currency) ?? 0n) + balance)
          expect([...totals.values()].every((total) => total === 0n)).toBe(true)
        },
      ),
      fuzzed(),
    )
  })

  test('give the same answers to anything they are asked, and no question leaves a trace', () => {
    const [module, reference] = pair()
    for (const machine of [module!, reference!]) {
      const batch = fc.sample(commands, { numRuns: 30, seed: 7 })
      machine.apply(batch, NOW, LEDGER_BEHAVIOUR_VERSION)
    }
    const before = module!.stateHash()
    fc.assert(
      fc.property(nearly(fc.oneof(questions, commands)), (bytes) => {
        for (const question of [bytes, framed(bytes)]) {
          expect(module!.query(question)).toEqual(reference!.query(question))
        }
      }),
      fuzzed(),
    )
    expect([module!.stateHash(), reference!.stateHash()]).toEqual([before, before])
  })

  test('refuse a changed snapshot with an error and stay as they were, or go on from it', () => {
    const [module] = pair()
    module!.apply(fc.sample(commands, { numRuns: 30, seed: 7 }), NOW, LEDGER_BEHAVIOUR_VERSION)
    const snapshot = module!.snapshot()
    fc.assert(
      fc.property(nearly(fc.constant(snapshot)), (bytes) => {
        const [fresh] = pair()
        const before = fresh!.stateHash()
        const read = readOnce(() => fresh!.restore(bytes), [Error])
        if ('error' in read) expect(fresh!.stateHash()).toBe(before)
        else fresh!.stateHash()
      }),
      fuzzed(0.5),
    )
  })
})
