import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { bytesOfHex, derivedId, hexOf, ownerOfUuid } from '../../src/platform/identity.ts'

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 })

describe('identities', () => {
  test('a user owns accounts under the 16 bytes of the UUID, whatever the case it is written in', () => {
    const uuid = '0190a5b2-7c4d-7e1f-8a9b-00c0ffee0001'
    expect([...ownerOfUuid(uuid)]).toEqual([
      ...[0x01, 0x90, 0xa5, 0xb2, 0x7c, 0x4d, 0x7e, 0x1f],
      ...[0x8a, 0x9b, 0x00, 0xc0, 0xff, 0xee, 0x00, 0x01],
    ])
    expect(ownerOfUuid(uuid.toUpperCase())).toEqual(ownerOfUuid(uuid))
  })

  test('different UUIDs are different owners, and the owner in hex is the UUID without its dashes', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (one, other) => {
        expect(ownerOfUuid(one)).toHaveLength(16)
        expect(hexOf(ownerOfUuid(one))).toBe(one.replaceAll('-', ''))
        expect(hexOf(ownerOfUuid(one)) === hexOf(ownerOfUuid(other))).toBe(one === other)
      }),
    )
  })

  test('bytes come back from hex, also when they are a part of larger ones', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 64 }), fc.nat({ max: 64 }), (bytes, from) => {
        const part = bytes.subarray(Math.min(from, bytes.length))
        expect(bytesOfHex(hexOf(part))).toEqual(part.slice())
      }),
    )
  })

  test('an id derived for a part follows from both, and is the same for ever', () => {
    const id = ownerOfUuid('0190a5b2-7c4d-7e1f-8a9b-00c0ffee0001')
    const expected = createHash('sha256')
      .update(Buffer.concat([id, Buffer.from('house:0')]))
      .digest()
    expect(derivedId(id, 'house:0')).toEqual(new Uint8Array(expected.subarray(0, 16)))
    fc.assert(
      fc.property(sixteen, sixteen, fc.nat({ max: 99 }), fc.nat({ max: 99 }), (a, b, i, j) => {
        const same = hexOf(derivedId(a, `state:${i}`)) === hexOf(derivedId(b, `state:${j}`))
        expect(same).toBe(hexOf(a) === hexOf(b) && i === j)
      }),
    )
  })
})
