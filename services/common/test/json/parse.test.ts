import { describe, expect, test } from '@jest/globals'
import { JSON_DEPTH_MAX, JsonError, parseJson } from '@bourse/common/json/parse.ts'
import { parseJsonNumber } from '@bourse/common/money/amount.ts'

const field = (text: string, key: string): string | undefined => {
  const document = parseJson(text)
  return document.numberText(document.value as object, key)
}

describe('JSON with source text', () => {
  test.each([
    ['0.1', 10_000_000n],
    ['0.30000000', 30_000_000n],
    ['1e3', 100_000_000_000n],
    ['99999999999.12345678', 9_999_999_999_912_345_678n],
    ['-0.00000001', -1n],
  ])('the number %s reaches units without a float', (source, units) => {
    const text = field(`{"amount": ${source}}`, 'amount')
    expect(text).toBe(source)
    expect(parseJsonNumber(text ?? '')).toBe(units)
  })

  test('numbers in arrays and nested objects keep their text', () => {
    const document = parseJson('{"a": [1.50, {"b": 2.50}]}')
    const list = (document.value as { a: [number, { b: number }] }).a
    expect(document.numberText(list, 0)).toBe('1.50')
    expect(document.numberText(list[1], 'b')).toBe('2.50')
    expect(document.numberText(list, 1)).toBeUndefined()
  })

  test.each(['{"a":1,"a":2}', '{"x":{"a":1,"b":2, "a" : 3}}', '{"a":1,"\\u0061":2}'])(
    'a name given twice is refused: %s',
    (text) => {
      expect(() => parseJson(text)).toThrow(/given twice/)
    },
  )

  test('the same name in two objects is no repetition, nor is it inside a string', () => {
    expect(parseJson('[{"a":1},{"a":2},"{\\"a\\":1,\\"a\\":2}"]').value).toEqual([{ a: 1 }, { a: 2 }, '{"a":1,"a":2}'])
  })

  test.each(['{"__proto__":{"x":1}}', '{"a":[{"\\u005f_proto__":1}]}'])(
    'the name of the prototype is refused: %s',
    (text) => {
      expect(() => parseJson(text)).toThrow(/__proto__/)
    },
  )

  test.each(['', '{', '{"a":NaN}', '{"a":01}', "{'a':1}", '{"a":1}x', '{"a":.5}', '"\\x"', '{"\\x":1}', '[1,]'])(
    '%s is not JSON',
    (text) => {
      expect(() => parseJson(text)).toThrow(JsonError)
    },
  )

  test('depth is bounded before anything recurses', () => {
    expect(parseJson('['.repeat(JSON_DEPTH_MAX) + ']'.repeat(JSON_DEPTH_MAX)).value).toBeDefined()
    expect(() => parseJson('['.repeat(JSON_DEPTH_MAX + 1) + ']'.repeat(JSON_DEPTH_MAX + 1))).toThrow(/deeper/)
    expect(() => parseJson('{"a":'.repeat(100_000))).toThrow(/deeper/)
  })
})
