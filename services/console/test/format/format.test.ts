import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { formatBps, formatDecimal, formatMoney, formatPrice, signOf } from '../../src/format/decimal.ts'
import { parseInput } from '../../src/format/input.ts'
import { refusalWords } from '../../src/format/refusals.ts'
import { formatAge, formatDateTime, formatTime } from '../../src/format/time.ts'

const NBSP = '\u00a0'

describe('a decimal string', () => {
  test.each([
    ['1234567.891', {}, '1,234,567.891'],
    ['1234567.891', { locale: 'de-DE' }, '1.234.567,891'],
    ['1234567.5', { locale: 'en-IN' }, '12,34,567.5'],
    ['-0.5', {}, '−0.5'],
    ['5', { minDecimals: 2 }, '5.00'],
    ['5.10000000', {}, '5.1'],
    ['5.10000000', { maxDecimals: 4 }, '5.1000'],
    ['5.12345678', { maxDecimals: 2 }, '5.12345678'],
    ['5.12345678', { minDecimals: 2, maxDecimals: 4 }, '5.12345678'],
    ['3.5', { sign: true }, '+3.5'],
    ['0.00', { sign: true }, '0'],
    ['-3.5', { sign: true }, '−3.5'],
    ['999999999999.99999999', {}, '999,999,999,999.99999999'],
    ['0.0000000000000001', {}, '0.0000000000000001'],
    ['-0', {}, '0'],
    ['none', {}, 'none'],
  ])('%s by %j is %s', (text, options, expected) => {
    expect(formatDecimal(text, { locale: 'en-US', ...options })).toBe(expected)
  })

  test('loses no digit and gains none, whatever its size', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n) + 1n, max: 10n ** 20n - 1n }), fc.nat(8), (units, minDecimals) => {
        const shown = formatDecimal(formatAmount(units), { locale: 'en-US', minDecimals })
        expect(parseAmount(shown.replaceAll(',', '').replace('−', '-'))).toBe(units)
        expect((shown.split('.')[1] ?? '').length).toBeGreaterThanOrEqual(minDecimals)
      }),
    )
  })

  test('as a price has the decimals of its tick, as money its currency, as basis points per cent', () => {
    expect(formatPrice('60000', '0.01', { locale: 'en-US' })).toBe('60,000.00')
    expect(formatPrice('60000.125', '0.01', { locale: 'en-US' })).toBe('60,000.125')
    expect(formatMoney('1234.5', 'USDC', { locale: 'en-US' })).toBe(`1,234.50${NBSP}USDC`)
    expect(formatMoney('0.5', 'BTC', { locale: 'en-US' })).toBe(`0.5${NBSP}BTC`)
    expect([formatBps('5', 'en-US'), formatBps('150', 'en-US'), formatBps('-2.5', 'de-DE')]).toEqual([
      `0.05${NBSP}%`,
      `1.5${NBSP}%`,
      `−0,025${NBSP}%`,
    ])
  })

  test.each([
    ['-0.00000001', -1],
    ['0.00', 0],
    ['-0', 0],
    ['12', 1],
  ])('%s has the sign %d', (text, sign) => {
    expect(signOf(text)).toBe(sign)
  })
})

describe('what a person types', () => {
  test.each([
    ['100', 'en-US', '100'],
    ['1,234.50', 'en-US', '1234.50'],
    ['1.234,50', 'de-DE', '1234.50'],
    ['1234,5', 'de-DE', '1234.5'],
    ['0,5', 'en-US', '0.5'],
    ['0.5', 'de-DE', '0.5'],
    ['1.234', 'de-DE', '1234'],
    ['1,234', 'en-US', '1234'],
    ['1 234,5', 'fr-FR', '1234.5'],
    ["1'234.5", 'de-CH', '1234.5'],
    ['12,34,567.5', 'en-IN', '1234567.5'],
    ['.5', 'en-US', '0.5'],
    ['5.', 'en-US', '5'],
    ['007', 'en-US', '7'],
    ['0.100000000000', 'en-US', '0.10000000'],
  ])('"%s" in %s is %s', (typed, locale, value) => {
    expect(parseInput(typed, locale)).toEqual({ ok: true, value })
  })

  test.each([
    ['', 'EMPTY'],
    ['  ', 'EMPTY'],
    ['abc', 'NOT_A_NUMBER'],
    ['1e3', 'NOT_A_NUMBER'],
    ['1.2.3', 'NOT_A_NUMBER'],
    ['1,23,45', 'NOT_A_NUMBER'],
    ['.', 'NOT_A_NUMBER'],
    ['-5', 'NEGATIVE'],
    ['−5', 'NEGATIVE'],
    ['0.123456789', 'TOO_MANY_DECIMALS'],
    ['1234567890123', 'TOO_LARGE'],
  ])('"%s" is refused: %s', (typed, fault) => {
    expect(parseInput(typed, 'en-US')).toMatchObject({ ok: false, fault })
  })

  test('comes back the same when it is typed as it was shown, in any locale', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 20n - 1n }),
        fc.constantFrom('en-US', 'de-DE', 'fr-FR', 'de-CH', 'en-IN', 'az-AZ'),
        (units, locale) => {
          const text = formatAmount(units)
          const shown = formatDecimal(text, { locale })
          const read = parseInput(shown, locale)
          expect({ shown, read }).toEqual({ shown, read: { ok: true, value: text } })
        },
      ),
    )
  })
})

describe('a moment', () => {
  const moment = '2026-03-01T22:30:05.000Z'

  test('is shown in the zone of its reader', () => {
    const options = { locale: 'en-GB', timeZone: 'Asia/Baku' }
    expect(formatTime(moment, options)).toBe('02:30:05')
    expect(formatDateTime(moment, options)).toBe('2 Mar 2026, 02:30:05')
    expect(formatTime('never', options)).toBe('never')
  })

  test.each([
    [-5, '0 sec'],
    [59_999, '59 sec'],
    [60_000, '1 min'],
    [7_199_000, '1 hr'],
    [172_800_000, '2 days'],
  ])('%d ms ago is %s', (ms, expected) => {
    expect(formatAge(ms, 'en-US')).toBe(expected)
  })
})

describe('a refusal', () => {
  test.each([...Object.keys(refusalNumbers).filter((code) => code !== 'OK'), 'UNREACHABLE', 'UNREADABLE', 'NEW_ONE'])(
    '%s has a title, what happened and what to do, each whole sentences',
    (code) => {
      const { title, what, remedy } = refusalWords(code)
      expect(title).toMatch(/^[A-Z]/)
      expect(what).toMatch(/^[A-Z].*\.$/)
      expect(remedy).toMatch(/^[A-Z].*\.$/)
    },
  )

  test("says what the server said, when to try again, and of a lost answer never another's words", () => {
    expect(refusalWords('RATE_LIMITED', { message: 'at most 20 a second', retryAfterSeconds: 3 })).toEqual({
      title: 'Too many requests',
      what: 'At most 20 a second.',
      remedy: 'Wait a little and try again. Possible in 3 s.',
    })
    expect(refusalWords('UNREACHABLE', { message: 'fetch failed' }).what).toContain('not known whether')
  })
})
