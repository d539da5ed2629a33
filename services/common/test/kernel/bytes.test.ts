/** Shortcuts around the headers and copies: they give the bytes that the long way gives. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createBytePool } from '../../src/codec/byte-pool.ts'
import {
  COMMAND_BYTES_MAX,
  commandOrigins,
  decodeHeader,
  encodeCommand,
  isCommand,
  kindOf,
  originOf,
  withSender,
} from '../../src/kernel/command.ts'
import { encodeOutcome } from '../../src/kernel/outcome.ts'
import { encodeRecord, GENESIS_HASH, type JournalRecord } from '../../src/kernel/record.ts'

const header = fc.record({
  kind: fc.integer({ min: 0, max: 0xffff }),
  origin: fc.constantFrom(...Object.values(commandOrigins)),
  sender: fc.integer({ min: 0, max: 0xffff_ffff }),
  sequence: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
})

describe('headers read byte by byte', () => {
  test('say what the decoded header says, and an addressed copy says its sender and number', () => {
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 300 }), ({ sender, sequence, ...given }, body) => {
        const command = encodeCommand(given, body)
        expect([kindOf(command), originOf(command)]).toEqual([given.kind, given.origin])
        expect(isCommand(command)).toBe(true)
        const sent = withSender(command, sender, sequence, createBytePool())
        expect(decodeHeader(sent)).toMatchObject({
          kind: given.kind,
          origin: commandOrigins.partition,
          sender,
          sequence,
        })
        expect(originOf(command)).toBe(given.origin)
      }),
    )
  })

  test('a size that differs in any of its four bytes makes bytes no command', () => {
    const largest = encodeCommand({ kind: 1 }, new Uint8Array(COMMAND_BYTES_MAX - 56))
    expect(isCommand(largest)).toBe(true)
    for (const at of [0, 1, 2, 3]) {
      const other = largest.slice()
      other[at] = other[at]! ^ 0x80
      expect(isCommand(other)).toBe(false)
    }
  })
})

describe('a record', () => {
  const record = (outcomes: readonly Uint8Array[]): JournalRecord => ({
    partition: 0x01000000,
    sequence: 1n,
    now: 5n,
    behaviour: 1,
    previousHash: GENESIS_HASH,
    inputs: outcomes.map((_, index) => encodeCommand({ kind: index }, new Uint8Array(index))),
    outcomes,
    effects: [],
    faulted: [],
  })

  test('has the same bytes wherever its outcomes lay: side by side, with gaps, out of order or each on its own', () => {
    const apart = [8, 0, 40, 16].map((bytes, index) =>
      encodeOutcome({ code: index, kind: 7, id: new Uint8Array(16).fill(index) }, new Uint8Array(bytes).fill(index)),
    )
    const placed = (order: readonly number[], gap: number): Uint8Array[] => {
      const buffer = new ArrayBuffer(1_024)
      const views: Uint8Array[] = []
      let at = 64
      for (const index of order) {
        const view = new Uint8Array(buffer, at, apart[index]!.length)
        view.set(apart[index]!)
        views[index] = view
        at += view.length + gap
      }
      return views
    }
    const expected = encodeRecord(record(apart))
    for (const outcomes of [placed([0, 1, 2, 3], 0), placed([0, 1, 2, 3], 8), placed([2, 3, 0, 1], 0)])
      expect(encodeRecord(record(outcomes))).toEqual(expected)
  })
})

describe('a byte pool', () => {
  test('gives copies that nothing written later touches, however many and however long', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 60 }), (sizes) => {
        const copied = createBytePool()
        const source = new Uint8Array(40_000)
        const copies = sizes.map((size, index) => {
          source.fill(index + 1)
          return copied(source.subarray(0, size))
        })
        source.fill(0)
        copies.forEach((copy, index) => {
          expect(copy.length).toBe(sizes[index])
          expect(copy.every((byte) => byte === index + 1)).toBe(true)
        })
      }),
      { numRuns: 30 },
    )
  })
})
