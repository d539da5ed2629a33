import { join } from 'node:path'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { DASHBOARDS } from '../dashboards/dashboards.ts'
import { renderRules } from '../rules/rules.ts'
import { startEmbeddedPlatform } from '../servers/embedded-platform.ts'
import { writeManifests } from '../servers/manifests.ts'
import type { PrometheusServer, ScrapeTarget } from '../servers/prometheus.ts'
import {
  startWatchedPlatform,
  watchedPlatformMissing,
  WATCHED_NAMESPACE,
  type WatchedPlatform,
} from '../servers/watched-platform.ts'
import { askAll, filled, valuesOf, type Verdict } from './ask.ts'
import { queriesOfDashboard, queriesOfRules, type AskedQuery, type DashboardJson } from './collect.ts'
import { silentEntry } from './silent.ts'
import { startWatchedOperator } from './watched-operator.ts'

/** Rules look at windows this many times shorter: recorded burn rates of days exist within minutes. */
const TIME_SCALE = 20
/** Also how long a scrape may take; the shortest recorded window, a quarter of a minute, holds several. */
const SCRAPE_INTERVAL_MS = 3_000
/** Holds several scrapes, and long enough for what happens every few seconds. */
const RATE_INTERVAL = '30s'
/** All is asked until it gave data once; this ends only what never does, on however slow a machine. */
const WITHIN_MS = 900_000
/** Little at once: what matters is that everything happens, and all of this runs on one machine. */
const LOAD = { tradersPerSecond: 4, banksPerSecond: 4, underWayMax: 8 } as const
/** The platform of one process stands beside the other, for what only it shows. */
const ONE_PROCESS = 'one-process'
const rulesOf = (namespace: string): string =>
  renderRules({ selector: `namespace="${namespace}"`, timeScale: TIME_SCALE })

/** How all queries ended. */
export interface QueriesResult {
  readonly verdicts: readonly Verdict[]
  /** Those that gave data. */
  readonly withData: number
  /** Errors, queries without data, and those that gave data though a list says that they can not. */
  readonly faults: readonly string[]
}

/** Why the queries can not be asked here, or undefined when they can. */
export const queriesMissing = watchedPlatformMissing

/** Every query of every dashboard and rule of a namespace, the dashboards’ variables filled in with what there is now. */
const queriesOf = async (namespace: string, prometheus: PrometheusServer): Promise<readonly AskedQuery[]> => {
  const given = { namespace, rateInterval: RATE_INTERVAL }
  const asked: AskedQuery[] = []
  for (const dashboard of DASHBOARDS) {
    const values = await valuesOf(dashboard.json as DashboardJson, prometheus, given)
    for (const query of queriesOfDashboard(dashboard)) asked.push(filled(query, values))
  }
  return [...asked, ...queriesOfRules(rulesOf(namespace))]
}

const prepare = async (prometheus: PrometheusServer): Promise<readonly AskedQuery[]> => {
  const elsewhere = await queriesOf(ONE_PROCESS, prometheus)
  return [
    ...(await queriesOf(WATCHED_NAMESPACE, prometheus)),
    ...elsewhere
      .filter((query) => silentEntry(query)?.hasDataInOneProcess === true)
      .map((query) => ({ ...query, where: `${query.where} (platform of one process)` })),
  ]
}

const faultOf = ({ query, end, reason }: Verdict): string | null => {
  const what = `${query.kind} ${query.where}: ${query.expr}`
  if (end === 'error') return `refused: ${what}: ${reason}`
  if (end === 'empty' && silentEntry(query) === undefined) return `no data: ${what}`
  if (end === 'data' && silentEntry(query) !== undefined)
    return `has data, though it is on the list of the silent: ${what}`
  return null
}

/** Judges all queries. */
export const judge = (verdicts: readonly Verdict[]): QueriesResult => ({
  verdicts,
  withData: verdicts.filter(({ end }) => end === 'data').length,
  faults: verdicts.flatMap((verdict) => faultOf(verdict) ?? []),
})

/** The operator, and the platform of one process. */
const startBeside = async (
  platform: WatchedPlatform,
  { folder, clock }: { readonly folder: string; readonly clock: Clock },
  onStop: (stop: () => Promise<void>) => void,
): Promise<readonly ScrapeTarget[]> => {
  const operator = await startWatchedOperator({
    folder: join(folder, 'operator'),
    namespace: WATCHED_NAMESPACE,
    mongoUrl: platform.mongo.urlOf('operator'),
    clock,
  })
  onStop(operator.stop)
  const manifests = join(folder, 'one-process/manifests')
  await writeManifests(manifests, platform.ticker.url)
  const embedded = await startEmbeddedPlatform({
    namespace: ONE_PROCESS,
    dataDir: join(folder, 'one-process/data'),
    manifests,
  })
  onStop(embedded.stop)
  return [operator.target, embedded.target]
}

/**
 * Starts the platform of many processes under load, the operator against an API server in memory, the platform of one process,
 * and a Prometheus with all rules; asks every query of every panel, variable and rule.
 * @throws when something does not start (`queriesMissing` says before what is not installed)
 */
export const runQueries = async (deps: { readonly folder: string; readonly clock: Clock }): Promise<QueriesResult> => {
  const { folder, clock } = deps
  const stops: (() => Promise<void>)[] = []
  try {
    const platform = await startWatchedPlatform({
      folder,
      prometheus: { scrapeIntervalMs: SCRAPE_INTERVAL_MS, rulesText: rulesOf(WATCHED_NAMESPACE) },
      load: LOAD,
    })
    stops.push(platform.stop)
    const others = await startBeside(platform, { folder, clock }, (stop) => void stops.push(stop))
    const { prometheus } = platform
    await prometheus.reload({ targets: [...platform.targets, ...others] })
    const isDone = (open: readonly Verdict[]): boolean => open.every(({ query }) => silentEntry(query) !== undefined)
    return judge(await askAll(() => prepare(prometheus), { prometheus, clock, withinMs: WITHIN_MS, isDone }))
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}
