import { describe, expect, test } from '@jest/globals'
import { createStateHash } from '../reference/state-hash.ts'
import { instantiate } from '../src/host/instance.ts'
import { createWasmMachine } from '../src/host/machine.ts'
import type { MachineExports } from '../src/host/instance.ts'
import { encodeLedgerCommand } from '../src/ledger/codec.ts'
import { createLedgerMachine, LEDGER_BEHAVIOUR_VERSION } from '../src/ledger/machine.ts'
import { decodeLedgerOutcome } from '../src/ledger/outcomes.ts'
import { bytes16, CAPACITIES, customer, deposit, hex, NOW, someSlip, told, wasm } from './ledger-support.ts'
import { borderOf, MACHINE_EXPORTS } from './module-kit.ts'

const create = () => createLedgerMachine({ wasm, ...CAPACITIES })

describe('The ledger’s module', () => {
  test('imports nothing but abort and exports what is listed', () => {
    expect(borderOf(wasm)).toEqual({ imports: ['env.abort'], exports: MACHINE_EXPORTS })
  })

  test('never grows after start, however full it gets', () => {
    const wasmMachine = createWasmMachine<MachineExports>({
      wasm,
      machine: 1,
      schemaVersion: 1,
      behaviourVersion: 1,
      capacities: [64, 32, 128],
      init: (exports) => (exports['init'] as (...capacities: number[]) => void)(64, 32, 128),
    })
    const { memory } = wasmMachine.exports()
    const bytes = memory.buffer.byteLength
    const commands = Array.from({ length: 500 }, (_, number) =>
      encodeLedgerCommand({ id: bytes16(number + 1) }, deposit(bytes16(number), 1n)),
    )
    const codes = wasmMachine.machine
      .apply(commands, NOW, 1)
      .outcomes.map((outcome) => decodeLedgerOutcome(outcome).code)
    expect(new Set(codes)).toEqual(new Set(['OK', 'CAPACITY_EXCEEDED', 'UNAVAILABLE']))
    wasmMachine.machine.snapshot()
    wasmMachine.machine.stateHash()
    expect(memory.buffer.byteLength).toBe(bytes)
  })

  test('lays out capacities as they are asked for and refuses impossible ones', () => {
    expect(() => createLedgerMachine({ wasm, ...CAPACITIES, accountsMax: 0 })).toThrow('accountsMax is 0')
    expect(() => createLedgerMachine({ wasm, ...CAPACITIES, idsMax: 1.5 })).toThrow('idsMax is 1.5')
    const { init, memory } = instantiate(wasm) as MachineExports & { init: (...capacities: number[]) => void }
    init(1_000, 1_000, 100_000)
    const [small, bytes] = [100_000 * 64, memory.buffer.byteLength]
    expect(bytes).toBeGreaterThan(small)
    expect(() => init(1, 1, 1)).toThrow('gave up')
  })

  test('stops before its outputs are full and goes on: a batch larger than all buffers loses nothing', () => {
    const slip = { target: 0x2000100, command: someSlip(60_000) }
    const batch = Array.from({ length: 200 }, (_, number) =>
      encodeLedgerCommand({ id: bytes16(number + 1) }, { ...deposit(bytes16(1), 1n), slip }),
    )
    const { outcomes, effects } = createLedgerMachine({ wasm, ...CAPACITIES, idsMax: 500 }).apply(
      batch,
      NOW,
      LEDGER_BEHAVIOUR_VERSION,
    )
    const numbers = outcomes.map((outcome) => decodeLedgerOutcome(outcome).transactionNumber)
    expect(numbers).toEqual(batch.map((_, index) => BigInt(index + 1)))
    expect(effects.map(({ commandIndex }) => commandIndex)).toEqual(batch.map((_, index) => index))
    expect(new Set(effects.map(({ bytes }) => hex(bytes)))).toEqual(new Set([hex(slip.command)]))
  })

  test('hands out copies: an answer does not change when the machine goes on', () => {
    const machine = create()
    const first = machine.apply(
      [encodeLedgerCommand({ id: bytes16(1) }, deposit(bytes16(1), 1n))],
      NOW,
      machine.behaviourVersion,
    ).outcomes[0]!
    const before = hex(first)
    machine.apply([encodeLedgerCommand({ id: bytes16(2) }, deposit(bytes16(2), 2n))], NOW, machine.behaviourVersion)
    expect(hex(first)).toBe(before)
  })

  test('refuses to run under a behaviour it does not know', () => {
    const unknown = LEDGER_BEHAVIOUR_VERSION + 1
    expect(() => create().apply([], NOW, unknown)).toThrow(`behaviour ${unknown} is unknown`)
  })
})

describe('A snapshot', () => {
  /** 16 fixed, three capacities, five parts. */
  const HEADER_BYTES = 16 + 4 * 3 + 4 * 5

  const taken = (): Uint8Array => {
    const { machine, tell } = told(create())
    tell(deposit(bytes16(1), 100n), { id: bytes16(1) })
    tell({ kind: 'HOLD', legs: [customer(bytes16(1), 5n), customer(bytes16(1), 6n)] }, { id: bytes16(2) })
    tell({ kind: 'RELEASE', holds: [{ id: bytes16(2), index: 0 }] })
    return machine.snapshot()
  }

  test('holds the used part only: its size is that of the records, not of the capacities', () => {
    expect(taken().length).toBe(HEADER_BYTES + 64 + 2 * 80 + 2 * 64 + 2 * 64)
    expect(createLedgerMachine({ wasm, ...CAPACITIES, idsMax: 1_000_000 }).snapshot().length).toBe(HEADER_BYTES + 64)
  })

  test('replaces whatever the machine held', () => {
    const bytes = taken()
    const { machine, tell } = told(create())
    tell(deposit(bytes16(9), 7n), { id: bytes16(9) })
    machine.restore(bytes)
    const other = create()
    other.restore(bytes)
    expect(machine.stateHash()).toBe(other.stateHash())
    expect(machine.snapshot()).toEqual(bytes)
  })

  test.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ['nothing', () => new Uint8Array(0), 'is none'],
    ['other bytes', (bytes) => bytes.fill(0, 0, 4), 'magic'],
    ['an unknown schema version', (bytes) => bytes.fill(9, 4, 5), 'schema version'],
    ['another machine', (bytes) => bytes.fill(2, 8, 9), 'machine is 2'],
    ['other capacities', (bytes) => bytes.fill(1, 16, 17), 'capacity 0'],
    ['a cut end', (bytes) => bytes.slice(0, -8), 'is cut'],
    ['bytes too many', (bytes) => new Uint8Array([...bytes, 0]), 'too many'],
    [
      'a count that contradicts its records',
      (bytes) => bytes.fill(1, HEADER_BYTES + 8, HEADER_BYTES + 9),
      'contradicts itself',
    ],
  ])('is refused when it is %s, and the machine keeps what it has', (_what, spoil, message) => {
    const { machine, tell } = told(create())
    tell(deposit(bytes16(9), 7n))
    const before = machine.stateHash()
    expect(() => machine.restore(spoil(taken()))).toThrow(message)
    expect(machine.stateHash()).toBe(before)
  })
})

describe('The state hash', () => {
  const hashOf = (...records: bigint[][]): string => {
    const hash = createStateHash()
    for (const record of records) hash.mix(record, 1n)
    return hash.hex()
  }

  test('does not depend on the order of records, but on the order of words, their place and their kind', () => {
    expect(hashOf([1n, 2n], [3n])).toBe(hashOf([3n], [1n, 2n]))
    expect(new Set([hashOf([1n, 2n]), hashOf([2n, 1n]), hashOf([1n], [2n]), hashOf([1n, 2n, 0n]), hashOf()]).size).toBe(
      5,
    )
    const tagged = createStateHash()
    tagged.mix([1n, 2n], 2n)
    expect(tagged.hex()).not.toBe(hashOf([1n, 2n]))
  })

  test('is the one of the module for an empty ledger: a change of either is noticed', () => {
    const hash = createStateHash()
    hash.mix([0n], 0x73746174n)
    expect(create().stateHash()).toBe(hash.hex())
    expect(create().stateHash()).toMatch(/^[0-9a-f]{32}$/)
  })
})
