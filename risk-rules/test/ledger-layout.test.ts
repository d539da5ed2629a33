/** The drawings above the ledger's records are held to what the module really writes. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { currencyNumber, systemAccountKey } from '../src/ledger/accounts.ts'
import { getInt128 } from '../src/ledger/codec.ts'
import { createLedgerMachine } from '../src/ledger/machine.ts'
import { alice, bytes16, CAPACITIES, customer, deposit, hex, NOW, told, wasm } from './ledger-support.ts'

/** Field → offset of the drawing that follows `above`: each number stands over the stroke that begins its field. */
const drawn = (file: string, above: string): Record<string, number> => {
  const lines = readFileSync(new URL(`../assembly/${file}`, import.meta.url), 'utf8').split('\n')
  const start = lines.findIndex((line) => line.includes(above))
  const at = lines.findIndex((line, index) => index > start && line.includes('├'))
  const [numbers, names] = [lines[at - 1]!, lines[at]!]
  const fields = [...numbers.matchAll(/\d+/g)].map((match) => {
    expect(names[match.index]).toMatch(/[├┼]/)
    const name = /^[├┼][ ─]*([A-Za-z]+)/.exec(names.slice(match.index))![1]!
    return [name, Number(match[0])]
  })
  expect(fields).toHaveLength([...names.matchAll(/[├┼]/g)].length)
  return Object.fromEntries(fields) as Record<string, number>
}

/** Regions of a snapshot, in the order of `snapshotParts`, as views. */
const partsOf = (snapshot: Uint8Array): DataView[] => {
  const sizes = new DataView(snapshot.buffer)
  let at = 48
  return Array.from({ length: 5 }, (_, part) => {
    const size = sizes.getUint32(28 + 4 * part, true)
    at += size
    return new DataView(snapshot.buffer, at - size, size)
  })
}

const bytesAt = (view: DataView, at: number): string => hex(new Uint8Array(view.buffer, view.byteOffset + at, 16))

const { machine, tell } = told(createLedgerMachine({ wasm, ...CAPACITIES }))
tell(deposit(alice, 100n), { id: bytes16(1), requestHash: bytes16(2) })
tell(deposit(alice, 7n, 'BTC'))
tell({ kind: 'HOLD', legs: [customer(alice, 5n), customer(alice, 6n), customer(alice, 8n)] }, { id: bytes16(3) })
tell({ kind: 'RELEASE', holds: [{ id: bytes16(3), index: 0 }] })
const [state, accounts, holds, ids] = partsOf(machine.snapshot()) as [DataView, DataView, DataView, DataView]

describe('The drawing above', () => {
  test('the state block is where its fields are', () => {
    const at = drawn('ledger/state.ts', 'The state block')
    expect(state.getBigUint64(at['lastTransaction']!, true)).toBe(2n)
    expect(state.getUint32(at['accountCount']!, true)).toBe(4)
    expect(state.getUint32(at['holdsUsed']!, true)).toBe(3)
    expect(state.getUint32(at['freeHold']!, true)).toBe(1)
    expect(state.getUint32(at['openHolds']!, true)).toBe(2)
  })

  test('an account is where its fields are', () => {
    const at = drawn('ledger/accounts.ts', 'The record:')
    expect(bytesAt(accounts, at['owner']!)).toBe(hex(alice))
    expect(accounts.getBigUint64(at['currency']!, true)).toBe(currencyNumber('USDC'))
    expect(accounts.getUint32(at['kind']!, true)).toBe(1)
    expect(getInt128(accounts, at['balance']!)).toBe(100n)
    expect(getInt128(accounts, at['locked']!)).toBe(14n)
    expect(accounts.getBigUint64(at['version']!, true)).toBe(3n)
    expect(accounts.getUint32(at['nextOfOwner']!, true)).toBe(3)
    expect(accounts.getUint32(at['ownerCount']!, true)).toBe(2)
    expect(bytesAt(accounts, 80 + at['owner']!)).toBe(hex(systemAccountKey('bank', 'USDC', 'ABB').owner))
    expect(getInt128(accounts, 80 + at['balance']!)).toBe(-100n)
  })

  test('a hold is where its fields are, open and free', () => {
    const at = drawn('ledger/holds.ts', 'The record:')
    expect(holds.getUint32(at['state']!, true)).toBe(0)
    expect(holds.getUint32(at['nextFree']!, true)).toBe(0)
    expect(bytesAt(holds, 64 + at['id']!)).toBe(hex(bytes16(3)))
    expect(holds.getUint32(64 + at['index']!, true)).toBe(1)
    expect(holds.getUint32(64 + at['state']!, true)).toBe(1)
    expect(getInt128(holds, 64 + at['amount']!)).toBe(6n)
    expect(holds.getUint32(64 + at['account']!, true)).toBe(0)
  })

  test('a remembered id is where its fields are', () => {
    const at = drawn('shared/id-table.ts', 'An entry:')
    expect(bytesAt(ids, at['id']!)).toBe(hex(bytes16(1)))
    expect(bytesAt(ids, at['requestHash']!)).toBe(hex(bytes16(2)))
    expect(ids.getBigInt64(at['time']!, true)).toBe(NOW)
    expect([ids.getUint16(at['code']!, true), ids.getUint16(at['kind']!, true)]).toEqual([0, 2])
    expect(ids.getUint32(at['bodyBytes']!, true)).toBe(16)
    expect(ids.getBigUint64(at['body']!, true)).toBe(1n)
  })
})
