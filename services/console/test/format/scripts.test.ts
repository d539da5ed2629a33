import { describe, expect, test } from '@jest/globals'
import { formatDecimal, formatMoney } from '../../src/format/decimal.ts'
import { parseInput } from '../../src/format/input.ts'
import { formatAge, formatDateTime } from '../../src/format/time.ts'
import { typedText } from '../../src/trader/typed.ts'

const LOCALES = [
  'en-GB',
  'de-DE',
  'de-CH',
  'fr-FR',
  'en-IN',
  'az-AZ',
  'ar',
  'ar-EG',
  'fa-IR',
  'mr-IN',
  'bn-BD',
  'my-MM',
]
const AMOUNTS = ['0.5', '0.00000001', '1.5', '1234.56', '60123.456', '999999999999.99999999', '100']

describe('numbers of other scripts', () => {
  test.each(LOCALES)('%s: what the console writes into a field it reads back as the same amount', (locale) => {
    for (const amount of AMOUNTS)
      expect(parseInput(typedText(amount, locale), locale)).toEqual({ ok: true, value: amount })
  })

  test.each(LOCALES)(
    '%s: numbers and times are in the digits 0 to 9, which two sides of a price can be drawn in',
    (locale) => {
      const shown = [
        formatDecimal('-1234567.89', { locale }),
        formatMoney('0.5', 'USDC', { locale }),
        formatDateTime(1_700_000_000_000, { locale, timeZone: 'UTC' }),
        formatAge(90_000, locale),
      ]
      for (const text of shown) expect(text).toMatch(/^(?!.*(?![0-9])\p{Nd}).*[0-9]/u)
    },
  )

  test('digits and separators that an Arabic, Persian, Hindi or Japanese keyboard types are understood', () => {
    expect(parseInput('١٬٢٣٤٫٥', 'ar-EG')).toEqual({ ok: true, value: '1234.5' })
    expect(parseInput('۰٫۲۵', 'fa-IR')).toEqual({ ok: true, value: '0.25' })
    expect(parseInput('९८७', 'hi-IN')).toEqual({ ok: true, value: '987' })
    expect(parseInput('１２．５'.replace('．', '.'), 'ja-JP')).toEqual({ ok: true, value: '12.5' })
    expect(parseInput('٢٫٥', 'de-DE')).toEqual({ ok: true, value: '2.5' })
  })

  test('digits that no keyboard types are no number', () => {
    expect(parseInput('𝟝𝟘', 'en-GB')).toMatchObject({ ok: false, fault: 'NOT_A_NUMBER' })
  })
})

describe('a point or comma that groups elsewhere', () => {
  test('behind a zero it separates decimals: nobody groups below a thousand', () => {
    expect(parseInput('0.500', 'de-DE')).toEqual({ ok: true, value: '0.500' })
    expect(parseInput('0,500', 'en-GB')).toEqual({ ok: true, value: '0.500' })
    expect(parseInput('00.125', 'de-DE')).toEqual({ ok: true, value: '0.125' })
  })

  test('behind other digits it groups, as the locale writes it', () => {
    expect(parseInput('1.500', 'de-DE')).toEqual({ ok: true, value: '1500' })
    expect(parseInput('12,34,567.5', 'en-IN')).toEqual({ ok: true, value: '1234567.5' })
    expect(parseInput('1.234.567,89', 'de-DE')).toEqual({ ok: true, value: '1234567.89' })
  })
})
