/**
 * Writes every generated file of the repository. A generator is a module that exports `generate()` (or another function, named
 * beside it), which returns the whole file's text (or a promise of it) and always the same text for the same sources. A copy is
 * a file that has to stand in a second place, byte for byte.
 *
 *   generate.mjs            writes what changed
 *   generate.mjs --check    writes nothing; fails and names the files that are not what their generator says
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inRoot } from './paths.mjs'

const dashboard = (name) => ({
  file: `charts/bourse/files/dashboards/${name}.json`,
  generator: 'services/observability/src/dashboards/generate.ts',
  name: `generate${name[0].toUpperCase()}${name.slice(1)}`,
})

/** Generated file ← the module that makes it. Mark each new one in .gitattributes. */
const GENERATED = [
  { file: 'docs/openapi.json', generator: 'services/gateway/src/openapi/generate.ts' },
  { file: 'services/client/src/generated/schema.ts', generator: 'services/common/tooling/client-schema.mjs' },
  { file: 'docs/configuration.md', generator: 'services/common/src/config/generate-page.ts' },
  { file: 'docs/reference/metrics.md', generator: 'services/common/src/telemetry/catalogue/generate-page.ts' },
  {
    file: 'operator/src/resources/trading-pair.ts',
    generator: 'operator/src/resources/generate-types.ts',
    name: 'generateTradingPair',
  },
  {
    file: 'operator/src/resources/bank.ts',
    generator: 'operator/src/resources/generate-types.ts',
    name: 'generateBank',
  },
  { file: 'docs/reference/resources.md', generator: 'operator/src/resources/generate-page.ts' },
  { file: 'charts/bourse/files/rules.yaml', generator: 'services/observability/src/rules/generate.ts' },
  { file: 'docs/runbooks/README.md', generator: 'services/observability/src/rules/generate.ts', name: 'generateIndex' },
  dashboard('overview'),
  dashboard('shards'),
  dashboard('money'),
  dashboard('bridge'),
  dashboard('market'),
  dashboard('broker'),
  dashboard('operator'),
  dashboard('node'),
  // The chart installs its own copies: it is packed without the rest of the repository.
  { file: 'charts/bourse/files/crds/tradingpair.yaml', copyOf: 'crds/tradingpair.yaml' },
  { file: 'charts/bourse/files/crds/bank.yaml', copyOf: 'crds/bank.yaml' },
]

const writeAside = (path, text) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, text)
  renameSync(`${path}.${process.pid}`, path)
}

const sourceOf = ({ generator, copyOf }) => copyOf ?? generator

const textOf = async ({ generator, name = 'generate', copyOf }) => {
  if (copyOf !== undefined) return readFileSync(inRoot(copyOf), 'utf8')
  const module = await import(pathToFileURL(inRoot(generator)).href)
  return module[name]()
}

const refresh = async (entry, checkOnly) => {
  const { file } = entry
  const text = await textOf(entry)
  const path = inRoot(file)
  const isCurrent = existsSync(path) && readFileSync(path, 'utf8') === text
  if (isCurrent) return true
  if (checkOnly) process.stderr.write(`${file} is not what ${sourceOf(entry)} makes: run npm run generate\n`)
  else writeAside(path, text)
  return !checkOnly
}

const checkOnly = process.argv.includes('--check')
for (const entry of GENERATED) {
  if (!existsSync(inRoot(sourceOf(entry)))) continue
  if (!(await refresh(entry, checkOnly))) process.exitCode = 1
}
