import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { bodyOf, decodeHeader, isCommand, NO_ID } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { framed, fuzzed, mutationsOf, nearly, readOnce } from '@bourse/common/testkit/fuzz.ts'
import {
  decodeClose,
  decodeCloseKept,
  decodeCloseOutcome,
  decodeFunding,
  decodeFundingOutcome,
  decodeMarketAnswer,
  decodeOpen,
  decodeOpenIdsAnswer,
  decodeOpenKept,
  decodeOpenOutcome,
  decodeSpec,
  decodeState,
  decodeTick,
  decodeTickOutcome,
  decodeTradeEvent,
  decodeTradesAnswer,
  decodeUpdate,
  decodeUpdateKept,
  decodeUpdateOutcome,
  encodeMarketQuery,
  encodeOpenIdsQuery,
  encodeOutcomeOf,
  encodeSpec,
  encodeTradeQuery,
  encodeTradesQuery,
  tradingKinds,
  tradingQueryKinds,
} from '../../src/trading/codec.ts'
import { decodeInstruction } from '../../src/ledger/codec.ts'
import { TRADING_BEHAVIOUR_VERSION } from '../../src/trading/machine.ts'
import { machines, open, spec, START, tick } from '../trading-kit.ts'
import { encodeClose, encodeOpen, encodeUpdate } from '../../src/trading/codec.ts'
import { closes, headers, ids, opens, specs, tradingCommands, u32, u64, updates } from './arbitraries.ts'

const INVALID = refusalNumbers.INVALID_COMMAND
const quote = { feedBid: 1n, feedAsk: 2n, quoteTime: 3n }
const inputs = fc.oneof(tradingCommands, nearly(tradingCommands), mutationsOf(tradingCommands).map(framed))
const questions = fc.oneof(
  fc.tuple(ids, u64, u32).map(([account, after, limit]) => encodeTradesQuery(account, after, limit)),
  fc.oneof(fc.bigInt({ min: 0n, max: 5n }), u64).map(encodeTradeQuery),
  fc.tuple(ids, ids).map(([id, hash]) => encodeOutcomeOf(id, hash)),
  fc.constant(encodeMarketQuery()),
  fc.tuple(u64, u32).map(([cursor, limit]) => encodeOpenIdsQuery(cursor, limit)),
)

const pair = (fields: Partial<typeof spec> = {}) => {
  const [reference, module] = machines.map(([, make]) => make({ tradesMax: 8, idsMax: 30 }))
  const begin = [
    encodeSpec({ ...spec, ...fields }),
    tick('60000'),
    open({ id: 'long', account: 'account 0', margin: '100', leverage: 10, price: '60000', stopLoss: '59000' }),
    open({ id: 'short', account: 'account 1', direction: 'SHORT', margin: '500', leverage: 20, price: '60000' }),
  ]
  for (const machine of [reference!, module!]) machine.apply(begin, START, TRADING_BEHAVIOUR_VERSION)
  return { reference: reference!, module: module! }
}

describe('the codec of trading commands', () => {
  test('reads what it wrote', () => {
    fc.assert(
      fc.property(opens, closes, updates, specs, headers, (opened, closed, updated, rules, header) => {
        expect(decodeOpen(encodeOpen({ ...opened, ...quote }, header))).toEqual({ ...opened, ...quote })
        expect(decodeClose(encodeClose({ ...closed, ...quote }, header))).toEqual({ ...closed, ...quote })
        expect(decodeUpdate(encodeUpdate({ ...updated, ...quote }, header))).toEqual({ ...updated, ...quote })
        expect(decodeSpec(encodeSpec(rules, header))).toEqual(rules)
      }),
      fuzzed(),
    )
  })

  test('refuses other bytes RangeError, commands, outcomes, answers and events alike, in bounded work', () => {
    const { module } = pair()
    const answers = questions.map((question) => module.query(question).bytes)
    const applied = fc.array(tradingCommands, { minLength: 1, maxLength: 1 }).map((batch) => {
      const { outcomes, effects } = pair().module.apply(batch, START, TRADING_BEHAVIOUR_VERSION)
      const memos = effects.map(({ bytes }) => decodeInstruction(bytes).memo)
      return memos[0] ?? outcomes[0]!
    })
    const readers = [
      decodeOpen,
      decodeClose,
      decodeSpec,
      decodeTick,
      decodeFunding,
      decodeState,
      decodeOpenOutcome,
      decodeOpenKept,
      decodeCloseOutcome,
    ]
    const others = [
      decodeCloseKept,
      decodeTickOutcome,
      decodeFundingOutcome,
      decodeTradesAnswer,
      decodeMarketAnswer,
      decodeOpenIdsAnswer,
      decodeTradeEvent,
      decodeUpdate,
      decodeUpdateOutcome,
      decodeUpdateKept,
    ]
    fc.assert(
      fc.property(nearly(fc.oneof(tradingCommands, answers, applied)), (bytes) => {
        for (const read of [...readers, ...others]) readOnce<unknown>(() => read(bytes), [RangeError])
      }),
      fuzzed(),
    )
  })

  test('refuses an answer that claims more records than it holds before it makes room for them', () => {
    const claiming = Uint8Array.from({ length: 40 }, (_, at) => ({ 0: 40, 6: 214, 27: 2 })[at] ?? 0)
    for (const read of [decodeOpenIdsAnswer, decodeTradesAnswer, decodeTickOutcome])
      expect(readOnce<unknown>(() => read(claiming), [RangeError])).toHaveProperty('error')
  })
})

const told = ({ outcomes, effects, settledIds }: ReturnType<ReturnType<typeof pair>['module']['apply']>): string =>
  [
    ...outcomes.map((bytes) => Buffer.from(bytes).toString('hex')),
    ...effects.map(
      ({ to, commandIndex, bytes }) => `${String(to)} ${commandIndex} ${Buffer.from(bytes).toString('hex')}`,
    ),
    ...settledIds.map((id) => Buffer.from(id).toString('hex')),
  ].join('\n')

/** Whether INVALID_COMMAND can be remembered: the bytes are of a kind's size and name an id. */
const hasId = (bytes: Uint8Array): boolean => isCommand(bytes) && Buffer.compare(decodeHeader(bytes).id, NO_ID) !== 0

/** OPEN_IDS has a cursor of each machine's own: only a first page is the same in both, but for the cursor. */
const idsOf = (answer: Uint8Array): unknown => {
  const { kind, code } = decodeOutcomeHeader(answer)
  if (kind !== tradingQueryKinds.openIds || code !== refusalNumbers.OK) return undefined
  return { kind, read: decodeOpenIdsAnswer(answer).items.length <= 2 }
}

describe('the WASM market and its reference, told anything', () => {
  test('give one outcome each, the same, and INVALID_COMMAND without an id leaves no trace', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(inputs, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        fc.nat(12),
        (batches, which) => {
          const { module, reference } = pair()
          for (const [index, batch] of batches.entries()) {
            const now = START + BigInt(index) * 1_000n
            const refused = which === index ? new Set([0]) : undefined
            const before = module.stateHash()
            const found = module.apply(batch, now, TRADING_BEHAVIOUR_VERSION, refused)
            expect(found.outcomes).toHaveLength(batch.length)
            expect(told(found)).toBe(told(reference.apply(batch, now, TRADING_BEHAVIOUR_VERSION, refused)))
            expect(module.stateHash()).toBe(reference.stateHash())
            expect(module.nextDeadline()).toBe(reference.nextDeadline())
            expect(module.continuation()).toEqual(reference.continuation())
            const codes = found.outcomes.map((outcome) => decodeOutcomeHeader(outcome).code)
            if (codes.every((code) => code === INVALID) && !batch.some(hasId)) expect(module.stateHash()).toBe(before)
            batch.forEach((bytes, at) => {
              if (!isCommand(bytes)) expect(codes[at]).toBe(INVALID)
            })
          }
        },
      ),
      fuzzed(),
    )
  })

  test('with any SPEC before it: no rules it takes make it trap', () => {
    const rules = fc.tuple(specs, fc.constantFrom(...(Object.keys(spec) as (keyof typeof spec)[])))
    fc.assert(
      fc.property(rules, fc.array(tradingCommands, { minLength: 1, maxLength: 6 }), ([other, field], batch) => {
        const { module, reference } = pair({ [field]: other[field] })
        expect(told(module.apply(batch, START, TRADING_BEHAVIOUR_VERSION))).toBe(
          told(reference.apply(batch, START, TRADING_BEHAVIOUR_VERSION)),
        )
        expect(module.stateHash()).toBe(reference.stateHash())
      }),
      fuzzed(),
    )
  })

  test('INVALID_COMMAND to a command of the wrong size is not remembered, whatever its id', () => {
    const { module } = pair()
    const sized = fc.tuple(headers, fc.constantFrom(...Object.values(tradingKinds)), fc.integer({ min: 1, max: 20 }))
    fc.assert(
      fc.property(sized, tradingCommands, ([header, kind, more], command) => {
        const longer = framed(Uint8Array.from([...command, ...new Uint8Array(8 * more).fill(1)]))
        longer.set(header.id, 8)
        new DataView(longer.buffer).setUint16(4, kind, true)
        if (bodyOf(longer).length < 200) return
        // Whatever was taken before, if chance made it a command.
        const before = module.stateHash()
        const { outcomes, effects } = module.apply([longer], START, TRADING_BEHAVIOUR_VERSION)
        const { code } = decodeOutcomeHeader(outcomes[0]!)
        if (code !== INVALID) return
        expect([effects, module.stateHash()]).toEqual([[], before])
      }),
      fuzzed(),
    )
  })

  test('give the same answers to anything they are asked, and no question leaves a trace', () => {
    const { module, reference } = pair()
    const before = module.stateHash()
    fc.assert(
      fc.property(nearly(fc.oneof(questions, tradingCommands)), (bytes) => {
        for (const question of [bytes, framed(bytes)]) {
          const [found, expected] = [module.query(question), reference.query(question)]
          expect(idsOf(found.bytes) ?? found).toEqual(idsOf(expected.bytes) ?? expected)
        }
      }),
      fuzzed(),
    )
    expect([module.stateHash(), reference.stateHash()]).toEqual([before, before])
  })

  test('refuse a changed snapshot with an error and stay as they were, or go on from it', () => {
    const { module } = pair()
    const snapshot = module.snapshot()
    fc.assert(
      fc.property(nearly(fc.constant(snapshot)), (bytes) => {
        const fresh = pair().module
        const before = fresh.stateHash()
        const read = readOnce(() => fresh.restore(bytes), [Error])
        if ('error' in read) expect(fresh.stateHash()).toBe(before)
        else fresh.stateHash()
      }),
      fuzzed(0.3),
    )
  })
})
