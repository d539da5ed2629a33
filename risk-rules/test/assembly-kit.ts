/** Compiles AssemblyScript for a test, with the options of the release build, into a module of its own. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { instantiateSync } from '@assemblyscript/loader'

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const riskRules = pathOf('..')
const compiler = pathOf('../../node_modules/assemblyscript/bin/asc.js')

/** How `assembly/` is imported from a source given to `compile`. */
export const ASSEMBLY = '@assembly'

/** Compiles a source that imports from `@assembly/...`, with `pages` of memory; answers its exports. */
export const compile = <Exports extends Record<string, unknown>>(
  source: string,
  pages = 1,
): Exports & { readonly memory: WebAssembly.Memory } => {
  const folder = mkdtempSync(join(tmpdir(), 'bourse-assembly-'))
  try {
    const entry = join(folder, 'entry.ts')
    const out = join(folder, 'out.wasm')
    writeFileSync(entry, source.replaceAll(ASSEMBLY, relative(folder, join(riskRules, 'assembly'))))
    const options = [
      '--config',
      'asconfig.json',
      '--target',
      'release',
      '--initialMemory',
      String(pages),
      '--outFile',
      out,
    ]
    const { status, stderr } = spawnSync(process.execPath, [compiler, relative(riskRules, entry), ...options], {
      cwd: riskRules,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
    const abort = (_message: number, _file: number, line: number): never => {
      throw new WebAssembly.RuntimeError(`trapped at line ${line >>> 0}`)
    }
    const bytes = new Uint8Array(readFileSync(out))
    return instantiateSync<Exports & { memory: WebAssembly.Memory }>(new WebAssembly.Module(bytes), { env: { abort } })
      .exports
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
