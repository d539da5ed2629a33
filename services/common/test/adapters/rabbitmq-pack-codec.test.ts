import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  BODY_BYTES_MAX,
  createPackWriter,
  createReplyWriter,
  decodeMessages,
  decodeReplies,
  HEADER_BYTES_MAX,
  PACK_BYTES_MAX,
  PACK_COUNT_MAX,
  PackError,
} from '../../src/adapters/rabbitmq/pack-codec.ts'
import { messageTypes, type BusMessage, type BusReply } from '../../src/ports/bus.ts'

const U32 = 0xffff_ffff
const U64 = 2n ** 64n - 1n

const messages: fc.Arbitrary<BusMessage> = fc
  .record(
    {
      type: fc.constantFrom(...messageTypes),
      body: fc.uint8Array({ maxLength: 200 }),
      sender: fc.integer({ min: 0, max: U32 }),
      sequence: fc.bigInt({ min: 0n, max: U64 }),
      deadlineMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      headers: fc.dictionary(
        fc.string({ unit: 'binary', maxLength: 12 }).filter((name) => name !== '__proto__'),
        fc.string({ unit: 'binary', maxLength: 40 }),
        { maxKeys: 4, noNullPrototype: true },
      ),
    },
    { requiredKeys: ['type', 'body'] },
  )
  .map((message) => message as BusMessage)

const replies: fc.Arbitrary<BusReply> = fc.record({
  status: fc.constantFrom('ok' as const, 'unavailable' as const, 'overloaded' as const),
  sequence: fc.bigInt({ min: 0n, max: U64 }),
  body: fc.uint8Array({ maxLength: 200 }),
})

const packOf = (parts: readonly BusMessage[]): Buffer => {
  const writer = createPackWriter()
  parts.forEach((message, index) => writer.add(message, index))
  return writer.seal(1_234.5)
}
const command = (size: number): BusMessage => ({ type: 'command', body: new Uint8Array(size).fill(7) })

describe('packs of messages', () => {
  test('come out as they went in, bodies at multiples of 8', () => {
    fc.assert(
      fc.property(fc.array(messages, { minLength: 1, maxLength: 20 }), (sent) => {
        // Somewhere in a larger buffer, as the driver gives it.
        const bytes = packOf(sent)
        const around = Buffer.alloc(bytes.length + 3)
        bytes.copy(around, 3)
        const { parts, sentAtMs } = decodeMessages(around.subarray(3))
        expect(parts.map(({ message }) => message)).toEqual(sent)
        expect(parts.map(({ correlation }) => correlation)).toEqual(sent.map((_, index) => index))
        expect(sentAtMs).toBe(1_234.5)
        for (const { message } of parts) expect(message.body.byteOffset % 8).toBe(0)
      }),
    )
  })

  test('copy the body when it is added', () => {
    const body = Uint8Array.of(1, 2, 3)
    const writer = createPackWriter()
    writer.add({ type: 'command', body }, 1)
    body.fill(0)
    expect([...decodeMessages(writer.seal(0)).parts[0]!.message.body]).toEqual([1, 2, 3])
  })

  test('leave out what is removed and keep the rest in order', () => {
    const writer = createPackWriter()
    const spans = [10, 20, 30, 40].map((size, index) => writer.add(command(size), index))
    writer.remove([spans[0]!, spans[2]!])
    expect(writer.count()).toBe(2)
    expect(decodeMessages(writer.seal(0)).parts.map(({ message }) => message.body.length)).toEqual([20, 40])
  })

  test('take a first message of any size, and more only within count and bytes', () => {
    const large = createPackWriter()
    expect(large.hasRoomFor(command(PACK_BYTES_MAX * 2))).toBe(true)
    large.add(command(PACK_BYTES_MAX * 2), 0)
    expect(large.hasRoomFor(command(1))).toBe(false)
    const many = createPackWriter()
    for (let count = 0; count < PACK_COUNT_MAX; count++) many.add(command(0), 0)
    expect(many.hasRoomFor(command(0))).toBe(false)
    expect(decodeMessages(many.seal(0)).parts).toHaveLength(PACK_COUNT_MAX)
  })

  test('refuse bodies and headers beyond their limits', () => {
    const writer = createPackWriter()
    expect(() => writer.add(command(BODY_BYTES_MAX + 1), 0)).toThrow(RangeError)
    expect(() => writer.add({ ...command(1), headers: { name: 'x'.repeat(HEADER_BYTES_MAX) } }, 0)).toThrow(RangeError)
    expect(writer.count()).toBe(0)
  })

  test('are read or refused with a PackError, whatever the bytes are', () => {
    const whole = packOf([{ ...command(20), headers: { traceparent: '00-1-2-03' } }, command(3)])
    const spoiled = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, value]) => {
      const bytes = Buffer.from(whole)
      bytes[at] = value
      return bytes
    })
    const cut = fc.nat(whole.length - 1).map((length) => whole.subarray(0, length))
    fc.assert(
      fc.property(fc.oneof(spoiled, cut, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        try {
          decodeMessages(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(PackError)
        }
      }),
      { numRuns: 2_000 },
    )
    fc.assert(fc.property(cut, (bytes) => expect(() => decodeMessages(bytes)).toThrow(PackError)))
  })
})

describe('packs of replies', () => {
  test('take no more than they are to hold', () => {
    const writer = createReplyWriter(2)
    const reply: BusReply = { status: 'ok', sequence: 1n, body: new Uint8Array(8) }
    writer.add(1, reply)
    expect(writer.hasRoomFor(reply)).toBe(true)
    writer.add(2, reply)
    expect(writer.hasRoomFor(reply)).toBe(false)
  })

  test('come out as they went in', () => {
    fc.assert(
      fc.property(fc.array(replies, { minLength: 1, maxLength: 20 }), (sent) => {
        const writer = createReplyWriter()
        sent.forEach((reply, index) => writer.add(index + 1, reply))
        const got: [number, BusReply][] = []
        decodeReplies(writer.seal(), (correlation, reply) => got.push([correlation, reply]))
        expect(got).toEqual(sent.map((reply, index) => [index + 1, reply]))
      }),
    )
  })

  test('are read or refused with a PackError, whatever the bytes are; a pack of messages is none', () => {
    const none = (): undefined => undefined
    expect(() => decodeReplies(packOf([command(1)]), none)).toThrow(PackError)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeReplies(bytes, none)
        } catch (error) {
          expect(error).toBeInstanceOf(PackError)
        }
      }),
    )
  })
})
