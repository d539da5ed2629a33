import { describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { partitionIndexOf } from '@bourse/common/kernel/partition.ts'
import {
  accountKindOfNumber,
  accountKinds,
  bankCustomerOwner,
  currencyCode,
  currencyNumber,
} from '../src/ledger/accounts.ts'
import { insurancePartitionOf, systemAccount, systemAccountKey, systemAccountName } from '../src/ledger/accounts.ts'
import { transactionTypeOfNumber, transactionTypes } from '../src/ledger/accounts.ts'
import { decodeInstruction, encodeInstruction, encodeLedgerCommand, getInt128, setInt128 } from '../src/ledger/codec.ts'
import type { Instruction } from '../src/ledger/codec.ts'
import { alice, bytes16, chance, customer, hex, someSlip, system } from './ledger-support.ts'

describe('The codec of instructions', () => {
  test('reads back what it wrote, for every part at once', () => {
    const instruction: Instruction = {
      kind: 'SETTLE',
      transactionType: 3,
      holds: [
        { id: bytes16(1), index: 0 },
        { id: bytes16(2), index: 7 },
      ],
      legs: [customer(alice, -12n), system('house', 13n, 'BTC_USDC'), system('fees', -(10n ** 20n) + 1n, '', 'BTC')],
      reference: bytes16(3),
      memo: new Uint8Array([1, 2, 3]),
      slip: { target: 0x1000003, command: someSlip() },
    }
    const decoded = decodeInstruction(encodeLedgerCommand({ id: bytes16(9) }, instruction))
    expect(decoded).toEqual(instruction)
  })

  test('leaves out entries of nothing, but no holds of nothing', () => {
    const legs = [customer(alice, 0n), customer(alice, 5n), system('fees', -5n)]
    expect(decodeInstruction(encodeLedgerCommand({}, { kind: 'POST', legs })).legs.map(({ amount }) => amount)).toEqual(
      [5n, -5n],
    )
    expect(decodeInstruction(encodeLedgerCommand({}, { kind: 'HOLD', legs: legs.slice(0, 2) })).legs).toHaveLength(2)
  })

  test.each<[string, Instruction, string]>([
    ['legs', { kind: 'POST', legs: Array.from({ length: 17 }, () => customer(alice, 1n)) }, '17 legs'],
    ['holds', { kind: 'RELEASE', holds: Array.from({ length: 9 }, (_, index) => ({ id: alice, index })) }, '9 holds'],
    ['memo bytes', { kind: 'POST', memo: new Uint8Array(513) }, '513 bytes'],
    ['bytes in an owner', { kind: 'POST', legs: [{ ...customer(alice, 1n), owner: new Uint8Array(17) }] }, '16 bytes'],
    [
      'bytes in a slip than it says',
      { kind: 'HOLD', slip: { target: 1, command: new Uint8Array(64) } },
      'whole command',
    ],
  ])('refuses more %s than there can be', (_what, instruction, message) => {
    expect(() => encodeInstruction(instruction)).toThrow(message)
  })

  test('128-bit integers keep every bit and the sign', () => {
    const view = new DataView(new ArrayBuffer(16))
    const random = chance(5)
    const edges = [0n, 1n, -1n, 10n ** 20n, -(10n ** 20n), 2n ** 64n, -(2n ** 64n), 2n ** 127n - 1n, -(2n ** 127n)]
    const others = Array.from({ length: 100 }, () => BigInt.asIntN(128, BigInt(`0x${hex(random.bytes(16))}`)))
    for (const value of [...edges, ...others]) {
      setInt128(view, 0, value)
      expect(getInt128(view, 0)).toBe(value)
    }
  })
})

describe('The chart of accounts', () => {
  test('has a number for each kind and each type of transaction, none twice, and reads it back', () => {
    for (const [kind, { number }] of Object.entries(accountKinds)) expect(accountKindOfNumber(number)).toBe(kind)
    for (const [type, number] of Object.entries(transactionTypes)) expect(transactionTypeOfNumber(number)).toBe(type)
    expect(() => accountKindOfNumber(0)).toThrow('unknown')
    expect(() => transactionTypeOfNumber(99)).toThrow('unknown')
    expect(transactionTypeOfNumber(0)).toBeNull()
  })

  test('lets exactly house, omnibus, exchange, promotion, clearing and bank go below zero', () => {
    const below = Object.entries(accountKinds).filter(([, { mayGoBelowZero }]) => mayGoBelowZero)
    expect(below.map(([kind]) => kind)).toEqual(['house', 'omnibus', 'exchange', 'promotion', 'clearing', 'bank'])
  })

  test('names system accounts by the SHA-256 of their name', () => {
    const digest = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 32)
    expect(hex(systemAccount('house:BTC_USDC'))).toBe(digest('house:BTC_USDC'))
    expect(hex(systemAccountKey('clearing', 'USDC').owner)).toBe(digest('clearing'))
    expect(hex(bankCustomerOwner('abb', 'u-1'))).toBe(digest('bank-user:abb:u-1'))
    expect(systemAccountName('insurance', 'BTC_USDC')).toBe('insurance:BTC_USDC')
    expect(() => systemAccountName('house')).toThrow('house:{}')
    expect(() => systemAccountName('fees', 'BTC_USDC')).toThrow('fees')
  })

  test('places the insurance account of a pair by its name', () => {
    for (const partitions of [1, 2, 8, 64]) {
      const index = insurancePartitionOf('BTC_USDC', partitions)
      expect(index).toBe(partitionIndexOf(systemAccount('insurance:BTC_USDC'), partitions))
      expect(index).toBeLessThan(partitions)
    }
  })

  test('reads and writes currencies', () => {
    for (const code of ['USDC', 'A', 'ABCDEFGH', '1INCH']) expect(currencyCode(currencyNumber(code))).toBe(code)
    expect(currencyNumber('USDC')).toBe(0x43445355n)
    for (const code of ['', 'usdc', 'ABCDEFGHI', 'A B', 'Ä'])
      expect(() => currencyNumber(code)).toThrow('no currency code')
    for (const number of [0n, 0x4100n, 0x61n]) expect(() => currencyCode(number)).toThrow('no currency')
  })
})
