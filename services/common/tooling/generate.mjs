/**
 * Writes every generated file of the repository. A generator is a module that exports `generate()`, which
 * returns the whole file's text (or a promise of it) and always the same text for the same sources.
 *
 *   generate.mjs            writes what changed
 *   generate.mjs --check    writes nothing; fails and names the files that are not what their generator says
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inRoot } from './paths.mjs'

/** Generated file ← the module that makes it. Mark each new one in .gitattributes. */
const GENERATED = [
  { file: 'docs/openapi.json', generator: 'services/gateway/src/openapi/generate.ts' },
  { file: 'docs/configuration.md', generator: 'services/common/src/config/generate-page.ts' },
]

const writeAside = (path, text) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, text)
  renameSync(`${path}.${process.pid}`, path)
}

const refresh = async ({ file, generator }, checkOnly) => {
  const { generate } = await import(pathToFileURL(inRoot(generator)).href)
  const text = await generate()
  const path = inRoot(file)
  const isCurrent = existsSync(path) && readFileSync(path, 'utf8') === text
  if (isCurrent) return true
  if (checkOnly) process.stderr.write(`${file} is not what ${generator} makes: run npm run generate\n`)
  else writeAside(path, text)
  return !checkOnly
}

const checkOnly = process.argv.includes('--check')
for (const entry of GENERATED) {
  if (!existsSync(inRoot(entry.generator))) continue
  if (!(await refresh(entry, checkOnly))) process.exitCode = 1
}
