import { describe, expect, test } from '@jest/globals'
import { afterSecondRun, filesMaxOf, filesToRunAgain } from '../../tooling/second-run.ts'
import { totalsOf, type FileResult, type RunResult } from '../../tooling/totals.ts'

const file = (name: string, status: string, ...tests: readonly (readonly [string, string])[]): FileResult => ({
  name,
  status,
  assertionResults: tests.map(([fullName, testStatus]) => ({ fullName, status: testStatus })),
})

const runOf = (...testResults: readonly FileResult[]): RunResult => {
  const count = (status: string) =>
    testResults.flatMap(({ assertionResults }) => assertionResults).filter((one) => one.status === status).length
  return { testResults, numPassedTests: count('passed'), numFailedTests: count('failed') }
}

const good = file('/a.test.ts', 'passed', ['adds', 'passed'])
const bad = file('/b.test.ts', 'failed', ['waits', 'failed'], ['asks', 'passed'])
const better = file('/b.test.ts', 'passed', ['waits', 'passed'], ['asks', 'passed'])
const unloaded = file('/c.test.ts', 'failed')

describe('the second run of what failed', () => {
  test('takes the failed files, those too that did not load', () => {
    expect(filesToRunAgain(runOf(good, bad, unloaded), 2)).toEqual(['/b.test.ts', '/c.test.ts'])
  })

  test('takes none when nothing failed, when more failed than may, and when there is no result', () => {
    expect(filesToRunAgain(runOf(good), 3)).toEqual([])
    expect(filesToRunAgain(runOf(good, bad, unloaded), 1)).toEqual([])
    expect(filesToRunAgain(runOf(bad), filesMaxOf(undefined))).toEqual([])
    expect(filesToRunAgain(undefined, 3)).toEqual([])
  })

  test('counts each file as it ended last and names what passed only then', () => {
    const { result, passedThen } = afterSecondRun(
      runOf(good, bad, unloaded),
      runOf(better, file('/c.test.ts', 'passed')),
    )
    expect(totalsOf(result)).toEqual({ passed: 3, failed: 0, skipped: [] })
    expect(passedThen).toEqual(['waits', '/c.test.ts'])
  })

  test('leaves a failure that comes again a failure', () => {
    const { result, passedThen } = afterSecondRun(runOf(good, bad, unloaded), runOf(bad, file('/c.test.ts', 'passed')))
    expect(totalsOf(result)).toEqual({ passed: 2, failed: 1, skipped: [] })
    expect(passedThen).toEqual(['/c.test.ts'])
    const unlike = afterSecondRun(
      runOf(bad),
      runOf(file('/b.test.ts', 'failed', ['waits', 'passed'], ['asks', 'failed'])),
    )
    expect([totalsOf(unlike.result).failed, unlike.passedThen]).toEqual([1, []])
  })

  test('leaves the failure when the second run gave no result', () => {
    const { result, passedThen } = afterSecondRun(runOf(good, bad), undefined)
    expect([totalsOf(result).failed, passedThen]).toEqual([1, []])
  })

  test.each(['x', '-1', '10', '1.5'])('refuses %s as a number of files', (given) => {
    expect(() => filesMaxOf(given)).toThrow(given)
  })
})
