import type Router from '@koa/router'
import type { Logger } from 'pino'
import type { Secret } from '../config/secret.ts'
import type { Clock } from '../ports/clock.ts'
import { openControlDoor } from '../shard/control-door.ts'
import { routeLogLevel } from '../shard/control-log-level.ts'
import { routeProfiles } from '../shard/control-profile.ts'
import type { LogLevels } from '../telemetry/log-levels.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** Whether a process does its work; every reason is a sentence an operator can act on. `detail` is shown as it is. */
export interface ProcessHealth {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly detail?: Readonly<Record<string, unknown>>
}

/** A health server that listens. */
export interface HealthServer {
  /** `http://host:port` */
  readonly url: string
  /** Repeatable. */
  stop(): Promise<void>
}

/** What the health server needs. */
export interface HealthServerDeps {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  /** Bearer token of everything under /control; null: there is nothing under it. */
  readonly token: Secret | null
  readonly health: () => ProcessHealth
  readonly metrics: Pick<Metrics, 'expose'>
  /** The level of everything that the process logs. */
  readonly levels: LogLevels
  readonly clock: Clock
  readonly logger: Logger
}

const routeProbes = (router: Router, { health, metrics }: HealthServerDeps): void => {
  router.get('/health/live', (context) => void (context.body = { status: 'ok' }))
  router.get('/health/ready', (context) => {
    const found = health()
    context.status = found.ready ? 200 : 503
    context.body = found
  })
  router.get('/metrics', async (context) => {
    const { contentType, text } = await metrics.expose()
    context.set('content-type', contentType)
    context.body = text
  })
}

/**
 * `GET /health/live` (200 as long as the process runs), `/health/ready` (200 or 503 with reasons) and `/metrics` for anybody; the
 * log level and profiles under /control for who has the token. The telemetry door of every process that is no shard.
 * @throws when the port cannot be had, and on a token that is too short
 */
export const startHealthServer = (deps: HealthServerDeps): Promise<HealthServer> =>
  openControlDoor({ ...deps, page: 'docs/operations/profiles.md' }, (router) => {
    routeProbes(router, deps)
    routeLogLevel(router, deps)
    routeProfiles(router, deps)
  })
