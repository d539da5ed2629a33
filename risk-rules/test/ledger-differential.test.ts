import { describe, expect, test } from '@jest/globals'
import { encodeCommand, FLAG_WANTS_OUTCOME, KIND_TIME, NO_ID } from '@bourse/common/kernel/command.ts'
import type { Applied, Machine } from '@bourse/common/kernel/machine.ts'
import { createReferenceLedgerMachine } from '../reference/ledger/machine.ts'
import { accountKinds } from '../src/ledger/accounts.ts'
import { encodeLedgerCommand, insuranceRefundInstruction, openAccountInstruction } from '../src/ledger/codec.ts'
import type { HoldId, Instruction, Leg } from '../src/ledger/codec.ts'
import { createLedgerMachine, LEDGER_BEHAVIOUR_VERSION } from '../src/ledger/machine.ts'
import type { LedgerCapacities } from '../src/ledger/machine.ts'
import { decodeLedgerOutcome } from '../src/ledger/outcomes.ts'
import {
  accountsQuestion,
  balancesQuestion,
  decodeAccounts,
  decodeHolds,
  holdsQuestion,
} from '../src/ledger/queries.ts'
import { decodeSums, outcomeOfQuestion, sumsQuestion } from '../src/ledger/queries.ts'
import type { AccountRecord, OpenHold } from '../src/ledger/queries.ts'
import { appliedText, bytes16, chance, customer, hex, NOW, someSlip, system, wasm } from './ledger-support.ts'
import type { Chance } from './ledger-support.ts'

const LIMIT = 10n ** 20n
const CURRENCIES = ['USDC', 'BTC']
const SYSTEM: [Parameters<typeof system>[0], string][] = [
  ['house', 'BTC_USDC'],
  ['fees', ''],
  ['spread', ''],
  ['clearing', ''],
  ['insurance', 'BTC_USDC'],
  ['bank', 'ABB'],
  ['omnibus', 'ABB'],
]

/** What the generator sees of the ledger's state, to aim at its edges. */
interface Sight {
  readonly accounts: readonly AccountRecord[]
  readonly holds: readonly OpenHold[]
}

const see = (machine: Machine): Sight => ({
  accounts: decodeAccounts(machine.query(accountsQuestion(0, 4_096)).bytes),
  holds: decodeHolds(machine.query(holdsQuestion(0, 4_096)).bytes),
})

const someOwner = (random: Chance): Uint8Array => bytes16(random.int(random.int(8) === 0 ? 60 : 6), 0xc0)

/** An amount near an edge: one unit, all there is, a unit more or less, the largest there is. */
const someAmount = (random: Chance, available: bigint): bigint => {
  const edges = [
    1n,
    2n,
    available,
    available + 1n,
    available - 1n,
    available / 2n,
    100_000_000n,
    BigInt(random.int(1_000_000)),
  ]
  const rare = [LIMIT - 1n, LIMIT, 0n, LIMIT / 2n, LIMIT - 1n - available]
  return random.int(12) === 0 ? random.pick(rare) : random.pick(edges)
}

const availableOf = (sight: Sight, leg: Leg): bigint => {
  const found = sight.accounts.find(
    (one) => one.kind === leg.kind && one.currency === leg.currency && hex(one.owner) === hex(leg.owner),
  )
  return found === undefined ? 1_000n : found.balance - found.locked
}

const someLeg = (random: Chance, sight: Sight, currency: string): Leg => {
  const [kind, of] = random.pick(SYSTEM)
  const leg = random.int(3) > 0 ? customer(someOwner(random), 1n, currency) : system(kind, 1n, of, currency)
  return { ...leg, amount: someAmount(random, availableOf(sight, leg)) }
}

/** Legs that mostly add up to zero: some move money between accounts, the last takes the rest. */
const someLegs = (random: Chance, sight: Sight): Leg[] => {
  const legs: Leg[] = []
  for (let group = random.int(6) === 0 ? 2 : 1; group > 0; group--) {
    const currency = random.pick(CURRENCIES)
    const count = 1 + random.int(random.int(5) === 0 ? 7 : 3)
    for (let i = 0; i < count; i++) {
      const leg = someLeg(random, sight, currency)
      legs.push(random.int(2) === 0 ? leg : { ...leg, amount: -leg.amount })
    }
    const rest = legs.filter((leg) => leg.currency === currency).reduce((sum, { amount }) => sum - amount, 0n)
    const [kind, of] = random.pick(SYSTEM)
    legs.push(system(kind, random.int(25) === 0 ? rest + 1n : rest, of, currency))
  }
  return random.int(6) === 0 ? [...legs, ...legs].slice(0, 16) : legs.slice(0, 16)
}

const someHolds = (random: Chance, sight: Sight, count: number): HoldId[] =>
  Array.from({ length: count }, () => {
    if (sight.holds.length > 0 && random.int(10) > 0) {
      const { id, index } = random.pick(sight.holds)
      return { id, index }
    }
    return { id: bytes16(random.int(40), 0x1d), index: random.int(3) }
  })

const someInstruction = (random: Chance, sight: Sight): Instruction => {
  const slip = random.int(4) === 0 ? { slip: { target: 0x2000100, command: someSlip(random.int(3) * 8) } } : {}
  const memo = random.int(3) === 0 ? { memo: random.bytes(random.int(40)) } : {}
  const reference = random.bytes(16)
  const pick = random.int(20)
  if (pick < 5) {
    const legs = Array.from({ length: random.int(4) }, () => {
      const leg = customer(someOwner(random), 0n, random.pick(CURRENCIES))
      return { ...leg, amount: someAmount(random, availableOf(sight, leg)) }
    })
    return { kind: 'HOLD', legs, ...slip }
  }
  if (pick < 9) {
    const kind = random.int(9) === 0 ? 'CORRECTION' : 'POST'
    return { kind, transactionType: 9, legs: someLegs(random, sight), reference, ...slip, ...memo }
  }
  if (pick < 13) {
    const legs = random.int(3) === 0 ? [] : someLegs(random, sight)
    return {
      kind: 'SETTLE',
      transactionType: 3,
      holds: someHolds(random, sight, 1 + random.int(3)),
      legs,
      ...slip,
      ...memo,
    }
  }
  if (pick < 15) return { kind: 'RELEASE', holds: someHolds(random, sight, 1 + random.int(2)), ...slip }
  if (pick < 18) {
    const account = customer(someOwner(random), 0n, random.pick(CURRENCIES))
    const grant = someAmount(random, 1_000_000n)
    return { ...openAccountInstruction(account, grant < 0n ? 0n : grant, 1), ...slip }
  }
  const insurance = system('insurance', 0n, 'BTC_USDC')
  const amount = someAmount(random, availableOf(sight, insurance))
  const pair = { pair: 'BTC_USDC', currency: 'USDC' }
  return insuranceRefundInstruction({ ...pair, amount, houseLedgerPartition: 0x1000002, trade: reference }, 5)
}

const someCommand = (random: Chance, sight: Sight, sent: Uint8Array[]): Uint8Array => {
  const pick = random.int(30)
  if (pick === 0) return encodeCommand({ kind: KIND_TIME }, NO_ID.subarray(0, 0))
  if (pick === 1) return random.bytes(random.int(200))
  if (pick < 5 && sent.length > 0) return random.pick(sent)
  if (pick === 5 && sent.length > 0) {
    const bytes = random.pick(sent).slice()
    bytes[24 + random.int(bytes.length - 24)]! ^= 1 << random.int(8)
    return bytes
  }
  const id = random.int(5) === 0 ? NO_ID : bytes16(random.int(400), 0x1d)
  const wantsOutcome = random.int(4) === 0 ? { flags: FLAG_WANTS_OUTCOME, sender: 0x3000001 } : {}
  const header = { id, requestHash: bytes16(random.int(2)), ...wantsOutcome }
  const command = encodeLedgerCommand(header, someInstruction(random, sight))
  sent.push(command)
  return command
}

/** Zero-sum per currency, nobody below zero who may not be, locked is what the holds say. */
const checkInvariants = (machine: Machine): void => {
  const sums = decodeSums(machine.query(sumsQuestion()).bytes)
  for (const currency of new Set(sums.map((one) => one.currency))) {
    expect(sums.filter((one) => one.currency === currency).reduce((sum, { balance }) => sum + balance, 0n)).toBe(0n)
  }
  const { accounts, holds } = see(machine)
  for (const { kind, balance, locked, owner, currency } of accounts) {
    if (!accountKinds[kind].mayGoBelowZero) expect(balance).toBeGreaterThanOrEqual(locked)
    expect(balance < LIMIT && balance > -LIMIT).toBe(true)
    const held = holds.filter(
      (hold) => kind === 'customer' && hold.currency === currency && hex(hold.owner) === hex(owner),
    )
    expect(locked).toBe(held.reduce((sum, { amount }) => sum + amount, 0n))
  }
}

const questionsOf = (random: Chance): Uint8Array[] => [
  sumsQuestion(),
  holdsQuestion(random.int(4), 1 + random.int(5)),
  accountsQuestion(random.int(4), 1 + random.int(5)),
  balancesQuestion(someOwner(random)),
  outcomeOfQuestion(bytes16(random.int(400), 0x1d), bytes16(random.int(2))),
]

const run = (seed: number, steps: number, capacities: LedgerCapacities): Map<string, number> => {
  const random = chance(seed)
  const behaviour = 1 + (seed % LEDGER_BEHAVIOUR_VERSION)
  const make = {
    module: () => createLedgerMachine({ wasm, ...capacities }),
    reference: () => createReferenceLedgerMachine(capacities),
  }
  let [module, reference] = [make.module(), make.reference()]
  const codes = new Map<string, number>()
  const sent: Uint8Array[] = []
  let now = NOW
  for (let step = 0; step < steps; step++) {
    now += BigInt(
      random.pick([0, 0, 1, 1_000, 30_000, random.int(20) === 0 ? 600_000 : 2, random.int(40) === 0 ? 600_001 : 0]),
    )
    const sight = see(reference)
    const batch = Array.from({ length: 1 + random.int(4) }, () => someCommand(random, sight, sent))
    const refused = random.int(25) === 0 ? new Set([random.int(batch.length)]) : undefined
    const apply = (machine: Machine): Applied => machine.apply(batch, now, behaviour, refused)
    const [found, expected] = [module, reference].map(apply) as [Applied, Applied]
    expect(appliedText(found)).toEqual(appliedText(expected))
    expect(module.stateHash()).toBe(reference.stateHash())
    for (const outcome of expected.outcomes) {
      const { code } = decodeLedgerOutcome(outcome)
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    for (const question of questionsOf(random)) expect(module.query(question)).toEqual(reference.query(question))
    checkInvariants(module)
    if (random.int(15) === 0) {
      const [moduleState, referenceState, hash] = [module.snapshot(), reference.snapshot(), module.stateHash()]
      ;[module, reference] = [make.module(), make.reference()]
      module.restore(moduleState)
      reference.restore(referenceState)
      expect(module.stateHash()).toBe(hash)
    }
    if (sent.length > 200) sent.splice(0, 100)
  }
  return codes
}

const noiseOf = (random: Chance): Uint8Array => random.bytes(random.int(300))

describe('The WASM ledger and the bigint reference agree on every byte', () => {
  test('in seeded runs at the edges, in which every refusal of the ledger happens', () => {
    const codes = new Map<string, number>()
    const capacities = [
      { accountsMax: 64, holdsMax: 32, idsMax: 128 },
      { accountsMax: 12, holdsMax: 4, idsMax: 24 },
      { accountsMax: 300, holdsMax: 200, idsMax: 1_000 },
    ]
    for (let seed = 1; seed <= 9; seed++) {
      for (const [code, count] of run(seed, 250, capacities[seed % 3]!)) codes.set(code, (codes.get(code) ?? 0) + count)
    }
    const ofRules = ['ACCOUNT_NOT_FOUND', 'INSUFFICIENT_FUNDS', 'HOLD_CLOSED', 'NOT_ZERO_SUM', 'AMOUNT_OVERFLOW']
    const ofLimits = ['CAPACITY_EXCEEDED', 'UNAVAILABLE', 'IDEMPOTENCY_CONFLICT', 'ENGINE_FAULT']
    const expected = [...ofRules, ...ofLimits, 'INVALID_COMMAND', 'OK']
    for (const code of expected) expect([code, (codes.get(code) ?? 0) >= 10]).toEqual([code, true])
    expect([...codes.keys()].sort()).toEqual(expected.sort())
  })

  test('on random bytes, which are refused INVALID_COMMAND and leave no trace', () => {
    const random = chance(99)
    const capacities = { accountsMax: 16, holdsMax: 8, idsMax: 32 }
    const machines = [createLedgerMachine({ wasm, ...capacities }), createReferenceLedgerMachine(capacities)]
    const hashes = machines.map((machine) => machine.stateHash())
    for (let round = 0; round < 400; round++) {
      const batch = Array.from({ length: 20 }, () => {
        const noise = noiseOf(random)
        if (random.int(3) === 0) return noise
        const whole = encodeCommand({ kind: 1 + random.int(8), id: random.bytes(16) }, noise)
        // A memo longer than any memo: nothing of what follows can be an instruction.
        if (whole.length >= 72) whole.fill(0xff, 68, 72)
        return whole
      })
      for (const [index, machine] of machines.entries()) {
        const { outcomes, effects } = machine.apply(batch, NOW, machine.behaviourVersion)
        expect(outcomes.map((outcome) => decodeLedgerOutcome(outcome).code)).toEqual(batch.map(() => 'INVALID_COMMAND'))
        expect(effects).toEqual([])
        expect(machine.stateHash()).toBe(hashes[index])
        // No question has a body of 24 bytes.
        for (const question of [noiseOf(random), encodeCommand({ kind: 199 + random.int(7) }, random.bytes(24))]) {
          expect(decodeLedgerOutcome(machine.query(question).bytes).code).toBe('INVALID_COMMAND')
        }
      }
    }
  })
})
