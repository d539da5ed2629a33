import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { reproduceCommand } from '../../src/run/reproduce.ts'
import { formatNumbers, parseNumbers } from '../../src/run/steps.ts'

describe('seeds and steps as text', () => {
  test('ranges and single numbers are read', () => {
    expect(parseNumbers('1..3,7')).toEqual([1, 2, 3, 7])
    expect(parseNumbers('0')).toEqual([0])
  })

  test.each(['', '3..1', '1..', '-1', '1,', 'a', '1...3', '1..9999999999', '0..5000000'])('%p is refused', (text) => {
    expect(parseNumbers(text)).toBeUndefined()
  })

  test('what is written is read back: each number once, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1 }), (numbers) => {
        expect(parseNumbers(formatNumbers(numbers))).toEqual([...new Set(numbers)].sort((a, b) => a - b))
      }),
    )
  })

  test('the command that repeats a run names everything that decides it', () => {
    const options = {
      seed: 7,
      steps: 40,
      profile: 'bank' as const,
      without: ['crash', 'zombie'] as const,
      skip: new Set([3, 4, 5, 9]),
    }
    expect(reproduceCommand(options)).toBe(
      'npm run simulate -- --seed 7 --steps 40 --profile bank --without crash,zombie --skip 3..5,9',
    )
    expect(reproduceCommand({ ...options, without: [], skip: new Set() })).toBe(
      'npm run simulate -- --seed 7 --steps 40 --profile bank',
    )
  })
})
