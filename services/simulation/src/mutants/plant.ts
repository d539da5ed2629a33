import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isInWasm, planted, type Mutant } from './mutant.ts'

const ROOT = new URL('../../../../', import.meta.url)
const LOADER: Pick<Mutant, 'file' | 'find'> = {
  file: 'risk-rules/src/host/module.ts',
  find: 'new URL(`../../build/${name}.wasm`, import.meta.url)',
}

const MACHINES = ['ledger', 'trading'] as const

const compile = (folder: string, machine: string): void => {
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js')
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      asc,
      `assembly/${machine}/index.ts`,
      '--config',
      'asconfig.json',
      '--target',
      'release',
      '--outFile',
      `${machine}.wasm`,
    ],
    { cwd: folder, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${machine} does not compile with the bug planted: ${stderr}`)
}

/**
 * Compiles the machines with the bug planted in their AssemblyScript, in a new temporary folder; gives the change of the loader
 * that reads them from there. Takes seconds. The caller removes the folder.
 */
export const compilePlanted = (mutant: Mutant): { readonly folder: string; readonly loader: Mutant } => {
  const folder = mkdtempSync(join(tmpdir(), 'bourse-mutant-'))
  const rules = new URL('risk-rules/', ROOT)
  cpSync(fileURLToPath(new URL('assembly', rules)), join(folder, 'assembly'), { recursive: true })
  cpSync(fileURLToPath(new URL('asconfig.json', rules)), join(folder, 'asconfig.json'))
  const file = join(folder, mutant.file.replace('risk-rules/', ''))
  writeFileSync(file, planted(mutant, readFileSync(file, 'utf8')))
  for (const machine of MACHINES) compile(folder, machine)
  const replace = 'new URL(`${name}.wasm`, ' + JSON.stringify(pathToFileURL(`${folder}/`).href) + ')'
  return { folder, loader: { name: mutant.name, what: mutant.what, ...LOADER, replace } }
}

/**
 * Makes sure that the bug can be planted: one that can't would break the run, and pass for found.
 * @throws {Error} when the text to change is not there exactly once
 */
export const checkPlantable = (mutant: Mutant): void =>
  void planted(mutant, readFileSync(new URL(mutant.file, ROOT), 'utf8'))

/** Plants bugs in the files that this thread loads from now on. Call it before anything of the product is imported. */
export const plant = (mutants: readonly Mutant[]): void => {
  const byUrl = new Map(mutants.map((mutant) => [new URL(mutant.file, ROOT).href, mutant]))
  registerHooks({
    load: (url, context, nextLoad) => {
      const mutant = byUrl.get(url)
      const loaded = nextLoad(url, context)
      if (mutant === undefined) return loaded
      if (isInWasm(mutant)) throw new Error(`${mutant.name}: compile it first`)
      const text = readFileSync(new URL(url), 'utf8')
      return { ...loaded, source: planted(mutant, text) }
    },
  })
}
