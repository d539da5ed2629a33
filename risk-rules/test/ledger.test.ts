import { describe, expect, test } from '@jest/globals'
import { bodyOf, decodeHeader, FLAG_WANTS_OUTCOME, KIND_TIME, encodeCommand } from '@bourse/common/kernel/command.ts'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { accountKinds, systemAccountKey } from '../src/ledger/accounts.ts'
import type { AccountKind } from '../src/ledger/accounts.ts'
import { decodeInstruction, encodeLedgerCommand, insuranceRefundInstruction } from '../src/ledger/codec.ts'
import { openAccountInstruction } from '../src/ledger/codec.ts'
import type { Instruction, Leg } from '../src/ledger/codec.ts'
import type { LedgerCapacities } from '../src/ledger/machine.ts'
import { decodeLedgerOutcome, decodeLedgerOutcomeCommand } from '../src/ledger/outcomes.ts'
import {
  accountsQuestion,
  balancesQuestion,
  decodeAccounts,
  decodeBalances,
  decodeHolds,
} from '../src/ledger/queries.ts'
import { decodeOutcomeOf, decodeSums, holdsQuestion, outcomeOfQuestion, sumsQuestion } from '../src/ledger/queries.ts'
import { alice, bob, bytes16, customer, deposit, hex, MACHINES, NOW, someSlip, system, told } from './ledger-support.ts'

const usd = parseAmount
const LOWEST = -(2n ** 127n)
const LARGEST = 10n ** 20n - 1n
const tradeId = bytes16(5, 0x7d)

describe.each(MACHINES)('The ledger (%s)', (_name, create: (capacities?: Partial<LedgerCapacities>) => Machine) => {
  const start = (capacities?: Partial<LedgerCapacities>) => told(create(capacities))

  describe('posts', () => {
    test('a deposit: the customer has it, the bank owes it, both balances are answered in order', () => {
      const { tell, money } = start()
      const outcome = tell(deposit(alice, usd('100')))
      expect(outcome).toMatchObject({
        code: 'OK',
        transactionNumber: 1n,
        balancesAfter: [usd('100'), usd('-100')],
        paid: null,
      })
      expect(money(alice)).toEqual({ balance: usd('100'), locked: 0n, version: 1n })
    })

    test('four legs in two currencies, and numbers transactions from one', () => {
      const { tell, money } = start()
      tell(deposit(alice, usd('100')))
      const buy: Instruction = {
        kind: 'POST',
        legs: [
          customer(alice, usd('-100')),
          system('omnibus', usd('100'), 'ABB'),
          system('exchange', usd('-0.5'), '', 'BTC'),
          customer(alice, usd('0.5'), 'BTC'),
        ],
      }
      expect(tell(buy)).toMatchObject({
        transactionNumber: 2n,
        balancesAfter: [0n, usd('100'), usd('-0.5'), usd('0.5')],
      })
      expect(money(alice, 'BTC')).toEqual({ balance: usd('0.5'), locked: 0n, version: 1n })
    })

    test('all a customer has, but not a unit more', () => {
      const { tell, money } = start()
      tell(deposit(alice, 500n))
      const pay = (amount: bigint): Instruction => ({
        kind: 'POST',
        legs: [customer(alice, -amount), customer(bob, amount)],
      })
      expect(tell(pay(501n)).code).toBe('INSUFFICIENT_FUNDS')
      expect(money(bob)).toBeUndefined()
      expect(tell(pay(500n))).toMatchObject({ code: 'OK', balancesAfter: [0n, 500n] })
    })

    test('several legs on one account, each with the balance after it', () => {
      const { tell, money } = start()
      const legs = [10n, -4n, 1n].map((amount) => customer(alice, amount))
      legs.push(system('fees', 4n), system('bank', -11n, 'ABB'))
      expect(tell({ kind: 'POST', legs }).balancesAfter).toEqual([10n, 6n, 7n, 4n, -11n])
      expect(money(alice)).toEqual({ balance: 7n, locked: 0n, version: 1n })
    })

    test('no leg that leaves an account where it may not be, even for a moment', () => {
      const { tell, machine } = start()
      tell(deposit(alice, 5n))
      const before = machine.stateHash()
      const legs = [customer(alice, -6n), customer(alice, 6n)]
      expect(tell({ kind: 'POST', legs }).code).toBe('INSUFFICIENT_FUNDS')
      expect(machine.stateHash()).toBe(before)
    })

    test.each<[string, Leg[]]>([
      ['one unit too many', [customer(alice, 2n), system('bank', -1n, 'ABB')]],
      ['zero in all but not in each currency', [customer(alice, 1n), system('bank', -1n, 'ABB', 'BTC')]],
      ['one leg alone', [customer(alice, 1n)]],
    ])('nothing that is not zero-sum: %s', (_what, legs) => {
      expect(start().tell({ kind: 'POST', legs }).code).toBe('NOT_ZERO_SUM')
    })

    test('balances up to twenty digits and not beyond, on either side', () => {
      const { tell } = start()
      expect(tell(deposit(alice, LARGEST)).code).toBe('OK')
      expect(tell(deposit(alice, 1n)).code).toBe('AMOUNT_OVERFLOW')
      const more = [customer(bob, 1n), system('bank', -1n, 'ABB')]
      expect(tell({ kind: 'POST', legs: more }).code).toBe('AMOUNT_OVERFLOW')
      expect(tell(deposit(bob, LARGEST + 1n)).code).toBe('AMOUNT_OVERFLOW')
      expect(tell({ kind: 'POST', legs: [customer(bob, 1n), system('bank', -1n, 'OTHER')] }).code).toBe('OK')
    })

    test('nothing from a customer it does not know', () => {
      const legs = [customer(alice, -1n), system('fees', 1n)]
      expect(start().tell({ kind: 'POST', legs }).code).toBe('ACCOUNT_NOT_FOUND')
    })

    test.each(Object.entries(accountKinds))(
      'below zero as the chart of accounts says: %s',
      (name, { mayGoBelowZero }) => {
        const kind = name as AccountKind
        const of = kind === 'customer' || !accountKinds[kind].ownerName.includes('{}') ? '' : 'ABB'
        const leg = kind === 'customer' ? customer(alice, -1n) : system(kind, -1n, of)
        const { tell } = start()
        tell({ kind: 'POST', legs: [{ ...leg, amount: 1n }, system('bank', -1n, 'X')] })
        const drain: Instruction = { kind: 'POST', legs: [leg, system('bank', 1n, 'X')] }
        expect(tell(drain).code).toBe('OK')
        expect(tell(drain).code).toBe(mayGoBelowZero ? 'OK' : 'INSUFFICIENT_FUNDS')
      },
    )

    test('a correction as a transaction of its own that names the one it corrects', () => {
      const { tell, money } = start()
      tell(deposit(alice, usd('10')))
      const back = [customer(alice, usd('-10')), system('bank', usd('10'), 'ABB')]
      const correction: Instruction = { kind: 'CORRECTION', transactionType: 15, reference: bytes16(1), legs: back }
      expect(tell(correction)).toMatchObject({ transactionNumber: 2n })
      expect(money(alice)?.balance).toBe(0n)
    })
  })

  describe('holds', () => {
    const id = bytes16(9, 0x0d)
    const other = bytes16(10, 0x0d)
    const lock = (...amounts: bigint[]): Instruction => ({
      kind: 'HOLD',
      legs: amounts.map((amount) => customer(alice, amount)),
    })

    test('margin and fee as two holds of one command, without an entry', () => {
      const { tell, money, machine } = start()
      tell(deposit(alice, 100n))
      expect(tell(lock(60n, 40n), { id })).toMatchObject({ code: 'OK', transactionNumber: null, balancesAfter: [] })
      expect(money(alice)).toEqual({ balance: 100n, locked: 100n, version: 2n })
      const holds = decodeHolds(machine.query(holdsQuestion(0, 10)).bytes)
      expect(holds.map((hold) => [hex(hold.id), hold.index, hold.amount, hold.currency])).toEqual([
        [hex(id), 0, 60n, 'USDC'],
        [hex(id), 1, 40n, 'USDC'],
      ])
    })

    test('all or none: a unit more than there is in two legs locks nothing', () => {
      const { tell, money } = start()
      tell(deposit(alice, 100n))
      expect(tell(lock(60n, 41n), { id }).code).toBe('INSUFFICIENT_FUNDS')
      expect(money(alice)).toEqual({ balance: 100n, locked: 0n, version: 1n })
    })

    test('money that is locked pays nothing', () => {
      const { tell } = start()
      tell(deposit(alice, 100n))
      tell(lock(60n), { id })
      const pay = (amount: bigint): Instruction => ({
        kind: 'POST',
        legs: [customer(alice, -amount), system('fees', amount)],
      })
      expect(tell(pay(41n)).code).toBe('INSUFFICIENT_FUNDS')
      expect(tell(pay(40n)).code).toBe('OK')
    })

    test('a settled hold is unlocked wholly and what it pays is posted; the rest is available', () => {
      const { tell, money } = start()
      tell(deposit(alice, 100n))
      tell(lock(60n, 40n), { id })
      const settle: Instruction = {
        kind: 'SETTLE',
        transactionType: 2,
        holds: [{ id, index: 1 }],
        legs: [customer(alice, -7n), system('fees', 7n)],
      }
      expect(tell(settle)).toMatchObject({ code: 'OK', transactionNumber: 2n, balancesAfter: [93n, 7n] })
      expect(money(alice)).toEqual({ balance: 93n, locked: 60n, version: 3n })
    })

    test('a settlement may pay from what it unlocks but not from another hold', () => {
      const { tell, money } = start()
      tell(deposit(alice, 100n))
      tell(lock(60n, 40n), { id })
      const settle = (amount: bigint): Instruction => ({
        kind: 'SETTLE',
        holds: [{ id, index: 1 }],
        legs: [customer(alice, -amount), system('house', amount, 'BTC_USDC')],
      })
      expect(tell(settle(41n)).code).toBe('INSUFFICIENT_FUNDS')
      expect(money(alice)).toEqual({ balance: 100n, locked: 100n, version: 2n })
      expect(tell(settle(40n)).code).toBe('OK')
    })

    test('a hold closes once: again, unknown or one of several closed changes nothing', () => {
      const { tell, machine } = start()
      tell(deposit(alice, 100n))
      tell(lock(60n, 40n), { id })
      const release = (...holds: { id: Uint8Array; index: number }[]): Instruction => ({ kind: 'RELEASE', holds })
      expect(tell(release({ id, index: 0 })).code).toBe('OK')
      const before = machine.stateHash()
      expect(tell(release({ id, index: 0 })).code).toBe('HOLD_CLOSED')
      expect(tell(release({ id, index: 1 }, { id, index: 0 })).code).toBe('HOLD_CLOSED')
      expect(tell(release({ id: other, index: 0 })).code).toBe('HOLD_CLOSED')
      expect(machine.stateHash()).toBe(before)
    })

    test('a hold of nothing is a hold, so that a market without a fee needs no other flow', () => {
      const { tell, money } = start()
      tell(deposit(alice, 100n))
      expect(tell(lock(60n, 0n), { id }).code).toBe('OK')
      expect(tell({ kind: 'SETTLE', holds: [{ id, index: 1 }], legs: [] })).toMatchObject({
        code: 'OK',
        transactionNumber: null,
      })
      expect(tell({ kind: 'RELEASE', holds: [{ id, index: 1 }] }).code).toBe('HOLD_CLOSED')
      expect(money(alice)?.locked).toBe(60n)
    })

    test('an id whose hold is open holds nothing again once forgotten, but may be asked again when the hold is closed', () => {
      const { tell, money, pass } = start()
      tell(deposit(alice, 100n))
      tell(lock(60n, 1n), { id })
      tell({ kind: 'RELEASE', holds: [{ id, index: 0 }] })
      pass(600_001n)
      expect(tell(lock(10n, 1n), { id }).code).toBe('UNAVAILABLE')
      expect(money(alice)?.locked).toBe(1n)
      expect(tell({ kind: 'RELEASE', holds: [{ id, index: 1 }] }).code).toBe('OK')
      expect(tell(lock(10n, 1n), { id }).code).toBe('OK')
      expect(money(alice)?.locked).toBe(11n)
    })

    test('the first behaviour called that a conflict and remembered it', () => {
      const { tell, pass } = told(create(), 1)
      tell(deposit(alice, 100n))
      tell(lock(60n), { id })
      pass(600_001n)
      expect(tell(lock(60n), { id }).code).toBe('IDEMPOTENCY_CONFLICT')
      tell({ kind: 'RELEASE', holds: [{ id, index: 0 }] })
      expect(tell(lock(60n), { id }).code).toBe('IDEMPOTENCY_CONFLICT')
    })

    test('holds for a stranger, and more holds than there is room for, are refused', () => {
      const { tell, money } = start({ holdsMax: 3 })
      expect(tell(lock(1n), { id }).code).toBe('ACCOUNT_NOT_FOUND')
      tell(deposit(alice, 100n))
      expect(tell(lock(1n, 1n), { id: bytes16(20) }).code).toBe('OK')
      expect(tell(lock(1n, 1n), { id: bytes16(21) }).code).toBe('CAPACITY_EXCEEDED')
      expect(money(alice)?.locked).toBe(2n)
      expect(tell({ kind: 'RELEASE', holds: [{ id: bytes16(20), index: 0 }] }).code).toBe('OK')
      expect(tell(lock(1n, 1n), { id: bytes16(22) }).code).toBe('OK')
    })
  })

  describe('opens accounts', () => {
    test('with a grant from promotion, once', () => {
      const { tell, money } = start()
      const opening = openAccountInstruction(customer(alice, 0n), usd('10000'), 1)
      expect(tell(opening)).toMatchObject({
        transactionNumber: 1n,
        existed: false,
        balancesAfter: [usd('10000'), usd('-10000')],
      })
      expect(tell(opening)).toMatchObject({ code: 'OK', transactionNumber: null, existed: true, balancesAfter: [] })
      expect(money(alice)).toEqual({ balance: usd('10000'), locked: 0n, version: 1n })
    })

    test('without a grant and without a transaction', () => {
      const { tell, money } = start()
      expect(tell(openAccountInstruction(customer(alice, 0n), 0n, 1))).toMatchObject({
        code: 'OK',
        transactionNumber: null,
      })
      expect(money(alice)).toEqual({ balance: 0n, locked: 0n, version: 1n })
    })

    test('until there is no room, and then none of an instruction that needs one more', () => {
      const { tell, money } = start({ accountsMax: 3 })
      tell(deposit(alice, 10n))
      const legs = [customer(alice, -2n), customer(bob, 1n), system('fees', 1n)]
      expect(tell({ kind: 'POST', legs }).code).toBe('CAPACITY_EXCEEDED')
      expect(money(alice)?.balance).toBe(10n)
      expect(tell({ kind: 'POST', legs: [customer(alice, -2n), customer(bob, 2n)] }).code).toBe('OK')
    })

    test('at most 256 to an owner, so that one answer has them all', () => {
      const { tell, machine } = start({ accountsMax: 1_000 })
      const currency = (index: number): string => `C${index}`
      for (let index = 0; index < 256; index++) {
        expect(tell(openAccountInstruction(customer(alice, 0n, currency(index)), 0n, 1)).code).toBe('OK')
      }
      expect(tell(openAccountInstruction(customer(alice, 0n, currency(256)), 0n, 1)).code).toBe('CAPACITY_EXCEEDED')
      const balances = decodeBalances(machine.query(balancesQuestion(alice)).bytes)
      expect(balances.map((one) => one.currency)).toEqual(Array.from({ length: 256 }, (_, index) => currency(index)))
    })
  })

  describe('refunds the house from the insurance fund', () => {
    const pair = { pair: 'BTC_USDC', currency: 'USDC' }
    const ask = (amount: bigint): Instruction =>
      insuranceRefundInstruction({ ...pair, amount, houseLedgerPartition: 0x1000002, trade: tradeId }, 5)
    const fund = (amount: bigint): Instruction => ({
      kind: 'POST',
      legs: [system('insurance', amount, 'BTC_USDC'), system('bank', -amount, 'ABB')],
    })

    test('what is asked, through clearing to the partition of the house', () => {
      const { tell, tellAll } = start()
      tell(fund(100n))
      const { outcomes, effects } = tellAll([encodeLedgerCommand({}, ask(30n))])
      expect(decodeLedgerOutcome(outcomes[0]!)).toMatchObject({
        transactionNumber: 2n,
        balancesAfter: [70n, 30n],
        paid: 30n,
      })
      expect(effects.map(({ to }) => to)).toEqual([0x1000002])
      const post = decodeInstruction(effects[0]!.bytes)
      expect(post).toMatchObject({ kind: 'POST', transactionType: 5, slip: null })
      expect(hex(post.reference)).toBe(hex(tradeId))
      expect(post.legs.map(({ owner, kind, amount }) => [hex(owner), kind, amount])).toEqual([
        [hex(systemAccountKey('clearing', 'USDC').owner), 'clearing', -30n],
        [hex(systemAccountKey('house', 'USDC', 'BTC_USDC').owner), 'house', 30n],
      ])
      const house = start()
      const arrived = house.tellAll([effects[0]!.bytes])
      expect(decodeLedgerOutcome(arrived.outcomes[0]!)).toMatchObject({ code: 'OK', balancesAfter: [-30n, 30n] })
    })

    test('only what it has, and nothing when it is empty or unknown', () => {
      const { tell, tellAll } = start()
      expect(tell(ask(30n))).toMatchObject({ code: 'OK', transactionNumber: null, paid: 0n })
      tell(fund(20n))
      expect(tell(ask(30n))).toMatchObject({ balancesAfter: [0n, 20n], paid: 20n })
      const { effects, outcomes } = tellAll([encodeLedgerCommand({}, ask(30n))])
      const nothing = { code: 'OK', transactionNumber: null, balancesAfter: [], paid: 0n }
      expect(decodeLedgerOutcome(outcomes[0]!)).toMatchObject(nothing)
      expect(effects).toEqual([])
    })
  })

  describe('sends on', () => {
    const slip = { target: 0x2000100, command: someSlip() }
    const id = bytes16(30)

    test('the slip of an instruction that succeeded, once, and none of one that was refused', () => {
      const { tell, tellAll } = start()
      tell(deposit(alice, 10n))
      const open = (amount: bigint, number: number): Uint8Array =>
        encodeLedgerCommand({ id: bytes16(number) }, { kind: 'HOLD', legs: [customer(alice, amount)], slip })
      const { effects } = tellAll([open(11n, 1), open(10n, 2), open(10n, 2), open(1n, 3)])
      expect(effects).toEqual([{ to: slip.target, commandIndex: 1, bytes: slip.command }])
    })

    test('the slip of a hold of no legs, which only registers its id', () => {
      const { tell, tellAll, machine } = start()
      expect(tellAll([encodeLedgerCommand({ id }, { kind: 'HOLD', slip })]).effects).toHaveLength(1)
      expect(tell({ kind: 'HOLD', slip }, { id }).code).toBe('OK')
      expect(decodeOutcomeOf(machine.query(outcomeOfQuestion(id, bytes16(0))).bytes)).toMatchObject({ known: true })
    })

    test('the outcome to a partition that wants it, refusals and repeats too, after the slip', () => {
      const { tellAll } = start()
      const from = { flags: FLAG_WANTS_OUTCOME, sender: 0x3000001 }
      const post = encodeLedgerCommand({ id, ...from }, { ...deposit(alice, 5n), slip })
      const refused = encodeLedgerCommand(from, { kind: 'RELEASE', holds: [{ id, index: 0 }] })
      const { effects } = tellAll([post, post, refused])
      expect(effects.map(({ to, commandIndex }) => [to, commandIndex])).toEqual([
        [slip.target, 0],
        [from.sender, 0],
        [from.sender, 1],
        [from.sender, 2],
      ])
      const answers = effects.slice(1).map(({ bytes }) => decodeLedgerOutcomeCommand(bytes))
      expect(
        answers.map(({ code, balancesAfter, transactionNumber }) => [code, balancesAfter, transactionNumber]),
      ).toEqual([
        ['OK', [5n, -5n], 1n],
        ['OK', [], 1n],
        ['HOLD_CLOSED', [], null],
      ])
      expect(decodeHeader(effects[1]!.bytes)).toMatchObject({ kind: 100, sender: 0 })
      expect(hex(decodeHeader(effects[1]!.bytes).id)).toBe(hex(id))
    })
  })

  describe('remembers ids', () => {
    const id = bytes16(40)
    const header = { id, requestHash: bytes16(1) }

    test('a repeat answers the first outcome and does nothing, a refusal too', () => {
      const { tell, money } = start()
      const overdraw: Instruction = { kind: 'POST', legs: [customer(alice, -1n), system('fees', 1n)] }
      expect(tell(overdraw, { ...header, id: bytes16(41) }).code).toBe('ACCOUNT_NOT_FOUND')
      expect(tell(deposit(alice, 5n), header)).toMatchObject({ transactionNumber: 1n, balancesAfter: [5n, -5n] })
      expect(tell(deposit(alice, 5n), header)).toMatchObject({ code: 'OK', transactionNumber: 1n, balancesAfter: [] })
      expect(tell(overdraw, { ...header, id: bytes16(41) }).code).toBe('ACCOUNT_NOT_FOUND')
      expect(money(alice)?.balance).toBe(5n)
    })

    test('the same id with another request is a conflict and does nothing', () => {
      const { tell, money } = start()
      tell(deposit(alice, 5n), header)
      expect(tell(deposit(alice, 6n), { id, requestHash: bytes16(2) }).code).toBe('IDEMPOTENCY_CONFLICT')
      expect(money(alice)?.balance).toBe(5n)
    })

    test('for ten minutes to the millisecond', () => {
      const { tell, pass, money } = start()
      tell(deposit(alice, 5n), header)
      pass(600_000n)
      tell(deposit(alice, 5n), header)
      expect(money(alice)?.balance).toBe(5n)
      pass(1n)
      expect(tell(deposit(alice, 5n), header).transactionNumber).toBe(2n)
    })

    test('as many as there is room for; then new ones are refused, known ones answered, unnamed ones applied', () => {
      const { tell, pass } = start({ idsMax: 2 })
      expect(tell(deposit(alice, 1n), { id: bytes16(1) }).code).toBe('OK')
      expect(tell(deposit(alice, 1n), { id: bytes16(2) }).code).toBe('OK')
      expect(tell(deposit(alice, 1n), { id: bytes16(3) }).code).toBe('UNAVAILABLE')
      expect(tell(deposit(alice, 1n), { id: bytes16(1) })).toMatchObject({ code: 'OK', transactionNumber: 1n })
      expect(tell(deposit(alice, 1n)).transactionNumber).toBe(3n)
      pass(600_001n)
      expect(tell(deposit(alice, 1n), { id: bytes16(3) }).transactionNumber).toBe(4n)
    })

    test('and says what became of one', () => {
      const { tell, machine } = start()
      const ask = (of: Uint8Array, requestHash: Uint8Array) =>
        decodeOutcomeOf(machine.query(outcomeOfQuestion(of, requestHash)).bytes)
      tell(deposit(alice, 5n), header)
      expect(ask(id, header.requestHash)).toMatchObject({
        known: true,
        outcome: { code: 'OK', kind: 2, transactionNumber: 1n },
      })
      expect(ask(id, bytes16(2))).toEqual({ known: false, code: 'IDEMPOTENCY_CONFLICT' })
      expect(ask(bytes16(99), header.requestHash)).toEqual({ known: false, code: 'NOT_FOUND' })
    })

    test('a malformed command is not remembered: the right one may follow under its id', () => {
      const { tell, tellAll } = start()
      const bad = encodeLedgerCommand(header, deposit(alice, 5n))
      bad[56 + 2] = 9
      expect(decodeLedgerOutcome(tellAll([bad]).outcomes[0]!).code).toBe('INVALID_COMMAND')
      expect(tell(deposit(alice, 5n), header).code).toBe('OK')
    })

    test('of a command that faulted twice: refused once and for all, nothing else of the batch is lost', () => {
      const { machine, money } = start()
      const batch = [1, 2, 3].map((number) =>
        encodeLedgerCommand({ id: bytes16(number) }, deposit(alice, BigInt(number))),
      )
      const { outcomes, settledIds } = machine.apply(batch, NOW, machine.behaviourVersion, new Set([1]))
      expect(outcomes.map((outcome) => decodeLedgerOutcome(outcome).code)).toEqual(['OK', 'ENGINE_FAULT', 'OK'])
      expect(settledIds.map(hex)).toEqual([1, 2, 3].map((number) => hex(bytes16(number))))
      expect(money(alice)?.balance).toBe(4n)
      expect(decodeLedgerOutcome(machine.apply([batch[1]!], NOW, machine.behaviourVersion).outcomes[0]!).code).toBe(
        'ENGINE_FAULT',
      )
    })
  })

  describe('refuses what is malformed, before it looks at anything', () => {
    const id = bytes16(50)
    const command = (instruction: Instruction): Uint8Array => encodeLedgerCommand({ id }, instruction)
    const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
      const copy = bytes.slice()
      copy[at] = value
      return copy
    }
    const post = command(deposit(alice, 5n))
    const hold = command({ kind: 'HOLD', legs: [customer(alice, 1n)] })
    const release = command({
      kind: 'RELEASE',
      holds: [
        { id, index: 0 },
        { id, index: 0 },
      ],
    })
    const slipped = command({ kind: 'HOLD', slip: { target: 7, command: someSlip() } })
    const LEG = 56 + 32

    test.each<[string, Uint8Array]>([
      ['an unknown kind', changed(post, 4, 8)],
      ['a kind of another machine', changed(post, 5, 1)],
      ['a leg too few for its size', changed(post, 56 + 3, 1)],
      ['more legs than it has bytes', changed(post, 56 + 3, 16)],
      ['a memo it has not', changed(post, 56 + 12, 8)],
      ['a slip it has not', changed(post, 56 + 8, 56)],
      ['a target without a slip', changed(post, 56 + 4, 1)],
      ['a slip without a target', changed(slipped, 56 + 4, 0)],
      ['a slip that says another size', changed(slipped, 56 + 32, 72)],
      ['an account kind that does not exist', changed(post, LEG + 24, 11)],
      ['an account kind of 0', changed(post, LEG + 24, 0)],
      ['bytes where zeros belong in a leg', changed(post, LEG + 28, 1)],
      ['a currency in small letters', changed(post, LEG + 16, 0x75)],
      ['a currency with a hole', changed(post, LEG + 17, 0)],
      ['an entry of nothing', changed(post, LEG + 32, 0)],
      ['a post without legs', command({ kind: 'POST', legs: [] })],
      ['a hold below zero', command({ kind: 'HOLD', legs: [customer(alice, -1n)] })],
      ['a hold of another kind of account', command({ kind: 'HOLD', legs: [system('fees', 1n)] })],
      ['a hold without an id', encodeLedgerCommand({}, { kind: 'HOLD', legs: [customer(alice, 1n)] })],
      ['a hold that names holds', changed(command({ kind: 'RELEASE', holds: [{ id, index: 0 }] }), 4, 1)],
      ['a hold named twice', release],
      ['a release with legs', changed(hold, 4, 4)],
      ['a settlement of no hold', changed(post, 4, 3)],
      ['an opening with an account of the house', command({ kind: 'OPEN_ACCOUNT', legs: [system('fees', 0n)] })],
      ['an opening with an unpaid grant', command({ kind: 'OPEN_ACCOUNT', legs: [customer(alice, 1n)] })],
      ['an opening paid by fees', command({ kind: 'OPEN_ACCOUNT', legs: [customer(alice, 1n), system('fees', -1n)] })],
      [
        'a grant paid in part',
        command({ kind: 'OPEN_ACCOUNT', legs: [customer(alice, 2n), system('promotion', -1n)] }),
      ],
      ['a grant that takes', command({ kind: 'OPEN_ACCOUNT', legs: [customer(alice, -1n), system('promotion', 1n)] })],
      [
        'a grant of 128 bits',
        command({ kind: 'OPEN_ACCOUNT', legs: [customer(alice, 1n), system('promotion', LOWEST)] }),
      ],
      [
        'a refund of one leg',
        command({ kind: 'INSURANCE_REFUND', legs: [system('insurance', 1n, 'X')], slip: { target: 1 } }),
      ],
      ['an empty body', encodeCommand({ kind: 2, id }, new Uint8Array(0))],
      ['no header', new Uint8Array(8)],
      ['nothing', new Uint8Array(0)],
    ])('%s', (_what, bytes) => {
      const { machine, tell } = start()
      tell(deposit(alice, 100n))
      const before = machine.stateHash()
      const { outcomes, effects } = machine.apply([bytes], NOW, machine.behaviourVersion)
      expect(decodeLedgerOutcome(outcomes[0]!).code).toBe('INVALID_COMMAND')
      expect(effects).toEqual([])
      expect(machine.stateHash()).toBe(before)
    })

    test('the wrong question', () => {
      const { machine } = start()
      const ask = (question: Uint8Array): string => decodeLedgerOutcome(machine.query(question).bytes).code
      expect([ask(encodeCommand({ kind: 205 }, id)), ask(encodeCommand({ kind: 200 }, bodyOf(post))), ask(id)]).toEqual(
        ['INVALID_COMMAND', 'INVALID_COMMAND', 'INVALID_COMMAND'],
      )
    })
  })

  test('sums up per currency and kind, and lists accounts and holds page by page', () => {
    const { tell, machine } = start()
    tell(deposit(alice, 100n))
    tell(deposit(bob, 50n))
    tell(deposit(bob, 7n, 'BTC'))
    tell({ kind: 'HOLD', legs: [customer(alice, 10n), customer(bob, 5n), customer(bob, 6n)] }, { id: bytes16(1) })
    tell({ kind: 'RELEASE', holds: [{ id: bytes16(1), index: 1 }] })
    const sums = decodeSums(machine.query(sumsQuestion()).bytes)
    expect(sums).toEqual([
      { currency: 'USDC', kind: 'customer', accounts: 2, balance: 150n, locked: 16n },
      { currency: 'USDC', kind: 'bank', accounts: 1, balance: -150n, locked: 0n },
      { currency: 'BTC', kind: 'customer', accounts: 1, balance: 7n, locked: 0n },
      { currency: 'BTC', kind: 'bank', accounts: 1, balance: -7n, locked: 0n },
    ])
    const page = (after: number, limit: number) => decodeAccounts(machine.query(accountsQuestion(after, limit)).bytes)
    expect([...page(0, 3), ...page(3, 3)].map(({ slot, currency, balance }) => [slot, currency, balance])).toEqual([
      [1, 'USDC', 100n],
      [2, 'USDC', -150n],
      [3, 'USDC', 50n],
      [4, 'BTC', 7n],
      [5, 'BTC', -7n],
    ])
    expect(page(5, 3)).toEqual([])
    const holds = (after: number, limit: number) => decodeHolds(machine.query(holdsQuestion(after, limit)).bytes)
    expect([...holds(0, 1), ...holds(1, 5)].map(({ slot, index, amount }) => [slot, index, amount])).toEqual([
      [1, 0, 10n],
      [3, 2, 6n],
    ])
  })

  test('time only passes: no deadline, no continuation, an outcome without a trace', () => {
    const { machine } = start()
    const before = machine.stateHash()
    const { outcomes } = machine.apply(
      [encodeCommand({ kind: KIND_TIME }, new Uint8Array(0))],
      NOW,
      machine.behaviourVersion,
    )
    expect(decodeLedgerOutcome(outcomes[0]!).code).toBe('OK')
    expect([machine.stateHash(), machine.nextDeadline(), machine.continuation()]).toEqual([before, null, null])
  })
})
