/**
 * The second run of what failed. A run's chance comes of its seed, so a second run with the same seed repeats everything but the
 * machine's real time: what passes then had lost a race against a busy machine, or has a race of its own. It is allowed
 * where a run is long and its machine unknown (`.ci/run`), to few files, and each test that needed it is named.
 */
import type { FileResult, RunResult, TestResult } from './totals.ts'

/** How many failed files may be run again (BOURSE_TEST_SECOND_RUN_FILES_MAX), 0 when not given. Throws when it is no digit. */
export const filesMaxOf = (given: string | undefined): number => {
  if (given === undefined || given === '') return 0
  if (!/^\d$/.test(given)) {
    throw new Error(`BOURSE_TEST_SECOND_RUN_FILES_MAX is '${given}'; give a whole number from 0 to 9`)
  }
  return Number(given)
}

const isFailed = ({ status }: TestResult | FileResult): boolean => status === 'failed'

/** The paths of the files that failed; none when nothing did, when more than `filesMax` did, or when Jest gave no result. */
export const filesToRunAgain = (first: RunResult | undefined, filesMax: number): readonly string[] => {
  const failed = (first?.testResults ?? []).filter(isFailed).map(({ name }) => name)
  return failed.length <= filesMax ? failed : []
}

const countOf = (files: readonly FileResult[], status: string): number =>
  files.flatMap((file) => file.assertionResults).filter((test) => test.status === status).length

/**
 * The result of both runs: each file as it ended last. `passedThen` names what failed first and passed then. Without a result of
 * the second run, the first one's stands.
 */
export const afterSecondRun = (
  first: RunResult,
  second: RunResult | undefined,
): { readonly result: RunResult; readonly passedThen: readonly string[] } => {
  const again = new Map((second?.testResults ?? []).map((file) => [file.name, file]))
  const testResults = first.testResults.map((file) => again.get(file.name) ?? file)
  const passedThen = first.testResults.flatMap((file) => {
    const later = again.get(file.name)
    if (later === undefined || isFailed(later)) return []
    const names = file.assertionResults.filter(isFailed).map(({ fullName }) => fullName)
    return names.length === 0 ? [file.name] : names
  })
  const result = {
    testResults,
    numPassedTests: countOf(testResults, 'passed'),
    numFailedTests: countOf(testResults, 'failed'),
  }
  return { result, passedThen }
}
