/** The id table both machines share, seen through a ledger whose only commands register ids. */
import { describe, expect, test } from '@jest/globals'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import { encodeLedgerCommand } from '../src/ledger/codec.ts'
import { createLedgerMachine } from '../src/ledger/machine.ts'
import { decodeLedgerOutcome } from '../src/ledger/outcomes.ts'
import { decodeOutcomeOf, outcomeOfQuestion } from '../src/ledger/queries.ts'
import { bytes16, chance, hex, NOW, wasm } from './ledger-support.ts'

const WINDOW_MS = 600_000n
const create = (idsMax: number): Machine => createLedgerMachine({ wasm, accountsMax: 1, holdsMax: 1, idsMax })
const register = (id: Uint8Array, requestHash = bytes16(1)): Uint8Array =>
  encodeLedgerCommand({ id, requestHash }, { kind: 'HOLD' })
const codeOf = (machine: Machine, id: Uint8Array, now: bigint): string =>
  decodeLedgerOutcome(machine.apply([register(id)], now, machine.behaviourVersion).outcomes[0]!).code
const knows = (machine: Machine, id: Uint8Array): boolean =>
  decodeOutcomeOf(machine.query(outcomeOfQuestion(id, bytes16(1))).bytes).known

describe('The id table', () => {
  test.each([1, 7, 64])('of %i ids agrees with a plain map through wraps, expiry and restores', (capacity) => {
    const random = chance(capacity)
    const seen = new Map<string, bigint>()
    let machine = create(capacity)
    let now = NOW
    for (let step = 0; step < 4_000; step++) {
      now += BigInt(random.pick([0, 1, 40_000, random.int(60) === 0 ? 600_001 : 90_000]))
      for (const [key, time] of seen) if (time < now - WINDOW_MS) seen.delete(key)
      const id = bytes16(1 + random.int(capacity * 3), random.int(2))
      const requestHash = bytes16(random.int(8) === 0 ? 2 : 1)
      const isKnown = seen.has(hex(id))
      const expected = isKnown
        ? requestHash[15] === 1
          ? 'OK'
          : 'IDEMPOTENCY_CONFLICT'
        : seen.size < capacity
          ? 'OK'
          : 'UNAVAILABLE'
      const command = register(id, isKnown ? requestHash : bytes16(1))
      expect(decodeLedgerOutcome(machine.apply([command], now, machine.behaviourVersion).outcomes[0]!).code).toBe(
        expected,
      )
      if (!isKnown && expected === 'OK') seen.set(hex(id), now)
      if (random.int(100) === 0) {
        const [bytes, hash] = [machine.snapshot(), machine.stateHash()]
        machine = create(capacity)
        machine.restore(bytes)
        expect(machine.stateHash()).toBe(hash)
      }
    }
    for (let number = 1; number <= capacity * 3; number++) {
      for (const first of [0, 1])
        expect(knows(machine, bytes16(number, first))).toBe(seen.has(hex(bytes16(number, first))))
    }
  })

  test('tells ids apart by every one of their 16 bytes', () => {
    const machine = create(128 * 2)
    const ids = Array.from({ length: 128 }, (_, bit) => {
      const id = bytes16(0).fill(0x55)
      id[bit >> 3]! ^= 1 << (bit & 7)
      return id
    })
    for (const id of ids) expect(codeOf(machine, id, NOW)).toBe('OK')
    expect(ids.every((id) => knows(machine, id))).toBe(true)
    expect(knows(machine, bytes16(0).fill(0x55))).toBe(false)
  })

  test('forgets nearly all at once after a silence, and keeps the rest', () => {
    const machine = create(1_000)
    for (let number = 1; number <= 900; number++) codeOf(machine, bytes16(number), NOW)
    for (let number = 901; number <= 910; number++) codeOf(machine, bytes16(number), NOW + 1n)
    expect(codeOf(machine, bytes16(2_000), NOW + WINDOW_MS + 1n)).toBe('OK')
    const known = Array.from({ length: 910 }, (_, index) => knows(machine, bytes16(index + 1)))
    expect(known.filter(Boolean)).toHaveLength(10)
    expect(known.slice(900).every(Boolean)).toBe(true)
  })

  test('the hash of a state does not depend on where the ring stands, only on what is remembered', () => {
    const wrapped = create(4)
    for (let number = 1; number <= 3; number++) codeOf(wrapped, bytes16(number), NOW)
    const later = NOW + WINDOW_MS + 1n
    const fresh = create(4)
    for (const machine of [wrapped, fresh])
      for (let number = 10; number <= 12; number++) codeOf(machine, bytes16(number), later)
    expect(wrapped.stateHash()).toBe(fresh.stateHash())
    codeOf(fresh, bytes16(13), later)
    expect(wrapped.stateHash()).not.toBe(fresh.stateHash())
  })
})
