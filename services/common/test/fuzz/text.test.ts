import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readConfig } from '@bourse/common/config/read.ts'
import { variables } from '@bourse/common/config/variables.ts'
import { JSON_DEPTH_MAX, JsonError, parseJson, type JsonValue } from '@bourse/common/json/parse.ts'
import { AmountError, formatAmount, parseAmount, parseJsonNumber } from '@bourse/common/money/amount.ts'
import { fuzzed, readOnce, textMutationsOf } from '@bourse/common/testkit/fuzz.ts'

const sameValue = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right)

/** The numbers of a value with where they stand, as the reader tells them. */
const numbersOf = (
  value: JsonValue,
  numberText: (holder: object, key: string | number) => string | undefined,
): [number, string | undefined][] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]): [number, string | undefined][] =>
    typeof part === 'number' ? [[part, numberText(value, key)]] : numbersOf(part as JsonValue, numberText),
  )
}

const values = fc.jsonValue({ maxDepth: 4 })
const texts = values.map((value) => JSON.stringify(value))
const numberTexts = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9]\d{0,30})(\.\d{1,30})?([eE][+-]?\d{1,4})?$/),
  fc.constantFrom('-0', '1e400', '-0.0', '1E-400', '9007199254740993', '1e0000', '0e9999'),
)

describe('the JSON reader', () => {
  test('reads what any writer wrote, unless it is too deep or has the one forbidden name', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: JSON_DEPTH_MAX + 4 }), fc.nat(3), (value, space) => {
        const text = JSON.stringify(value, null, space)
        const read = readOnce(() => parseJson(text), [JsonError])
        if ('error' in read) expect(read.error.message).toMatch(/nested deeper|__proto__/)
        else expect(sameValue(read.value.value, value)).toBe(true)
      }),
      fuzzed(),
    )
  })

  test('refuses every other text JsonError, and agrees with the runtime on what it takes', () => {
    const nested = fc.nat(40_000).map((depth) => '[{"a":'.repeat(depth))
    const strange = fc.oneof(
      textMutationsOf(texts),
      fc.string({ unit: 'binary' }),
      nested,
      texts.map((text) => `{"a":${text},"a":1}`),
    )
    fc.assert(
      fc.property(strange, (text) => {
        const read = readOnce(() => parseJson(text), [JsonError])
        if ('error' in read) expect(read.error.message.length).toBeLessThan(200)
        else expect(sameValue(read.value.value, JSON.parse(text))).toBe(true)
      }),
      fuzzed(),
    )
  })

  test('keeps the source text of every number, wherever it stands', () => {
    fc.assert(
      fc.property(fc.array(numberTexts, { minLength: 1, maxLength: 5 }), fc.string(), (numbers, name) => {
        const key = name === '__proto__' ? 'a' : name
        const text = `{${JSON.stringify(key)}:[${numbers.join(', ')}], ${JSON.stringify(`other${key}`)}: {"x": ${numbers[0]!} }}`
        const { value, numberText } = parseJson(text)
        const found = numbersOf(value, numberText)
        expect(found.map(([, source]) => source).toSorted()).toEqual([...numbers, numbers[0]].toSorted())
        for (const [number, source] of found) expect(Number(source)).toBe(number)
      }),
      fuzzed(),
    )
  })
})

describe('amounts', () => {
  test('of JSON numbers: any text is refused AmountError or is exact', () => {
    fc.assert(
      fc.property(
        fc.oneof(numberTexts, textMutationsOf(numberTexts), fc.string({ unit: 'binary', maxLength: 90 })),
        (text) => {
          const read = readOnce(() => parseJsonNumber(text), [AmountError])
          if ('error' in read) return
          // Scaled by a power of ten in text: the number again, digit by digit.
          const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
          const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
          const shift = Number(exponent) - fraction.length + 8
          const digits = BigInt(`${whole}${fraction}`)
          const magnitude = read.value < 0n ? -read.value : read.value
          if (digits === 0n) expect(magnitude).toBe(0n)
          else if (shift >= 0) expect(magnitude).toBe(digits * 10n ** BigInt(shift))
          else expect(magnitude * 10n ** BigInt(-shift)).toBe(digits)
          expect(parseAmount(formatAmount(read.value))).toBe(read.value)
        },
      ),
      fuzzed(2),
    )
  })
})

const names = Object.keys(variables)
const settings = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '0',
    '1',
    '256',
    '257',
    '-1',
    '1e3',
    'true',
    'http://x',
    'http://[',
    'x'.repeat(5_000),
    ',,,',
    'production',
    '٣',
    ' 5',
    '0x10',
  ),
  fc.integer().map(String),
)
const bankNames = fc.constantFrom(
  'BOURSE_BANK_DEMO_API_KEY',
  'BOURSE_BANK__API_KEY',
  'BOURSE_BANK_DEMO_WEBHOOK_SECRET',
  'BOURSE_BANK_A_API_KEY_FILE',
)
const environments = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...names),
    fc.constantFrom(...names.map((name) => `${name}_FILE`)),
    bankNames,
    fc.string().map((name) => `BOURSE_${name}`),
  ),
  settings,
  { maxKeys: 6 },
)

describe('the configuration', () => {
  test('of any environment is read or refused in words, and no secret stands in them', () => {
    const SECRET = 'a-secret-of-these-tests'
    fc.assert(
      fc.property(environments, fc.boolean(), (env, isProduction) => {
        const whole = {
          ...env,
          ...(isProduction ? { BOURSE_PROFILE: 'production' } : {}),
          AUTH_JWT_SECRET: SECRET.slice(0, 20),
          BOURSE_BANK_X_API_KEY: SECRET,
        }
        const read = readOnce(
          () =>
            readConfig(whole, 'platform', (path) => {
              if (path.length % 2 === 0) throw new Error('there is no such file')
              return `${SECRET}\n`
            }),
          [],
        )
        if ('error' in read) return
        const shown =
          'faults' in read.value
            ? read.value.faults
            : [
                JSON.stringify(read.value.config, (_, part: unknown) =>
                  typeof part === 'bigint' ? String(part) : part,
                ),
              ]
        for (const text of shown) expect(text).not.toContain(SECRET.slice(0, 20))
        if (!('faults' in read.value)) return
        expect(read.value.faults.length).toBeGreaterThan(0)
        // Words for an operator: bounded, whatever was set.
        for (const fault of read.value.faults) expect(fault.length).toBeLessThan(400)
      }),
      fuzzed(),
    )
  })
})
