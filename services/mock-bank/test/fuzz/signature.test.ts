import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { signatureOf } from '../../../bridge/src/adapters/bank-http.ts'
import { fuzzed, readOnce, textMutationsOf } from '@bourse/common/testkit/fuzz.ts'
import { isSigned } from '../../src/signature.ts'

const bodies = fc.string({ unit: 'binary', maxLength: 80 })
const secrets = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 2 })
const seconds = fc.nat({ max: 4_102_444_800 })
const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')

describe('the signature of a webhook', () => {
  test('holds for its body and each of its secrets, and for no other', () => {
    fc.assert(
      fc.property(seconds, bodies, secrets, bodies, (at, body, known, other) => {
        const header = signatureOf(at, body, known)
        for (const secret of known) expect(isSigned(header, bytes(body), [secret])).toBe(true)
        if (other !== body) expect(isSigned(header, bytes(other), known)).toBe(false)
        expect(isSigned(header, bytes(body), [`${known.join('')}x`])).toBe(false)
        expect(isSigned(header, bytes(body), [])).toBe(false)
      }),
      fuzzed(),
    )
  })

  test('with any change is refused, and any other header is none', () => {
    const signed = fc.tuple(seconds, bodies, secrets)
    fc.assert(
      fc.property(signed, fc.func(fc.nat()), fc.oneof(bodies, fc.constant('')), ([at, body, known], _, noise) => {
        const header = signatureOf(at, body, known)
        for (const changed of fc.sample(textMutationsOf(fc.constant(header)), { numRuns: 3, seed: at })) {
          const read = readOnce(() => isSigned(changed, bytes(body), known), [])
          // One of two signatures may be lost or spoilt and the other still holds; nothing else may.
          const [time, ...signatures] = header.split(',')
          const [timeNow, ...now] = changed.split(',')
          const isHalf = timeNow === time && now.some((signature) => signatures.includes(signature))
          if ('value' in read && !isHalf) expect(read.value).toBe(false)
        }
        expect(isSigned(noise, bytes(body), known)).toBe(false)
      }),
      fuzzed(0.5),
    )
  })
})
