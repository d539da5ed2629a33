/**
 * The one door of every npm script: sets the checkout up when something changed, then runs the script's target
 * on the Node of node_modules. This file and what it imports run on Node 20 with nothing installed.
 *
 *   run.mjs SCRIPT [arguments of the script]
 */
import { runChild } from './child.mjs'
import { inRoot, nodePath } from './paths.mjs'
import { setup } from './setup.mjs'

const command = (name) => ({ file: `services/all-in-one/src/commands/${name}.ts`, wasm: true })
const tool = (name, wasm) => ({ file: `services/common/tooling/${name}.mjs`, wasm })

/** Script → target file, arguments put before the caller's, and whether it needs the WASM machines and the built console. */
const SCRIPTS = {
  setup: { wasm: true },
  start: { file: 'services/all-in-one/src/main.ts', wasm: true, console: true },
  demo: command('demo'),
  replay: command('replay'),
  verify: command('verify'),
  backup: command('backup'),
  restore: command('restore'),
  dlq: command('dlq'),
  'start:distributed': { file: 'services/all-in-one/src/distributed/main.ts', wasm: true, console: true },
  simulate: { file: 'services/simulation/src/commands/simulate.ts', wasm: true },
  'simulate:mutants': { file: 'services/simulation/src/commands/mutants.ts', wasm: true },
  queries: { file: 'services/observability/src/commands/queries.ts', wasm: true },
  inspect: { file: 'services/observability/src/commands/inspect.ts', wasm: false },
  trace: { file: 'services/observability/src/commands/trace.ts', wasm: true },
  load: { file: 'services/observability/src/commands/load.ts', wasm: true },
  bench: { file: 'load/bench/src/main.ts', wasm: true },
  gameday: { file: 'services/observability/src/commands/gameday.ts', wasm: true },
  test: { ...tool('test', true), args: ['--suite', 'unit'] },
  'test:integration': { ...tool('test', true), args: ['--suite', 'integration'] },
  'test:browser': { ...tool('test', true), args: ['--suite', 'browser'], console: true },
  'test:cluster': { ...tool('test', true), args: ['--suite', 'cluster'] },
  lint: tool('lint', false),
  typecheck: tool('typecheck', false),
  build: tool('build', false),
  generate: tool('generate', true),
}

/** Type stripping, SQLite and the like announce themselves as experimental on every start. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning']

/** Modules as former runs compiled them: a start takes half as long. Tests run each file in a world of its own, without. */
const environmentOf = (name) =>
  name.startsWith('test') ? process.env : { NODE_COMPILE_CACHE: inRoot('node_modules/.cache/compile'), ...process.env }

const main = async ([name, ...args]) => {
  const script = Object.hasOwn(SCRIPTS, name ?? '') ? SCRIPTS[name] : undefined
  if (script === undefined) {
    process.stderr.write(`usage: run.mjs ${Object.keys(SCRIPTS).join('|')} [arguments]\n`)
    return 2
  }
  await setup({ wasm: script.wasm, console: script.console === true })
  if (script.file === undefined) return 0
  const line = [...NODE_FLAGS, inRoot(script.file), ...(script.args ?? []), ...args]
  const { code } = await runChild(nodePath, line, { env: environmentOf(name) })
  return code
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    process.stderr.write(`${process.argv[2]}: ${error.message}\n`)
    process.exitCode = error.exitCode ?? 1
  },
)
