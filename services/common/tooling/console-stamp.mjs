/** What the console is built from, and whether the built one is of it. Runs on Node 20. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot } from './paths.mjs'
import { wasmStamp } from './wasm-stamp.mjs'

export const consolePath = inRoot('services/console')
export const consoleBuildPath = join(consolePath, 'build')
export const consoleStampPath = join(consoleBuildPath, '.stamp')

/** Sources of the console, and of what it takes from other workspaces. */
const SOURCES = [
  'services/console/src',
  'services/console/public',
  'services/client/src',
  'services/common/src',
  'risk-rules/src',
]
const FILES = [
  'services/console/index.html',
  'services/console/vite.config.mjs',
  'services/common/tooling/build-console.mjs',
  'package-lock.json',
]

const filesUnder = (folder) => {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

/** A hash over sources, packages, the machine inside and the build's own code. */
export const consoleStamp = () => {
  const hash = createHash('sha256').update(wasmStamp())
  const files = [
    ...SOURCES.flatMap((folder) => filesUnder(inRoot(folder))).sort(),
    ...FILES.map((file) => inRoot(file)),
  ]
  for (const file of files) {
    hash.update(`\0${file.slice(inRoot('.').length)}\0`).update(existsSync(file) ? readFileSync(file) : '')
  }
  return hash.digest('hex')
}

/** True when the build folder holds the console of the present sources. */
export const isConsoleFresh = () =>
  existsSync(consoleStampPath) && readFileSync(consoleStampPath, 'utf8') === consoleStamp()
