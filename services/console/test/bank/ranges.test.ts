import { describe, expect, test } from '@jest/globals'
import { csvName, fromLocalInput, presets, rangeOfPreset, readRange, toLocalInput } from '../../src/bank/ranges.ts'

/** Local times, so that the test says the same in every zone. */
const at = (year: number, month: number, day: number, hour = 0, minute = 0): number =>
  new Date(year, month - 1, day, hour, minute).getTime()

const NOW = at(2026, 3, 31, 14, 5)

describe('the range of a preset', () => {
  test.each([
    ['today', at(2026, 3, 31), at(2026, 4, 1)],
    ['yesterday', at(2026, 3, 30), at(2026, 3, 31)],
    ['seven-days', at(2026, 3, 25), at(2026, 4, 1)],
    ['this-month', at(2026, 3, 1), at(2026, 4, 1)],
    ['last-month', at(2026, 2, 1), at(2026, 3, 1)],
  ] as const)('%s goes from midnight to midnight of the calendar in the user’s zone', (preset, fromMs, toMs) => {
    expect(rangeOfPreset(preset, NOW)).toEqual({ fromMs, toMs })
  })

  test('crosses the turn of a year', () => {
    expect(rangeOfPreset('last-month', at(2026, 1, 31, 1))).toEqual({ fromMs: at(2025, 12, 1), toMs: at(2026, 1, 1) })
    expect(rangeOfPreset('yesterday', at(2026, 1, 1, 1))).toEqual({ fromMs: at(2025, 12, 31), toMs: at(2026, 1, 1) })
  })

  test('is one that may be asked for', () => {
    for (const preset of presets) {
      const { fromMs, toMs } = rangeOfPreset(preset, NOW)
      expect(readRange(toLocalInput(fromMs), toLocalInput(toMs))).toEqual({ ok: true, fromMs, toMs })
    }
  })
})

describe('a range that is typed', () => {
  test('keeps its moments to the minute on the way into a field and back', () => {
    expect(toLocalInput(NOW)).toBe('2026-03-31T14:05')
    expect(fromLocalInput('2026-03-31T14:05')).toBe(NOW)
    expect(fromLocalInput('')).toBeNull()
  })

  test.each([
    ['', '2026-01-01T00:00', 'both'],
    ['2026-01-02T00:00', '2026-01-01T00:00', 'before'],
    ['2026-01-01T00:00', '2026-01-01T00:00', 'before'],
    ['2024-01-01T00:00', '2026-01-01T00:00', '366'],
  ])('from %s to %s is refused in words', (from, to, word) => {
    const read = readRange(from, to)
    expect(read.ok ? '' : read.words).toContain(word)
  })
})

describe('the name of a statement’s file', () => {
  test('has the last day that is in it, not the end that is not', () => {
    expect(csvName('demo', rangeOfPreset('this-month', NOW))).toBe('statement_demo_2026-03-01_to_2026-03-31.csv')
    expect(csvName('demo', rangeOfPreset('today', NOW))).toBe('statement_demo_2026-03-31.csv')
  })

  test('has times when it does not go from midnight to midnight, and no sign that a file system refuses', () => {
    const name = csvName('de/mo: x', { fromMs: at(2026, 3, 1, 9, 30), toMs: NOW })
    expect(name).toBe('statement_de-mo--x_2026-03-01T09-30_to_2026-03-31T14-05.csv')
    expect(name).toMatch(/^[A-Za-z0-9._-]+$/)
  })
})
