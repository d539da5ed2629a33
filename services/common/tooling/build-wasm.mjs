/**
 * Builds every machine `risk-rules/assembly/<name>/index.ts` into `risk-rules/build/<name>.wasm` with the
 * options of a target of `risk-rules/asconfig.json`.
 *
 *   build-wasm.mjs [--target release] [--out-dir risk-rules/build]
 *   build-wasm.mjs --check       builds twice, aside; fails when the bytes differ
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { inRoot } from './paths.mjs'
import { buildPath, machineNames, riskRulesPath, wasmStamp, wasmStampPath } from './wasm-stamp.mjs'

const asc = inRoot('node_modules/assemblyscript/bin/asc.js')

const compile = (name, target, outFile) => {
  const args = [`assembly/${name}/index.ts`, '--config', 'asconfig.json', '--target', target, '--outFile']
  const outPath = relative(riskRulesPath, outFile)
  const { status } = spawnSync(process.execPath, [asc, ...args, outPath], {
    cwd: riskRulesPath,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) throw new Error(`risk-rules/assembly/${name} does not compile`)
}

/** Compiles all machines into `outDir`, each beside its place first, so a reader never sees half a file. */
const buildInto = (outDir, target) => {
  mkdirSync(outDir, { recursive: true })
  for (const name of machineNames()) {
    const aside = join(outDir, `.${name}.${process.pid}.wasm`)
    try {
      compile(name, target, aside)
      renameSync(aside, join(outDir, `${name}.wasm`))
    } finally {
      rmSync(aside, { force: true })
    }
  }
}

const build = (outDir, target) => {
  const stamp = wasmStamp()
  if (machineNames().length > 0 && !existsSync(join(riskRulesPath, 'asconfig.json'))) {
    throw new Error('risk-rules/asconfig.json is missing')
  }
  buildInto(outDir, target)
  if (outDir === buildPath && target === 'release') writeFileSync(wasmStampPath, stamp)
}

const digest = (path) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Builds twice in folders of different length, so that a path in the bytes shows. */
const check = (target) => {
  const aside = mkdtempSync(join(tmpdir(), 'bourse-wasm-'))
  try {
    const outDirs = [join(aside, 'a'), join(aside, 'second-build')]
    for (const outDir of outDirs) build(outDir, target)
    return machineNames().map((name) => {
      const [first, second] = outDirs.map((outDir) => digest(join(outDir, `${name}.wasm`)))
      return { name, digest: first, same: first === second }
    })
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'release' },
    'out-dir': { type: 'string', default: buildPath },
    check: { type: 'boolean', default: false },
  },
})

try {
  if (values.check) {
    const results = check(values.target)
    for (const { name, digest: sum, same } of results) {
      process.stdout.write(`${name}.wasm ${sum} ${same ? 'reproducible' : 'DIFFERS between two builds'}\n`)
    }
    if (results.some(({ same }) => !same)) process.exitCode = 1
  } else {
    build(resolve(values['out-dir']), values.target)
  }
} catch (error) {
  process.stderr.write(`build-wasm: ${error.message}\n`)
  process.exitCode = 1
}
