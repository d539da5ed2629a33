import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { parse, stringify } from 'yaml'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { CHART, EVERYTHING, helmMissing, production, toolPath, type Labels, type Rendered } from './helm.ts'

// The schemas are part of the Go modules of those who define them; nothing is fetched here.
const MODULES = process.env['GOMODCACHE'] ?? join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'pkg/mod')
const SKAFFOLD_MODULE = 'github.com/GoogleContainerTools/skaffold/v2@v2.16.1'
const PROMETHEUS_MODULE = 'github.com/prometheus-operator/prometheus-operator@v0.85.0'
const SKAFFOLD = join(
  MODULES,
  SKAFFOLD_MODULE.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`),
)
const DEFINITIONS = join(MODULES, PROMETHEUS_MODULE, 'example/prometheus-operator-crd')

const moduleMissing = (folder: string, module: string): string | undefined =>
  existsSync(folder) ? undefined : `${module} is not in Go's module cache; go mod download ${module}`

const isSubset = (some: Labels, of: Labels): boolean =>
  Object.entries(some).every(([name, value]) => of[name] === value)

describeUnless(moduleMissing(SKAFFOLD, SKAFFOLD_MODULE), 'skaffold.yaml', () => {
  const document = parse(readFileSync(join(CHART, '../../skaffold.yaml'), 'utf8')) as { apiVersion: string } & Record<
    string,
    unknown
  >
  const version = document.apiVersion.replace('skaffold/', '')
  const schema = JSON.parse(
    readFileSync(join(SKAFFOLD, `docs-v2/content/en/schemas/${version}.json`), 'utf8'),
  ) as object
  const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile({
    ...schema,
    $schema: 'http://json-schema.org/draft-07/schema#',
  })

  test('is what the schema of its version says, and a word that skaffold does not know is not', () => {
    expect({ valid: validate(document), errors: validate.errors }).toEqual({ valid: true, errors: null })
    expect(validate({ ...document, biuld: {} })).toBe(false)
  })
})

type Schema = { properties?: Record<string, Schema>; items?: Schema; additionalProperties?: unknown } & Record<
  string,
  unknown
>

/** As the API server prunes: a field that the definition does not have is a mistake. */
const closed = (schema: Schema): Schema => ({
  ...schema,
  ...(schema.items === undefined ? {} : { items: closed(schema.items) }),
  ...(schema.properties === undefined
    ? {}
    : {
        properties: Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, closed(one)])),
        additionalProperties: schema.additionalProperties ?? false,
      }),
})

const KINDS = { ServiceMonitor: 'servicemonitors', PodMonitor: 'podmonitors', PrometheusRule: 'prometheusrules' }

const missing =
  helmMissing() ??
  (toolPath('kubeconform') === undefined ? 'kubeconform is not on PATH; build the cluster kit' : undefined) ??
  moduleMissing(DEFINITIONS, PROMETHEUS_MODULE)

describeUnless(missing, 'what the Prometheus operator reads', () => {
  const conform = (objects: readonly Rendered[]): { readonly ok: boolean; readonly said: string } => {
    const folder = mkdtempSync(join(tmpdir(), 'bourse-schemas-'))
    try {
      for (const [kind, plural] of Object.entries(KINDS)) {
        const text = readFileSync(join(DEFINITIONS, `monitoring.coreos.com_${plural}.yaml`), 'utf8')
        const { spec } = parse(text) as { spec: { versions: readonly [{ schema: { openAPIV3Schema: Schema } }] } }
        const schema = closed(spec.versions[0].schema.openAPIV3Schema)
        const metadata = { type: 'object' }
        const file = join(folder, `${kind.toLowerCase()}.json`)
        writeFileSync(file, JSON.stringify({ ...schema, properties: { ...schema.properties, metadata } }))
      }
      const input = objects.map((object) => stringify(object)).join('---\n')
      const args = ['-strict', '-summary', '-schema-location', `${folder}/{{.ResourceKind}}.json`]
      const run = spawnSync(toolPath('kubeconform') ?? '', args, { input, encoding: 'utf8' })
      return { ok: run.status === 0, said: `${run.stdout}${run.stderr}` }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const objects = production(EVERYTHING).filter(({ kind }) => Object.hasOwn(KINDS, kind))

  test('monitors and rules are what their definitions say', () => {
    expect(objects).toHaveLength(7)
    const { ok, said } = conform(objects)
    expect(said).toContain('Valid: 7')
    expect(ok).toBe(true)
  })

  test('a monitor with a field that does not exist would be found', () => {
    expect(
      conform(objects.map((object) => ({ ...object, spec: { ...(object['spec'] as object), nonsense: 1 } }))).ok,
    ).toBe(false)
  })

  test('each monitor asks at a port that its pods or its Service have', () => {
    const all = production(EVERYTHING)
    for (const monitor of objects.filter(({ kind }) => kind === 'ServiceMonitor')) {
      const { endpoints, selector } = monitor['spec'] as {
        endpoints: readonly { port: string }[]
        selector: { matchLabels: Labels }
      }
      const ports = all
        .filter(({ kind, metadata }) => kind === 'Service' && isSubset(selector.matchLabels, metadata.labels ?? {}))
        .flatMap((service) => (service['spec'] as { ports: readonly { name: string }[] }).ports)
      expect(ports.map(({ name }) => name)).toEqual(expect.arrayContaining(endpoints.map(({ port }) => port)))
    }
  })
})
