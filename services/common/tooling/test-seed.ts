/**
 * The chance that a run of the tests takes. A commit's tests draw the same everywhere, so that what passed for whoever wrote it
 * passes again, and what failed can be had again; each commit draws anew.
 */
import { execFileSync } from 'node:child_process'
import { TEST_SEED_MAX } from '../src/testkit/test-seed.ts'
import { root } from './paths.mjs'

const commitOf = (cwd: string): string | null => {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return null
  }
}

/**
 * The seed of a run: `given` (a whole number from 0 to 1048575), with `fresh` one that nobody has had, else the commit's; outside
 * a repository 1. Throws when `given` is something else.
 */
export const seedOfRun = (given: string | undefined, { cwd = root }: { readonly cwd?: string } = {}): number => {
  if (given === 'fresh') return Math.floor(Math.random() * (TEST_SEED_MAX + 1))
  if (given !== undefined && given !== '') {
    if (!/^\d{1,7}$/.test(given) || Number(given) > TEST_SEED_MAX) {
      throw new Error(`BOURSE_TEST_SEED is '${given}'; give a whole number from 0 to ${TEST_SEED_MAX}, or fresh`)
    }
    return Number(given)
  }
  const commit = commitOf(cwd)
  return commit === null ? 1 : Number.parseInt(commit.slice(0, 5), 16)
}
