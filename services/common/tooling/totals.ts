/** Reads Jest's JSON result into the one line a run ends with. */

const REASON = /\s*\[skipped: (?<reason>.*?)\]/u

const hasFailedTest = (file) => file.assertionResults.some(({ status }) => status === 'failed')

/** Files that failed as a whole: they did not load, or left handles open. */
const brokenFiles = (result) => result.testResults.filter((file) => file.status === 'failed' && !hasFailedTest(file)).length

const isSkipped = ({ status }) => status === 'pending' || status === 'disabled' || status === 'todo'

const describeSkipped = ({ fullName }) => ({
  name: fullName.replace(REASON, ''),
  reason: REASON.exec(fullName)?.groups.reason ?? 'none given',
})

/**
 * Totals of a run: `{ passed, failed, skipped: [{ name, reason }] }`. `result` is Jest's JSON result, or undefined when
 * Jest gave none, which counts as one failure. A file that failed as a whole counts as one failure. With
 * `byName` (a run narrowed to a name pattern) only tests skipped with a reason are listed: the others were not asked for.
 */
export const totalsOf = (result, { byName = false } = {}) => {
  if (result === undefined) return { passed: 0, failed: 1, skipped: [] }
  const skipped = result.testResults
    .flatMap((file) => file.assertionResults)
    .filter((test) => isSkipped(test) && (!byName || REASON.test(test.fullName)))
    .map(describeSkipped)
  return { passed: result.numPassedTests, failed: result.numFailedTests + brokenFiles(result), skipped }
}

/** Whether a run with these totals is good: something ran and nothing failed. */
export const isGood = ({ passed, failed }) => failed === 0 && passed > 0
