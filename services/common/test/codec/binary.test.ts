import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BinaryError, createBinaryReader, createBinaryWriter } from '@bourse/common/codec/binary.ts'

const I128 = 1n << 127n

describe('A binary writer and reader', () => {
  test('give back every value, however the buffer had to grow.', () => {
    const values = fc.record({
      small: fc.nat(0xff),
      medium: fc.nat(0xffff),
      large: fc.nat(0xffffffff),
      natural: fc.bigInt(0n, (1n << 64n) - 1n),
      signed: fc.bigInt(-(1n << 63n), (1n << 63n) - 1n),
      wide: fc.bigInt(-I128, I128 - 1n),
      flag: fc.boolean(),
      text: fc.string({ unit: 'binary', maxLength: 60 }),
      blob: fc.uint8Array({ maxLength: 60 }),
      list: fc.array(fc.bigInt(-I128, I128 - 1n), { maxLength: 5 }),
    })
    fc.assert(
      fc.property(values, (value) => {
        const writer = createBinaryWriter(1)
        writer.u8(value.small).u16(value.medium).u32(value.large)
        writer.u64(value.natural).i64(value.signed).i128(value.wide).flag(value.flag)
        writer
          .text(value.text)
          .blob(value.blob)
          .list(value.list, (item) => {
            writer.i128(item)
          })
          .pad8()
        const bytes = writer.finish()
        expect(bytes.length % 8).toBe(0)
        const reader = createBinaryReader(bytes)
        const read = {
          small: reader.u8(),
          medium: reader.u16(),
          large: reader.u32(),
          natural: reader.u64(),
          signed: reader.i64(),
          wide: reader.i128(),
          flag: reader.flag(),
          text: reader.text(),
          blob: reader.blob(),
          list: reader.list(5, () => reader.i128()),
        }
        reader.pad8()
        reader.end()
        expect(read).toEqual(value)
      }),
    )
  })

  test('write little endian, the low half of 128 bits first.', () => {
    const bytes = createBinaryWriter().u16(0x0102).i128(-2n).finish()
    expect([...bytes]).toEqual([2, 1, 0xfe, ...Array<number>(15).fill(0xff)])
  })

  test.each([
    ['u8', 256],
    ['u8', -1],
    ['u8', 1.5],
    ['u16', 65_536],
    ['u32', 2 ** 32],
  ] as const)('refuse a value that does not fit: %s of %d.', (method, value) => {
    expect(() => createBinaryWriter()[method](value)).toThrow(BinaryError)
  })

  test.each([
    ['u64', -1n],
    ['u64', 1n << 64n],
    ['i64', 1n << 63n],
    ['i128', I128],
    ['i128', -I128 - 1n],
  ] as const)('refuse a large value that does not fit: %s of %d.', (method, value) => {
    expect(() => createBinaryWriter()[method](value)).toThrow(BinaryError)
  })

  test('refuse to read past the end, a flag that is none, text that is not UTF-8, too long a list and left-over bytes.', () => {
    expect(() => createBinaryReader(new Uint8Array(7)).u64()).toThrow(BinaryError)
    expect(() => createBinaryReader(new Uint8Array([2])).flag()).toThrow('not a flag')
    expect(() => createBinaryReader(new Uint8Array([1, 0, 0xff])).text()).toThrow('not UTF-8')
    expect(() => createBinaryReader(new Uint8Array([3, 0, 0, 0])).list(2, () => 0)).toThrow('at most 2')
    expect(() => createBinaryReader(new Uint8Array([255, 255, 255, 255])).blob()).toThrow(BinaryError)
    expect(() => createBinaryReader(new Uint8Array(8)).end()).toThrow('too many')
    expect(() => createBinaryReader(new Uint8Array([0, 1])).end()).toThrow('not zero')
    createBinaryReader(new Uint8Array(7)).end()
  })
})
