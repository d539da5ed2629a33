/** What the WASM machines are built from, and whether the built ones are of it. Runs on Node 20. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot } from './paths.mjs'

export const riskRulesPath = inRoot('risk-rules')
export const buildPath = join(riskRulesPath, 'build')
export const wasmStampPath = join(buildPath, '.stamp')

/** The machines by name: every folder of `assembly/` with an `index.ts`, sorted. */
export const machineNames = () => {
  const assembly = join(riskRulesPath, 'assembly')
  if (!existsSync(assembly)) return []
  return readdirSync(assembly)
    .filter((name) => existsSync(join(assembly, name, 'index.ts')))
    .sort()
}

const sourcesUnder = (folder) => {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

/** A hash over sources, options, compiler version and the build's own code. */
export const wasmStamp = () => {
  const hash = createHash('sha256')
  const files = [
    ...sourcesUnder(join(riskRulesPath, 'assembly')).sort(),
    join(riskRulesPath, 'asconfig.json'),
    inRoot('node_modules/assemblyscript/package.json'),
    inRoot('services/common/tooling/build-wasm.mjs'),
  ]
  for (const file of files) {
    if (existsSync(file))
      hash
        .update(`${file.slice(riskRulesPath.length)}\0`)
        .update(readFileSync(file))
        .update('\0')
  }
  return hash.digest('hex')
}

/** True when there is nothing to build, or the build folder holds every machine of the present sources. */
export const isWasmFresh = () => {
  const names = machineNames()
  if (names.length === 0) return true
  if (!existsSync(wasmStampPath)) return false
  if (names.some((name) => !existsSync(join(buildPath, `${name}.wasm`)))) return false
  return readFileSync(wasmStampPath, 'utf8') === wasmStamp()
}
