/**
 * Brings a checkout to the state every script expects: packages installed from the lock file, the WASM machines built, the
 * console too where it is shown. Costs a few hashes when nothing changed. Runs on Node 20 with nothing installed.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { runChild } from './child.mjs'
import { isConsoleFresh } from './console-stamp.mjs'
import { inRoot, nodePath, root } from './paths.mjs'
import { withLock } from './setup-lock.mjs'
import { isWasmFresh } from './wasm-stamp.mjs'

const lockFilePath = inRoot('package-lock.json')
const stampPath = inRoot('node_modules/.bourse-setup')

const say = (text) => process.stderr.write(`setup: ${text}\n`)

const readIfThere = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)

const installStamp = () =>
  createHash('sha256').update(readFileSync(lockFilePath)).update(`${process.platform} ${process.arch}`).digest('hex')

const isInstallFresh = () => existsSync(nodePath) && readIfThere(stampPath) === installStamp()

const runtimeWorks = () => spawnSync(nodePath, ['--version'], { encoding: 'utf8' }).status === 0

/**
 * Whether npm's own record of what it installed says what the lock file says. True after `npm install` by
 * hand: installing again would take the packages away from processes that run on them.
 */
const isInstalledByHand = () => {
  const record = readIfThere(inRoot('node_modules/.package-lock.json'))
  if (record === undefined || !existsSync(nodePath) || !runtimeWorks()) return false
  const installed = JSON.parse(record).packages
  const wanted = JSON.parse(readFileSync(lockFilePath, 'utf8')).packages
  const nothingMissing = Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional === true || installed[path]?.version === entry.version,
  )
  return nothingMissing && Object.keys(installed).every((path) => wanted[path]?.version === installed[path].version)
}

const exitIfInterrupted = (interrupted, code) => {
  if (interrupted === undefined) return
  throw Object.assign(new Error(`interrupted by ${interrupted}`), { exitCode: code === 0 ? 1 : code })
}

/** npm as the caller ran it, else the one on the PATH. Its own words go to stderr: stdout is the script's. */
const runNpm = async (args) => {
  const npmScript = process.env.npm_execpath
  const [command, first] = npmScript?.endsWith('.js') ? [process.execPath, [npmScript]] : ['npm', []]
  const { code, interrupted } = await runChild(command, [...first, ...args], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
    env: { ...process.env, npm_config_prefer_offline: 'true', SCARF_ANALYTICS: 'false' },
  })
  exitIfInterrupted(interrupted, code)
  return code
}

const install = async () => {
  say('installing packages (npm ci)')
  const code = await runNpm(['ci', '--no-audit', '--no-fund', '--ignore-scripts=false'])
  if (code !== 0) throw Object.assign(new Error(`npm ci failed with exit code ${code}`), { exitCode: code })
  if (!runtimeWorks())
    throw new Error('node_modules/node/bin/node does not run: npm must be allowed to run its install script')
}

const ensureInstalled = async () => {
  if (isInstallFresh()) return
  if (!isInstalledByHand()) await install()
  writeFileSync(stampPath, installStamp())
}

const runBuild = async (tool, what) => {
  say(`building ${what}`)
  const { code, interrupted } = await runChild(nodePath, [inRoot(`services/common/tooling/${tool}.mjs`)], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  })
  exitIfInterrupted(interrupted, code)
  if (code !== 0) throw Object.assign(new Error(`${what} can not be built`), { exitCode: code })
}

const ensureWasm = async () => {
  if (!isWasmFresh()) await runBuild('build-wasm', 'the WASM machines')
}

const ensureConsole = async () => {
  if (!isConsoleFresh()) await runBuild('build-console', 'the console')
}

/**
 * Installs and builds what is out of date, one process at a time. `wasm` false leaves the machines alone, `console` false the
 * console; the console holds a machine, so it needs both.
 * Throws an Error whose `exitCode`, when set, is the one the command should end with.
 */
export const setup = async ({ wasm, console = false }) => {
  const isFresh = () => isInstallFresh() && (!wasm || isWasmFresh()) && (!console || isConsoleFresh())
  if (isFresh()) return
  const onWait = (holder) => say(`waiting for another setup (${holder})`)
  await withLock({ path: inRoot('.setup-lock'), onWait }, async () => {
    await ensureInstalled()
    if (wasm) await ensureWasm()
    if (console) await ensureConsole()
  })
}
