import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import {
  decodeSegment,
  encodeSegment,
  previousHashOf,
  SegmentError,
  verifySegmentChain,
} from '../../src/kernel/archive-codec.ts'
import type { ArchiveSegment, StoredRecord } from '../../src/ports/journal.ts'

const record = (sequence: bigint): StoredRecord => {
  const body = new TextEncoder().encode(`record ${sequence} ${'x'.repeat(Number(sequence % 50n))}`)
  return { sequence, body, hash: Uint8Array.from(createHash('sha256').update(body).digest()) }
}
const records = (first: bigint, last: bigint): StoredRecord[] =>
  Array.from({ length: Number(last - first) + 1 }, (_, index) => record(first + BigInt(index)))
const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(bytes).digest())
const reseal = (segment: ArchiveSegment, change: (bytes: Uint8Array) => void): ArchiveSegment => {
  const bytes = Uint8Array.from(segment.bytes)
  change(bytes)
  return { ...segment, bytes, sha256: sha256(bytes) }
}

describe('archive segments', () => {
  test('give back their records, byte for byte', async () => {
    const segment = await encodeSegment(records(1n, 300n), null)
    expect([segment.first, segment.last]).toEqual([1n, 300n])
    expect(Buffer.compare(segment.sha256, sha256(segment.bytes))).toBe(0)
    expect(await decodeSegment(segment)).toEqual(records(1n, 300n))
  })

  test('are chained: each carries the hash of the one before', async () => {
    const first = await encodeSegment(records(1n, 5n), null)
    const second = await encodeSegment(records(6n, 9n), first)
    const other = await encodeSegment(records(1n, 5n).with(2, { ...record(3n), body: new Uint8Array(3) }), null)
    expect(Buffer.compare(previousHashOf(second), first.sha256)).toBe(0)
    expect(() => verifySegmentChain([first, second])).not.toThrow()
    expect(() => verifySegmentChain([other, second])).toThrow(SegmentError)
    expect(() => verifySegmentChain([second])).toThrow(SegmentError)
  })

  test('with any flipped byte are refused', async () => {
    const segment = await encodeSegment(records(1n, 5n), null)
    for (let at = 0; at < segment.bytes.length; at += 7) {
      const bytes = Uint8Array.from(segment.bytes)
      bytes[at]! ^= 1
      await expect(decodeSegment({ ...segment, bytes })).rejects.toThrow(SegmentError)
    }
  })

  test('that were forged with a matching hash are refused for what they say', async () => {
    const segment = await encodeSegment(records(1n, 5n), null)
    const writes = (at: number, value: number) =>
      reseal(segment, (bytes) => new DataView(bytes.buffer).setUint32(at, value, true))
    for (const forged of [writes(0, 1), writes(4, 4), writes(8, 2), writes(16, 6), writes(24, 1), writes(28, 1)]) {
      await expect(decodeSegment(forged)).rejects.toThrow()
    }
    await expect(decodeSegment({ ...segment, last: 4n })).rejects.toThrow(SegmentError)
  })

  test('are not made of records with a gap, of none, or out of their place', async () => {
    await expect(encodeSegment([], null)).rejects.toThrow(RangeError)
    await expect(encodeSegment([record(1n), record(3n)], null)).rejects.toThrow(RangeError)
    await expect(encodeSegment([record(2n)], null)).rejects.toThrow(RangeError)
    await expect(encodeSegment([record(7n)], { last: 5n, sha256: new Uint8Array(32) })).rejects.toThrow(RangeError)
  })
})
