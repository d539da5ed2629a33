import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  AMOUNT_MAX_UNITS,
  AmountError,
  decimalsOfStep,
  formatAmount,
  parseAmount,
  parseJsonNumber,
  SCALE,
} from '../../src/money/amount.ts'

const MOST = '999999999999.99999999'
const zeros = (count: number): string => '0'.repeat(count)

/** Text, what it is as a decimal string and as a JSON number; null: refused. */
const table: readonly (readonly [string, bigint | null, bigint | null])[] = [
  ['0', 0n, 0n],
  ['-0', 0n, 0n],
  ['-0.00', 0n, 0n],
  ['100.00', 10_000_000_000n, 10_000_000_000n],
  ['-100.00', -10_000_000_000n, -10_000_000_000n],
  ['0.00000001', 1n, 1n],
  ['-0.00000001', -1n, -1n],
  ['0.000000010', 1n, 1n],
  ['0.000000001', null, null],
  ['0.123456789', null, null],
  ['1.100000000000', 110_000_000n, 110_000_000n],
  [MOST, AMOUNT_MAX_UNITS, AMOUNT_MAX_UNITS],
  [`-${MOST}`, -AMOUNT_MAX_UNITS, -AMOUNT_MAX_UNITS],
  ['1000000000000', null, null],
  ['-1000000000000', null, null],
  ['999999999999.999999999', null, null],
  ['123456789012345678901', null, null],
  ['007', 700_000_000n, null],
  [`${zeros(20)}1`, 100_000_000n, null],
  ['', null, null],
  ['-', null, null],
  ['.', null, null],
  ['1.', null, null],
  ['.5', null, null],
  ['-.5', null, null],
  ['+1', null, null],
  ['--1', null, null],
  ['1.2.3', null, null],
  ['1,000', null, null],
  ['1_000', null, null],
  ['0x10', null, null],
  ['1n', null, null],
  ['NaN', null, null],
  ['Infinity', null, null],
  [' 1', null, null],
  ['1 ', null, null],
  ['1\n', null, null],
  ['\t1', null, null],
  ['1\u00a0', null, null],
  ['\u0661\u0662', null, null],
  ['\uff11', null, null],
  ['\ud835\udfcf', null, null],
  ['\u22121', null, null],
  ['1\u0000', null, null],
  ['1e3', null, 100_000_000_000n],
  ['1E3', null, 100_000_000_000n],
  ['1e+3', null, 100_000_000_000n],
  ['-1.5E2', null, -15_000_000_000n],
  ['1e-8', null, 1n],
  ['10e-9', null, 1n],
  ['1e-9', null, null],
  ['1e11', null, 10_000_000_000_000_000_000n],
  ['1e12', null, null],
  ['1e400', null, null],
  ['-1e400', null, null],
  ['1e-400', null, null],
  ['0e400', null, 0n],
  ['0.0e-400', null, 0n],
  ['1e99999', null, null],
  ['0.00001e5', null, 100_000_000n],
  ['123.456e-2', null, 123_456_000n],
  ['1e', null, null],
  ['1e1.5', null, null],
  ['e1', null, null],
  ['1.e1', null, null],
  [`0.${zeros(62)}`, 0n, 0n],
  [`0.${zeros(63)}`, null, null],
  [zeros(64), 0n, null],
  [zeros(65), null, null],
  [`1${zeros(70)}`, null, null],
  ['9'.repeat(10_000), null, null],
]

const outcomeOf = (parse: (text: string) => bigint, text: string): bigint | null => {
  try {
    return parse(text)
  } catch (error) {
    expect(error).toBeInstanceOf(AmountError)
    return null
  }
}

/** A plain decimal as a person might write it: any number of zeros behind, none in front. */
const plainDecimal = fc
  .record({
    negative: fc.boolean(),
    whole: fc.bigInt(0n, 10n ** 14n),
    fraction: fc.option(fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 12 })),
  })
  .map(({ negative, whole, fraction }) => `${negative ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}`)

/** The value of a plain decimal in units, by counting alone; null when it has more digits than an amount. */
const countedUnits = (text: string): bigint | null => {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const shifted = BigInt(whole + fraction) * 10n ** BigInt(SCALE)
  const divisor = 10n ** BigInt(fraction.length)
  if (shifted % divisor !== 0n || shifted / divisor > AMOUNT_MAX_UNITS) return null
  return text.startsWith('-') ? -shifted / divisor : shifted / divisor
}

const amounts = fc.bigInt(-AMOUNT_MAX_UNITS, AMOUNT_MAX_UNITS)

describe('amounts in text', () => {
  test.each(table)('%j is %s as a decimal string and %s as a JSON number', (text, decimal, json) => {
    expect(outcomeOf(parseAmount, text)).toBe(decimal)
    expect(outcomeOf(parseJsonNumber, text)).toBe(json)
  })

  test('what an amount is written as reads as the same amount, either way', () => {
    fc.assert(
      fc.property(amounts, (units) => {
        const text = formatAmount(units)
        return parseAmount(text) === units && parseJsonNumber(text) === units
      }),
    )
  })

  test('every amount can be written with all its decimals, and no text is longer than may be read', () => {
    fc.assert(
      fc.property(amounts, (units) => {
        const text = formatAmount(units, SCALE)
        expect(text).toMatch(/^-?\d{1,12}\.\d{8}$/)
        return parseAmount(text) === units
      }),
    )
  })

  test('plain decimals are read exactly or refused, by both readers alike', () => {
    fc.assert(
      fc.property(plainDecimal, (text) => {
        const expected = countedUnits(text)
        expect(outcomeOf(parseAmount, text)).toBe(expected)
        expect(outcomeOf(parseJsonNumber, text)).toBe(expected)
      }),
      { numRuns: 500 },
    )
  })

  test('an exponent moves the point and nothing else', () => {
    fc.assert(
      fc.property(amounts, fc.integer({ min: -12, max: 12 }), (units, exponent) => {
        const moved = exponent >= 0 ? units * 10n ** BigInt(exponent) : units / 10n ** BigInt(-exponent)
        const isWhole = exponent >= 0 || units % 10n ** BigInt(-exponent) === 0n
        const fits = moved <= AMOUNT_MAX_UNITS && moved >= -AMOUNT_MAX_UNITS
        const expected = isWhole && fits ? moved : null
        expect(outcomeOf(parseJsonNumber, `${formatAmount(units)}e${exponent}`)).toBe(expected)
      }),
      { numRuns: 500 },
    )
  })

  test('text of any kind is read or refused, never anything else', () => {
    const nearly = fc.string({ unit: fc.constantFrom(...'0123456789.-+eE _,'), maxLength: 70 })
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearly), (text) => {
        for (const parse of [parseAmount, parseJsonNumber]) {
          const units = outcomeOf(parse, text)
          if (units !== null) expect(units <= AMOUNT_MAX_UNITS && units >= -AMOUNT_MAX_UNITS).toBe(true)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('a refusal names the text, shortened when it is long, and what would be right', () => {
    expect(() => parseAmount('ten')).toThrow('\'ten\' is not a decimal number such as "100.00"')
    expect(() => parseAmount('0.123456789')).toThrow("'0.123456789' has more than 8 decimals; send at most 8")
    expect(() => parseAmount('1000000000000')).toThrow('too large; an amount has at most 20 digits, 8 of them decimals')
    expect(() => parseAmount('9'.repeat(5_000))).toThrow(`'${'9'.repeat(40)}…' is longer than an amount can be`)
  })
})

describe('amounts written', () => {
  test.each([
    [0n, undefined, '0'],
    [0n, 2, '0.00'],
    [1n, undefined, '0.00000001'],
    [-1n, undefined, '-0.00000001'],
    [150_000_000n, undefined, '1.5'],
    [150_000_000n, 2, '1.50'],
    [-150_000_000n, 8, '-1.50000000'],
    [150_000_000n, 10, '1.5000000000'],
    [100_000_000n, undefined, '1'],
    [100_000_000n, 0, '1'],
    [-50_000_000n, undefined, '-0.5'],
    [10n ** 38n, undefined, `1${zeros(30)}`],
  ])('%s units with decimals %s are %s', (units, decimals, text) => {
    expect(formatAmount(units, decimals)).toBe(text)
  })

  test('digits are refused, never lost', () => {
    expect(() => formatAmount(1n, 7)).toThrow(new AmountError('1 units do not fit 7 decimals'))
    expect(() => formatAmount(-150_000_000n, 0)).toThrow(AmountError)
    fc.assert(
      fc.property(amounts, fc.nat({ max: SCALE }), (units, decimals) => {
        const step = 10n ** BigInt(SCALE - decimals)
        if (units % step !== 0n) expect(() => formatAmount(units, decimals)).toThrow(AmountError)
        else expect(parseAmount(formatAmount(units, decimals))).toBe(units)
      }),
    )
  })

  test.each([
    [1n, 8],
    [1_000_000n, 2],
    [25_000_000n, 2],
    [100_000_000n, 0],
    [1_000_000_000n, 0],
  ])('multiples of %s units have at most %s decimals', (step, decimals) => {
    expect(decimalsOfStep(step)).toBe(decimals)
    for (const times of [1n, 3n, 7n, 1_001n])
      expect(() => formatAmount(step * times, decimalsOfStep(step))).not.toThrow()
  })
})
