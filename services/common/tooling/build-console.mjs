/**
 * Builds the console: Vite bundles `services/console` into `services/console/build`, then every text and machine gets its
 * compressed forms beside it (`.br`, `.gz`), where they are smaller, so that the gateway compresses nothing.
 *
 *   build-console.mjs             builds in place
 *   build-console.mjs --check     builds twice, aside; fails when the bytes differ
 *
 * The machine inside comes from `risk-rules/build`, which has to be there.
 */
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'
import { consoleBuildPath, consolePath, consoleStamp } from './console-stamp.mjs'

const COMPRESSED = /\.(html|js|css|svg|json|webmanifest|wasm)$/

const filesOf = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

const compress = (folder) => {
  for (const file of filesOf(folder).filter((path) => COMPRESSED.test(path))) {
    const bytes = readFileSync(file)
    const forms = {
      br: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }),
      gz: gzipSync(bytes, { level: 9 }),
    }
    for (const [ending, form] of Object.entries(forms)) {
      if (form.length < bytes.length) writeFileSync(`${file}.${ending}`, form)
    }
  }
}

/** Builds into a folder beside the build's place, so that a reader never sees half of it. */
const buildAside = async () => {
  const folder = mkdtempSync(join(consolePath, '.build-'))
  try {
    await build({
      root: consolePath,
      configFile: join(consolePath, 'vite.config.mjs'),
      logLevel: 'warn',
      build: { outDir: folder, emptyOutDir: true },
    })
    compress(folder)
    // A folder made aside is its maker's alone; who serves the console may be somebody else.
    chmodSync(folder, 0o755)
    return folder
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

const digest = (folder) => {
  const hash = createHash('sha256')
  for (const file of filesOf(folder)) hash.update(`${relative(folder, file)}\0`).update(readFileSync(file))
  return hash.digest('hex')
}

const check = async () => {
  const folders = [await buildAside(), await buildAside()]
  const [first, second] = folders.map(digest)
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  process.stdout.write(`console ${first} ${first === second ? 'reproducible' : 'DIFFERS between two builds'}\n`)
  return first === second
}

try {
  if (process.argv.includes('--check')) {
    if (!(await check())) process.exitCode = 1
  } else {
    const stamp = consoleStamp()
    const folder = await buildAside()
    writeFileSync(join(folder, '.stamp'), stamp)
    rmSync(consoleBuildPath, { recursive: true, force: true })
    renameSync(folder, consoleBuildPath)
  }
} catch (error) {
  process.stderr.write(`build-console: ${error.message}\n`)
  process.exitCode = 1
}
