import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { orderLatencyWithin } from '../objectives/objectives.ts'
import { INHIBITIONS, renderRules } from '../rules/rules.ts'
import { startAlertmanager, type AlertmanagerServer } from '../servers/alertmanager.ts'
import { clock } from '../servers/program.ts'
import type { PrometheusServer } from '../servers/prometheus.ts'
import { startWatchedPlatform, WATCHED_NAMESPACE, type WatchedPlatform } from '../servers/watched-platform.ts'
import type { DrillDeps } from './drill.ts'

/** How all drills run. */
export interface GamedaySettings {
  readonly folder: string
  /** All windows and waits of the rules are divided by it. */
  readonly timeScale: number
  /** Aborted when everything is to end: what was broken is healed, and what was started is stopped. */
  readonly interrupted: AbortSignal
}

/** Longest `for` and window that a drill waits for, true seconds. */
const FIRE_SECONDS_MAX = 1_500
const CLEAR_SECONDS_MAX = 3_600
/** What a scrape, an evaluation and a notification take, whatever the scale, ms. */
const OVERHEAD_MS = 20_000
/** Processes that want a processor, for each there is; beyond it orders wait for the machine. */
const OVERLOAD = 3
const GROUP_WAIT_MS = 200

/** As often as every 15 s in truth: twice a second at a scale of 30. */
export const scrapeIntervalMs = (timeScale: number): number => Math.round(15_000 / timeScale)

/** An Alertmanager with the inhibitions of the platform. */
export const startOnCall = (folder: string): Promise<AlertmanagerServer> =>
  startAlertmanager({
    folder: join(folder, 'alertmanager'),
    groupWaitMs: GROUP_WAIT_MS,
    inhibitRules: INHIBITIONS.map(({ sources, targets, equal }) => ({
      source_matchers: sources,
      target_matchers: targets,
      equal,
    })),
  })

/**
 * What a drill promises of orders, seconds: broker, databases, a dozen programs, Prometheus and the load share one small machine,
 * where an order takes what the promise of 50 ms leaves no room for.
 */
const DRILL_ORDER_SECONDS = 0.25

/** Rules for namespaces that match (`="x"`, `=~"x.*"`); there is no operator on one machine. */
export const rulesFor = (matcher: string, timeScale: number): string =>
  renderRules({
    selector: `namespace${matcher}`,
    timeScale,
    without: ['operator'],
    instead: [orderLatencyWithin(DRILL_ORDER_SECONDS)],
  })

/** What is wrong with the books by the platform's own series: a sum that is not zero, or none at all. */
export const booksOf = async (prometheus: PrometheusServer, namespace: string): Promise<string | null> => {
  const series = `bourse_ledger_imbalance_units{namespace="${namespace}"}`
  const sums = await prometheus.query(series)
  if (sums.length === 0) return `no series ${series}`
  const wrong = sums.filter(({ value }) => value !== 0)
  if (wrong.length === 0) return null
  return wrong.map(({ metric, value }) => `${metric['partition']} ${metric['currency']} ${value}`).join(', ')
}

/** What a drill on a watched world needs besides its two questions. */
export const drillDeps = <World>(
  { timeScale, interrupted }: GamedaySettings,
  parts: {
    readonly world: World
    readonly prometheus: PrometheusServer
    readonly onCall: AlertmanagerServer
    readonly books: () => Promise<string | null>
    readonly served: () => Promise<string | null>
  },
): DrillDeps<World> => ({
  world: parts.world,
  alerts: parts.prometheus.alerts,
  notifications: parts.onCall.notifications,
  books: parts.books,
  served: parts.served,
  isOverloaded: () => (loadavg()[0] ?? 0) > OVERLOAD * availableParallelism(),
  nowMs: () => clock.monotonicMs(),
  pause: (delayMs) => clock.sleep(delayMs, interrupted),
  fireMsMax: ({ slowSeconds = 0 }) => (FIRE_SECONDS_MAX / timeScale + slowSeconds) * 1_000 + OVERHEAD_MS,
  clearMsMax: ({ slowSeconds = 0 }) => (CLEAR_SECONDS_MAX / timeScale + slowSeconds) * 1_000 + OVERHEAD_MS,
})

/** The platform of many processes with its on-call engineer. */
export interface Gameday {
  readonly platform: WatchedPlatform
  readonly deps: DrillDeps<WatchedPlatform>
  stop(): Promise<void>
}

/** Starts the watched platform with its alerts. */
export const startGameday = async (settings: GamedaySettings): Promise<Gameday> => {
  const { folder, timeScale } = settings
  const onCall = await startOnCall(folder)
  try {
    const platform = await startWatchedPlatform({
      folder,
      prometheus: {
        scrapeIntervalMs: scrapeIntervalMs(timeScale),
        rulesText: rulesFor(`="${WATCHED_NAMESPACE}"`, timeScale),
        alertmanagerUrl: onCall.url,
      },
    })
    const deps = drillDeps(settings, {
      world: platform,
      prometheus: platform.prometheus,
      onCall,
      books: () => booksOf(platform.prometheus, WATCHED_NAMESPACE),
      served: () => platform.load?.probe() ?? Promise.resolve('no load'),
    })
    return {
      platform,
      deps,
      stop: async () => {
        await platform.stop().finally(onCall.stop)
      },
    }
  } catch (error) {
    await onCall.stop()
    throw error
  }
}
