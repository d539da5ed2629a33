import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeSegment, encodeSegment, SegmentError, verifySegmentChain } from '@bourse/common/kernel/archive-codec.ts'
import { bodyOf, decodeHeader, encodeCommand, isCommand, withSender } from '@bourse/common/kernel/command.ts'
import type { CommandOrigin } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader, encodeOutcome, outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'
import { decodeRecord, encodeRecord, GENESIS_HASH, hashOf, RecordError } from '@bourse/common/kernel/record.ts'
import { verifyRecord, type JournalRecord } from '@bourse/common/kernel/record.ts'
import type { ArchiveSegment, StoredRecord } from '@bourse/common/ports/journal.ts'
import { fuzzed, mutationsOf, nearly, readLater, readOnce } from '@bourse/common/testkit/fuzz.ts'

const PARTITION = 0x0100_0003
const u32 = fc.nat({ max: 0xffff_ffff })
const u16 = fc.nat({ max: 0xffff })
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const i64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 })
const bodies = fc.uint8Array({ maxLength: 96 })

const headers = fc.record({
  kind: u16,
  origin: fc.constantFrom<CommandOrigin>(0, 1, 2, 3),
  flags: fc.nat({ max: 255 }),
  id: bytes16,
  requestHash: bytes16,
  sender: u32,
  sequence: u64,
})
const commands = fc.tuple(headers, bodies).map(([header, body]) => encodeCommand(header, body))
const outcomes = fc
  .tuple(fc.record({ code: u16, kind: u16, id: bytes16 }), bodies)
  .map(([header, body]) => encodeOutcome(header, body))

const records: fc.Arbitrary<JournalRecord> = fc
  .record({
    parts: fc.array(fc.tuple(commands, outcomes), { maxLength: 4 }),
    effects: fc.array(fc.record({ receiver: u32, number: u64, bytes: bodies }), { maxLength: 4 }),
    faulted: fc.array(u32, { maxLength: 3 }),
    sequence: u64,
    now: i64,
    behaviour: u16,
    previousHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .map(({ parts, ...rest }) => ({
    ...rest,
    partition: PARTITION,
    inputs: parts.map(([input]) => input),
    outcomes: parts.map(([, outcome]) => outcome),
  }))

/** The sequence-th record of a chain whose hashes continue. */
const chainOf = (parts: readonly JournalRecord[]): StoredRecord[] => {
  const chain: StoredRecord[] = []
  for (const [index, part] of parts.entries()) {
    const previousHash = chain.at(-1)?.hash ?? GENESIS_HASH
    chain.push(encodeRecord({ ...part, sequence: BigInt(index + 1), previousHash }))
  }
  return chain
}

describe('commands and outcomes', () => {
  test('are read as they were written, padding apart', () => {
    fc.assert(
      fc.property(headers, bodies, u32, u64, (header, body, sender, sequence) => {
        const command = encodeCommand(header, body)
        expect(isCommand(command)).toBe(true)
        expect(decodeHeader(command)).toEqual(header)
        const sent = withSender(command, sender, sequence)
        expect(decodeHeader(sent)).toEqual({ ...header, origin: 1, sender, sequence })
        for (const padded of [bodyOf(command), bodyOf(sent)]) {
          expect(padded.subarray(0, body.length)).toEqual(body)
          expect(padded.subarray(body.length).every((byte) => byte === 0)).toBe(true)
        }
      }),
      fuzzed(),
    )
    fc.assert(
      fc.property(fc.record({ code: u16, kind: u16, id: bytes16 }), bodies, (header, body) => {
        const outcome = encodeOutcome(header, body)
        expect(decodeOutcomeHeader(outcome)).toEqual(header)
        expect(outcomeBodyOf(outcome).subarray(0, body.length)).toEqual(body)
      }),
      fuzzed(),
    )
  })

  test('are told from bytes that are none, whatever these are, and what passes can be read', () => {
    fc.assert(
      fc.property(nearly(commands), (bytes) => {
        if (!isCommand(bytes)) return
        const view = new DataView(bytes.buffer, bytes.byteOffset)
        expect([view.getUint32(0, true), bytes.length % 8]).toEqual([bytes.length, 0])
        expect(encodeCommand(decodeHeader(bytes), bodyOf(bytes)).length).toBe(bytes.length)
      }),
      fuzzed(),
    )
  })
})

describe('a journal record', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(records, u32, (record, writer) => {
        expect(decodeRecord(encodeRecord(record, writer).body)).toEqual(record)
      }),
      fuzzed(),
    )
  })

  test('with any change is refused RecordError, or is another whole record: every part lies inside', () => {
    fc.assert(
      fc.property(nearly(records.map((record) => encodeRecord(record).body)), (bytes) => {
        const read = readOnce(() => decodeRecord(bytes), [RecordError])
        if ('error' in read) return
        const parts = [...read.value.inputs, ...read.value.outcomes]
        const sizes = parts.map((part) => part.length)
        const effects = read.value.effects.reduce((sum, effect) => sum + 16 + effect.bytes.length, 0)
        const inside = sizes.reduce((sum, size) => sum + size, 0) + effects + 4 * read.value.faulted.length
        expect(88 + inside).toBe(bytes.length)
        for (const part of parts)
          expect(new DataView(part.buffer, part.byteOffset).getUint32(0, true)).toBe(part.length)
      }),
      fuzzed(),
    )
  })

  test('with any change never verifies in its place', () => {
    fc.assert(
      fc.property(
        fc.array(records, { minLength: 1, maxLength: 3 }),
        fc.nat(),
        mutationsOf(fc.constant(new Uint8Array(8))),
        fc.nat(),
        (parts, which, noise, at) => {
          const chain = chainOf(parts)
          const index = which % chain.length
          const stored = chain[index]!
          const body = stored.body.slice()
          const place = at % body.length
          const change = noise[0] ?? 0
          if (change === 0) return
          body[place]! ^= change
          const expected = {
            partition: PARTITION,
            sequence: BigInt(index + 1),
            previousHash: chain[index - 1]?.hash ?? GENESIS_HASH,
          }
          expect(verifyRecord(stored, expected).sequence).toBe(expected.sequence)
          expect(() => verifyRecord({ ...stored, body }, expected)).toThrow(RecordError)
          // Forged with a hash that fits: the next record's chain notices.
          const next = chain[index + 1]
          if (next === undefined) return
          const forged = { partition: PARTITION, sequence: expected.sequence + 1n, previousHash: hashOf(body) }
          expect(() => verifyRecord(next, forged)).toThrow(RecordError)
        },
      ),
      fuzzed(),
    )
  })
})

const segmentOf = (bytes: Uint8Array, first: bigint, last: bigint): ArchiveSegment => ({
  first,
  last,
  sha256: hashOf(bytes),
  bytes,
})

describe('an archive segment', () => {
  test('gives back its records and continues the one before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(records, { minLength: 2, maxLength: 5 }), fc.nat(), async (parts, cut) => {
        const chain = chainOf(parts)
        const at = 1 + (cut % (chain.length - 1))
        const first = await encodeSegment(chain.slice(0, at), null)
        const second = await encodeSegment(chain.slice(at), first)
        verifySegmentChain([first, second])
        const read = [...(await decodeSegment(first)), ...(await decodeSegment(second))]
        expect(read.map(({ sequence }) => sequence)).toEqual(chain.map(({ sequence }) => sequence))
        expect(read.map(({ body }) => Buffer.from(body))).toEqual(chain.map(({ body }) => Buffer.from(body)))
      }),
      fuzzed(0.5),
    )
  })

  test('with any change is refused by its hash; with a hash that fits it gives as many records as it names', async () => {
    const segments = fc.array(records, { minLength: 1, maxLength: 3 }).map(chainOf)
    await fc.assert(
      fc.asyncProperty(segments, mutationsOf(fc.constant(new Uint8Array(64))), fc.nat(), async (chain, noise, at) => {
        const whole = await encodeSegment(chain, null)
        const bytes = whole.bytes.slice()
        const place = at % bytes.length
        noise.forEach((byte, index) => (bytes[(place + index) % bytes.length]! ^= byte))
        if (Buffer.compare(bytes, whole.bytes) === 0) return
        await expect(decodeSegment({ ...whole, bytes })).rejects.toThrow(SegmentError)
        const read = await readLater(() => decodeSegment(segmentOf(bytes, whole.first, whole.last)), [SegmentError])
        if ('value' in read) expect(read.value.length).toBe(Number(whole.last - whole.first) + 1)
      }),
      fuzzed(),
    )
  })

  test('of arbitrary bytes is refused SegmentError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const read = await readLater(() => decodeSegment(segmentOf(bytes, 1n, 1n)), [SegmentError])
        expect(read).toHaveProperty('error')
      }),
      fuzzed(),
    )
  })
})
