import { describe, expect, test } from '@jest/globals'
import { isGood, totalsOf } from '../../tooling/totals.ts'

const file = (status: string, ...tests: readonly (readonly [string, string])[]) => ({
  name: '/a.test.ts',
  status,
  assertionResults: tests.map(([fullName, testStatus]) => ({ fullName, status: testStatus })),
})

describe('totals of a test run', () => {
  test('count passed and failed tests and give every skipped test its reason', () => {
    const testResults = [
      file('passed', ['adds', 'passed'], ['replays the tape [skipped: ../shared/data is not here]', 'pending']),
      file('failed', ['fails', 'failed']),
    ]
    expect(totalsOf({ numPassedTests: 1, numFailedTests: 1, testResults })).toEqual({
      passed: 1,
      failed: 1,
      skipped: [{ name: 'replays the tape', reason: '../shared/data is not here' }],
    })
  })

  test('count a file that did not load, or left handles open, as a failure', () => {
    const testResults = [file('failed'), file('failed', ['adds', 'passed'])]
    expect(totalsOf({ numPassedTests: 1, numFailedTests: 0, testResults }).failed).toBe(2)
  })

  test('count a run without a result as a failure', () => {
    expect(totalsOf(undefined)).toEqual({ passed: 0, failed: 1, skipped: [] })
  })

  test('say when a test was skipped without a reason, unless it was not asked for by name', () => {
    const result = { numPassedTests: 1, numFailedTests: 0, testResults: [file('passed', ['adds', 'pending'])] }
    expect(totalsOf(result).skipped).toEqual([{ name: 'adds', reason: 'none given' }])
    expect(totalsOf(result, { byName: true }).skipped).toEqual([])
  })

  test('are not good when nothing ran', () => {
    expect(isGood({ passed: 0, failed: 0 })).toBe(false)
    expect(isGood({ passed: 1, failed: 0 })).toBe(true)
    expect(isGood({ passed: 1, failed: 1 })).toBe(false)
  })
})
