import { describe, test } from '@jest/globals'

/**
 * Declares a test that does not run here, with the reason in its title: `title [skipped: reason]`. The run's
 * totals list the reason (`services/common/tooling/totals.ts` reads it back out of the title).
 */
export const skipWithReason = (reason: string, title: string): void => {
  // The one place that skips: whoever lacks a server or a data set says so here and is counted as skipped, never as passed.
  test.skip(`${title} [skipped: ${reason}]`, () => undefined)
}

/**
 * A `describe` that runs only when nothing is missing. `reason` says what is (a file, a broker), or undefined when
 * all is there. Skipped, its body is not even read, so the body may rely on what is missing.
 */
export const describeUnless = (reason: string | undefined, title: string, body: () => void): void => {
  describe(title, reason === undefined ? body : () => skipWithReason(reason, 'all of it'))
}

/** A `test` that runs only when `reason`, what is missing, is undefined. */
export const testUnless = (reason: string | undefined, title: string, body: () => void | Promise<void>): void => {
  if (reason === undefined) test(title, body)
  else skipWithReason(reason, title)
}
