import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** Folder of the chart. */
export const CHART = join(ROOT, 'charts/bourse')
const EVALUATION = join(CHART, 'values-evaluation.yaml')

/** A rendered object: any field of it may be missing, which is what the tests are about. */
export interface Rendered {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Labels; readonly annotations?: Labels }
  readonly [field: string]: unknown
}
/** Labels or annotations. */
export type Labels = Readonly<Record<string, string>>

/** Where a tool is: on PATH, or where the cluster kit keeps what it built; undefined when it is nowhere. */
export const toolPath = (tool: string): string | undefined => {
  const { PATH = '', BOURSE_CLUSTER_CACHE } = process.env
  const built = join(BOURSE_CLUSTER_CACHE ?? join(homedir(), '.cache/bourse-cluster'), 'bin')
  const folders = existsSync(built) ? readdirSync(built).map((name) => join(built, name)) : []
  return [...PATH.split(delimiter), ...folders].map((folder) => join(folder, tool)).find((path) => existsSync(path))
}

/** Why tests of the chart can't run here; undefined when they can. */
export const helmMissing = (): string | undefined =>
  toolPath('helm') === undefined
    ? 'helm is not on PATH; install Helm 3.14 or later, or build the cluster kit'
    : undefined

/** Runs helm. */
export const helm = (
  args: readonly string[],
): { readonly ok: boolean; readonly output: string; readonly said: string } => {
  const run = spawnSync(toolPath('helm') ?? 'helm', args, { encoding: 'utf8', maxBuffer: 64 << 20 })
  return { ok: run.status === 0, output: run.stdout, said: `${run.stdout}${run.stderr}` }
}

/** Settings of one rendering, as `--set-json` takes them. */
export type Settings = Readonly<Record<string, unknown>>

const argumentsOf = (settings: Settings, files: readonly string[]): readonly string[] => [
  ...files.flatMap((file) => ['--values', file]),
  ...Object.entries(settings).flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`]),
]

/** Renders the chart and says what helm said, whether it worked or not. */
export const render = (settings: Settings, files: readonly string[] = []): ReturnType<typeof helm> =>
  helm(['template', 'bourse', CHART, '--namespace', 'exchange', ...argumentsOf(settings, files)])

const objectsOf = (text: string): readonly Rendered[] =>
  parseAllDocuments(text, { version: '1.2' })
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0] ?? new Error('not YAML')
      return document.toJS() as Rendered | null
    })
    .filter((object) => object !== null)

/** What an installation of its own servers' Secret needs to say. */
export const PRODUCTION: Settings = {
  'backingServices.existingSecret': 'servers',
  exchangeUrl: 'https://exchange.example',
}

/** The objects of a production installation on servers outside. @throws what helm said */
export const production = (settings: Settings = {}): readonly Rendered[] => rendered({ ...PRODUCTION, ...settings }, [])

/** The objects of an evaluation with everything inside. @throws what helm said */
export const evaluation = (settings: Settings = {}): readonly Rendered[] => rendered(settings, [EVALUATION])

const rendered = (settings: Settings, files: readonly string[]): readonly Rendered[] => {
  const { ok, output, said } = render(settings, files)
  if (!ok) throw new Error(said)
  return objectsOf(output)
}

/** Everything that the chart can render. */
export const EVERYTHING: Settings = {
  'gateway.autoscaling.enabled': true,
  'gateway.ingress.enabled': true,
  'gateway.ingress.hosts': ['bourse.example'],
  'operator.watchNodes': true,
  'monitoring.serviceMonitor.enabled': true,
  'monitoring.prometheusRule.enabled': true,
  'monitoring.dashboards.enabled': true,
  priorityClassName: 'exchange',
}
