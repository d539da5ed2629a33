/**
 * Runs the tests of every workspace and ends with one line of JSON on stdout:
 * `{"passed":N,"failed":N,"skipped":[{"name":"…","reason":"…"}]}`. Jest's own report goes to stderr.
 *
 *   test.mjs [--suite unit|integration|browser|cluster] [Jest's arguments]
 *
 * `integration`, `browser` and `cluster` are the tests in folders of these names in `test/`, `unit` is all others.
 * `BOURSE_TEST_SEED` decides what the tests draw: by default the commit, see `test-seed.ts`.
 * `BOURSE_TEST_SECOND_RUN_FILES_MAX` allows that many failed files a second run, see `second-run.ts`; by default none.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChild } from './child.mjs'
import { inRoot, root } from './paths.mjs'
import { afterSecondRun, filesMaxOf, filesToRunAgain } from './second-run.ts'
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

/** Runs Jest once; `result` is undefined when it gave none. */
const runJest = async (args, env) => {
  const folder = mkdtempSync(join(tmpdir(), 'bourse-test-'))
  const resultPath = join(folder, 'result.json')
  try {
    const config = ['--config', inRoot('services/common/tooling/jest.config.mjs')]
    const report = ['--json', '--outputFile', resultPath]
    const jest = [...NODE_FLAGS, inRoot('node_modules/jest/bin/jest.js'), ...config, ...report, ...args]
    const { code, interrupted } = await runChild(process.execPath, jest, {
      cwd: root,
      stdio: ['inherit', process.stderr, process.stderr],
      env,
    })
    return {
      code,
      interrupted,
      result: existsSync(resultPath) ? JSON.parse(readFileSync(resultPath, 'utf8')) : undefined,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const say = (text) => process.stderr.write(`${text}\n`)

/** Runs what failed once more, where that is allowed; answers the first run when it is not. */
const withSecondRun = async (first, env) => {
  const filesMax = filesMaxOf(process.env.BOURSE_TEST_SECOND_RUN_FILES_MAX)
  const files = first.interrupted === undefined ? filesToRunAgain(first.result, filesMax) : []
  if (files.length === 0) return first
  say(`second run, with the same seed and alone:\n  ${files.join('\n  ')}`)
  const second = await runJest(['--runInBand', '--verbose', '--runTestsByPath', ...files], env)
  const { result, passedThen } = afterSecondRun(first.result, second.result)
  for (const name of passedThen) process.stdout.write(`PASSED ONLY IN ITS SECOND RUN: ${name}\n`)
  return { code: second.code, result }
}

const run = async (args) => {
  const seed = String(seedOfRun(process.env.BOURSE_TEST_SEED))
  say(`chance in these tests: BOURSE_TEST_SEED=${seed}`)
  const env = { ...process.env, BOURSE_TEST_SEED: seed }
  const { code, result } = await withSecondRun(await runJest(args, env), env)
  return { code, totals: totalsOf(result, { byName: isByName(args) }) }
}

const { code, totals } = await run(jestArguments(process.argv.slice(2)))
if (code === 0 && totals.passed === 0) say('no test was run')
process.stdout.write(`${JSON.stringify(totals)}\n`)
process.exitCode = code === 0 && !isGood(totals) ? 1 : code
