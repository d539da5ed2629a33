/** Reads Jest's JSON result into the one line a run ends with. */

/** A test in Jest's JSON result. */
export interface TestResult {
  readonly fullName: string
  readonly status: string
}

/** A test file in Jest's JSON result; `name` is its path. */
export interface FileResult {
  readonly name: string
  readonly status: string
  readonly assertionResults: readonly TestResult[]
}

/** What is read of Jest's JSON result. */
export interface RunResult {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly FileResult[]
}

/** The last line of a run. */
export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}

const REASON = /\s*\[skipped: (.*?)\]/u

const hasFailedTest = (file: FileResult): boolean => file.assertionResults.some(({ status }) => status === 'failed')

/** Files that failed as a whole: they did not load, or left handles open. */
const brokenFiles = (result: RunResult): number =>
  result.testResults.filter((file) => file.status === 'failed' && !hasFailedTest(file)).length

const isSkipped = ({ status }: TestResult): boolean =>
  status === 'pending' || status === 'disabled' || status === 'todo'

const describeSkipped = ({ fullName }: TestResult): Totals['skipped'][number] => ({
  name: fullName.replace(REASON, ''),
  reason: REASON.exec(fullName)?.[1] ?? 'none given',
})

/**
 * Totals of a run. `result` is undefined when Jest gave none, which counts as one failure. A file that failed as a
 * whole counts as one failure. With `byName` (a run narrowed to a name pattern) only tests skipped with a reason are
 * listed: the others were not asked for.
 */
export const totalsOf = (result: RunResult | undefined, { byName = false } = {}): Totals => {
  if (result === undefined) return { passed: 0, failed: 1, skipped: [] }
  const skipped = result.testResults
    .flatMap((file) => file.assertionResults)
    .filter((test) => isSkipped(test) && (!byName || REASON.test(test.fullName)))
    .map(describeSkipped)
  return { passed: result.numPassedTests, failed: result.numFailedTests + brokenFiles(result), skipped }
}

/** Whether a run with these totals is good: something ran and nothing failed. */
export const isGood = ({ passed, failed }: Pick<Totals, 'passed' | 'failed'>): boolean => failed === 0 && passed > 0
