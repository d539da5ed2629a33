import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { startChild } from '@bourse/common/testkit/servers/child.ts'
import { freePort } from '@bourse/common/testkit/servers/free-port.ts'
import { answering, findProgram } from './program.ts'

/** One endpoint that is scraped. */
export interface ScrapeTarget {
  readonly job: string
  /** `http://host:port`. */
  readonly url: string
  /** Default `/metrics`. */
  readonly metricsPath?: string
  /** Added to every series of it, as `namespace` and `pod`. */
  readonly labels: Readonly<Record<string, string>>
}

/** How a Prometheus is set up. */
export interface PrometheusOptions {
  /** Its own: configuration, rules, data and log stand there. */
  readonly folder: string
  readonly targets: readonly ScrapeTarget[]
  /** A rule file, as `renderRules` writes it. */
  readonly rulesText?: string
  readonly scrapeIntervalMs: number
  /** Default: as often as it scrapes. */
  readonly evaluationIntervalMs?: number
  readonly alertmanagerUrl?: string
}

/** One sample of an instant query. */
export interface Sample {
  readonly metric: Record<string, string>
  readonly value: number
}

/** An alert that is not inactive. */
export interface ActiveAlert {
  readonly name: string
  readonly state: 'pending' | 'firing'
  readonly labels: Record<string, string>
  /** Unix time since when its expression holds, ms. */
  readonly activeAtMs: number
}

/** A running Prometheus. */
export interface PrometheusServer {
  readonly url: string
  /**
   * An instant query; a scalar is one sample without labels.
   * @throws when Prometheus refuses it
   */
  query(expr: string): Promise<readonly Sample[]>
  alerts(): Promise<readonly ActiveAlert[]>
  /** Takes other targets or rules without losing data; what is left out stays. @throws when they are refused */
  reload(options: { readonly targets?: readonly ScrapeTarget[]; readonly rulesText?: string }): Promise<void>
  /** Ends it; its folder stays. Once more is no error. */
  stop(): Promise<void>
}

const ANSWER_MS_MAX = 60_000
/** Targets come and go in drills; the defaults of five seconds would be a part of what is measured. */
const DISCOVERY_RELOAD = '1s'

/** Why no Prometheus can be started here and how to change that, or undefined when one can. */
export const prometheusMissing = (): string | undefined =>
  findProgram('BOURSE_PROMETHEUS', 'prometheus') === undefined
    ? 'Prometheus is not installed (apt-get install prometheus, or BOURSE_PROMETHEUS names its program)'
    : undefined

/** A job of the configuration for each job and path; its targets are its groups. */
const scrapeConfigs = (targets: readonly ScrapeTarget[], intervalMs: number): readonly object[] => {
  const groups = new Map<string, ScrapeTarget[]>()
  for (const target of targets) {
    const key = `${target.job} ${target.metricsPath ?? '/metrics'}`
    groups.set(key, [...(groups.get(key) ?? []), target])
  }
  return [...groups.values()].map((group, index) => ({
    // Two jobs of the configuration may not share a name; what the series show is the label.
    job_name: `${group[0]?.job}-${index}`,
    scrape_interval: `${intervalMs}ms`,
    scrape_timeout: `${intervalMs}ms`,
    metrics_path: group[0]?.metricsPath ?? '/metrics',
    static_configs: group.map(({ job, url, labels }) => ({
      targets: [new URL(url).host],
      labels: { ...labels, job },
    })),
  }))
}

const configOf = (options: PrometheusOptions): string =>
  stringify({
    global: {
      scrape_interval: `${options.scrapeIntervalMs}ms`,
      evaluation_interval: `${options.evaluationIntervalMs ?? options.scrapeIntervalMs}ms`,
    },
    rule_files: options.rulesText === undefined ? [] : ['rules.yaml'],
    ...(options.alertmanagerUrl === undefined
      ? {}
      : {
          alerting: {
            alertmanagers: [{ static_configs: [{ targets: [new URL(options.alertmanagerUrl).host] }] }],
          },
        }),
    scrape_configs: scrapeConfigs(options.targets, options.scrapeIntervalMs),
  })

const writeConfig = async (options: PrometheusOptions): Promise<void> => {
  const { folder, rulesText } = options
  if (rulesText !== undefined) await writeFile(join(folder, 'rules.yaml'), rulesText)
  await writeFile(join(folder, 'prometheus.yaml'), configOf(options))
}

interface Answer {
  readonly status: 'success' | 'error'
  readonly error?: string
  readonly data?: unknown
}

const ask = async (url: string, form?: Readonly<Record<string, string>>): Promise<unknown> => {
  const response = await fetch(url, {
    ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  })
  const answer = (await response.json()) as Answer
  if (answer.status !== 'success') throw new Error(`Prometheus refused: ${answer.error ?? response.status}`)
  return answer.data
}

type Pair = readonly [number, string]
type QueryResult =
  | { readonly resultType: 'vector'; readonly result: readonly { metric: Record<string, string>; value: Pair }[] }
  | { readonly resultType: 'scalar'; readonly result: Pair }
  | { readonly resultType: 'matrix' | 'string' }

/** Prometheus writes `+Inf`, `-Inf` and `NaN`. */
const numberOf = (text: string): number => Number(text.replace('Inf', 'Infinity'))

const samplesOf = (data: QueryResult): readonly Sample[] => {
  if (data.resultType === 'vector')
    return data.result.map(({ metric, value }) => ({ metric, value: numberOf(value[1]) }))
  if (data.resultType === 'scalar') return [{ metric: {}, value: numberOf(data.result[1]) }]
  throw new Error(`an instant query that answers a ${data.resultType} has no sample`)
}

interface RawAlert {
  readonly state: 'pending' | 'firing'
  readonly labels: Record<string, string>
  readonly activeAt: string
}

/**
 * Starts a Prometheus of one's own on a free port of the loopback; it is ready when this resolves, and ends with this process.
 * @throws when none is installed (`prometheusMissing` says so before), or it refuses its configuration or rules
 */
export const startPrometheus = async (options: PrometheusOptions): Promise<PrometheusServer> => {
  const command = findProgram('BOURSE_PROMETHEUS', 'prometheus')
  if (command === undefined) throw new Error(prometheusMissing())
  const { folder } = options
  await mkdir(folder, { recursive: true })
  let now = options
  await writeConfig(now)
  const url = `http://127.0.0.1:${await freePort()}`
  const child = startChild({
    command,
    args: [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
      '--web.enable-lifecycle',
      `--scrape.discovery-reload-interval=${DISCOVERY_RELOAD}`,
    ],
    cwd: folder,
    logFile: join(folder, 'prometheus.log'),
  })
  try {
    await answering({ title: 'Prometheus', url: `${url}/-/ready`, ...child })
  } catch (error) {
    await child.kill()
    throw error
  }
  return {
    url,
    query: async (expr) => samplesOf((await ask(`${url}/api/v1/query`, { query: expr })) as QueryResult),
    alerts: async () =>
      ((await ask(`${url}/api/v1/alerts`)) as { alerts: readonly RawAlert[] }).alerts.map(
        ({ state, labels, activeAt }) => ({
          name: labels['alertname'] ?? '',
          state,
          labels,
          activeAtMs: Date.parse(activeAt),
        }),
      ),
    reload: async (changed) => {
      now = { ...now, ...changed }
      await writeConfig(now)
      const response = await fetch(`${url}/-/reload`, { method: 'POST', signal: AbortSignal.timeout(ANSWER_MS_MAX) })
      if (!response.ok) throw new Error(`Prometheus refused: ${await response.text()}`)
    },
    stop: () => child.kill(),
  }
}
