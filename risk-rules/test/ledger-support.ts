/** What the ledger's tests share: both machines, seeded chance, short words for commands. */
import { encodeCommand } from '@bourse/common/kernel/command.ts'
import type { Applied, Machine } from '@bourse/common/kernel/machine.ts'
import { createReferenceLedgerMachine } from '../reference/ledger/machine.ts'
import { customerAccountKey, systemAccountKey } from '../src/ledger/accounts.ts'
import { encodeLedgerCommand } from '../src/ledger/codec.ts'
import type { Instruction, LedgerCommandHeader, Leg } from '../src/ledger/codec.ts'
import { createLedgerMachine, loadLedgerModule } from '../src/ledger/machine.ts'
import type { LedgerCapacities } from '../src/ledger/machine.ts'
import { decodeLedgerOutcome } from '../src/ledger/outcomes.ts'
import type { LedgerOutcome } from '../src/ledger/outcomes.ts'
import { balancesQuestion, decodeBalances } from '../src/ledger/queries.ts'

export const wasm = loadLedgerModule()

export const CAPACITIES: LedgerCapacities = { accountsMax: 64, holdsMax: 32, idsMax: 128 }

/** Both machines by name, for `describe.each`. */
export const MACHINES: [string, (capacities?: Partial<LedgerCapacities>) => Machine][] = [
  ['the WASM module', (capacities) => createLedgerMachine({ wasm, ...CAPACITIES, ...capacities })],
  ['the reference', (capacities) => createReferenceLedgerMachine({ ...CAPACITIES, ...capacities })],
]

/** 16 bytes that end in `number`. */
export const bytes16 = (number: number, first = 0): Uint8Array => {
  const bytes = new Uint8Array(16)
  bytes[0] = first
  new DataView(bytes.buffer).setUint32(12, number)
  return bytes
}

export const alice = bytes16(1, 0xa1)
export const bob = bytes16(2, 0xb0)
export const NOW = 1_760_000_000_000n

export const customer = (owner: Uint8Array, amount: bigint, currency = 'USDC'): Leg => ({
  ...customerAccountKey(owner, currency),
  amount,
})
export const system = (
  kind: Parameters<typeof systemAccountKey>[0],
  amount: bigint,
  of = '',
  currency = 'USDC',
): Leg => ({ ...systemAccountKey(kind, currency, of), amount })

/** A ledger with a short way to tell it things. */
export interface Told {
  readonly machine: Machine
  readonly tell: (instruction: Instruction, header?: LedgerCommandHeader) => LedgerOutcome
  readonly tellAll: (commands: readonly Uint8Array[], now?: bigint) => Applied
  /** Balance and locked of a customer, in units. */
  readonly money: (
    owner: Uint8Array,
    currency?: string,
  ) => { balance: bigint; locked: bigint; version: bigint } | undefined
  readonly pass: (ms: bigint) => void
}

/** `behaviour`: the rules that what is told is judged by; the newest unless said. */
export const told = (machine: Machine, behaviour = machine.behaviourVersion): Told => {
  let now = NOW
  const tellAll = (commands: readonly Uint8Array[]): Applied => machine.apply(commands, now, behaviour)
  return {
    machine,
    tellAll,
    tell: (instruction, header = {}) =>
      decodeLedgerOutcome(tellAll([encodeLedgerCommand(header, instruction)]).outcomes[0]!),
    money: (owner, currency = 'USDC') => {
      const found = decodeBalances(machine.query(balancesQuestion(owner)).bytes).find(
        (one) => one.currency === currency,
      )
      return found && { balance: found.balance, locked: found.locked, version: found.version }
    },
    pass: (ms) => {
      now += ms
    },
  }
}

/** Money from a bank to a customer. */
export const deposit = (owner: Uint8Array, amount: bigint, currency = 'USDC'): Instruction => ({
  kind: 'POST',
  transactionType: 9,
  legs: [customer(owner, amount, currency), system('bank', -amount, 'ABB', currency)],
})

/** A command of another machine, to travel as a slip. */
export const someSlip = (bodyBytes = 8): Uint8Array =>
  encodeCommand({ kind: 2, id: bytes16(77) }, new Uint8Array(bodyBytes).fill(7))

/** Seeded chance (mulberry32). */
export interface Chance {
  /** An integer from 0 to `below` − 1. */
  readonly int: (below: number) => number
  readonly pick: <Item>(items: readonly Item[]) => Item
  readonly bytes: (length: number) => Uint8Array
}

export const chance = (seed: number): Chance => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const int = (below: number): number => next() % below
  return {
    int,
    pick: (items) => items[int(items.length)]!,
    bytes: (length) => Uint8Array.from({ length }, () => int(256)),
  }
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** An Applied as text, for comparison of every byte. */
export const appliedText = ({ outcomes, effects, settledIds }: Applied): unknown => ({
  outcomes: outcomes.map(hex),
  effects: effects.map(({ to, bytes, commandIndex }) => `${String(to)} ${commandIndex} ${hex(bytes)}`),
  settledIds: settledIds.map(hex),
})
