/**
 * Runs the tests of every workspace and ends with one line of JSON on stdout:
 * `{"passed":N,"failed":N,"skipped":[{"name":"…","reason":"…"}]}`. Jest's own report goes to stderr.
 *
 *   test.mjs [--suite unit|integration|browser|cluster] [Jest's arguments]
 *
 * `integration`, `browser` and `cluster` are the tests in folders of these names in `test/`, `unit` is all others.
 * `BOURSE_TEST_SEED` decides what the tests draw: by default the commit, see `test-seed.ts`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChild } from './child.mjs'
import { inRoot, root } from './paths.mjs'
import { seedOfRun } from './test-seed.ts'
import { isGood, totalsOf } from './totals.ts'

const SUITES = {
  unit: ['--testPathIgnorePatterns', '/node_modules/', '/test/(integration|browser|cluster)/'],
  integration: ['--testMatch', '**/test/integration/**/*.test.ts'],
  // One browser: who waits for pictures must not share the processors with another one.
  browser: ['--testMatch', '**/test/browser/**/*.test.ts', '--runInBand', '--verbose'],
  // One cluster, one file after the other; the report comes while they run.
  cluster: ['--testMatch', '**/test/cluster/**/*.test.ts', '--runInBand', '--verbose'],
}

const NODE_FLAGS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']

/** Takes `--suite NAME` out of the arguments and puts Jest's own in its place. */
const jestArguments = (args) => {
  const at = args.indexOf('--suite')
  if (at < 0) return args
  const suite = args[at + 1]
  if (!Object.hasOwn(SUITES, suite ?? '')) throw new Error(`--suite is one of ${Object.keys(SUITES).join(', ')}`)
  return [...args.slice(0, at), ...args.slice(at + 2), ...SUITES[suite]]
}

const isByName = (args) => args.some((arg) => /^(-t|--testNamePattern)(=|$)/.test(arg))

const run = async (args) => {
  const folder = mkdtempSync(join(tmpdir(), 'bourse-test-'))
  const resultPath = join(folder, 'result.json')
  try {
    const config = ['--config', inRoot('services/common/tooling/jest.config.mjs')]
    const report = ['--json', '--outputFile', resultPath]
    const jest = [...NODE_FLAGS, inRoot('node_modules/jest/bin/jest.js'), ...config, ...report, ...args]
    const stdio = ['inherit', process.stderr, process.stderr]
    const seed = String(seedOfRun(process.env.BOURSE_TEST_SEED))
    process.stderr.write(`chance in these tests: BOURSE_TEST_SEED=${seed}\n`)
    const { code } = await runChild(process.execPath, jest, {
      cwd: root,
      stdio,
      env: { ...process.env, BOURSE_TEST_SEED: seed },
    })
    const result = existsSync(resultPath) ? JSON.parse(readFileSync(resultPath, 'utf8')) : undefined
    return { code, totals: totalsOf(result, { byName: isByName(args) }) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const { code, totals } = await run(jestArguments(process.argv.slice(2)))
if (code === 0 && totals.passed === 0) process.stderr.write('no test was run\n')
process.stdout.write(`${JSON.stringify(totals)}\n`)
process.exitCode = code === 0 && !isGood(totals) ? 1 : code
