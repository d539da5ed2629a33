import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { mongoMissing, startMongo, type MongoServer } from '@bourse/common/testkit/servers/mongodb.ts'
import { startProxy, type Proxy } from '@bourse/common/testkit/servers/proxy.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '@bourse/common/testkit/servers/rabbitmq.ts'
import { redisMissing, startRedis, type RedisServer } from '@bourse/common/testkit/servers/redis.ts'
import { freePort } from '@bourse/common/testkit/servers/free-port.ts'
import type { LaunchArguments } from '@bourse/all-in-one/distributed/arguments.ts'
import type { RunningProgram } from './launcher-plan.ts'
import { startLoad, type Load } from './load.ts'
import { writeManifests } from './manifests.ts'
import { startPrograms, type Programs } from './programs.ts'
import { prometheusMissing, startPrometheus, type PrometheusServer, type ScrapeTarget } from './prometheus.ts'
import { startTicker, type Ticker } from './ticker.ts'
import { ADMIN_TOKEN, BANK_KEY, LIFTED_LIMITS } from './watched-settings.ts'

/** What every series of the watched platform is labelled with. */
export const WATCHED_NAMESPACE = 'gameday'

/** How a watched platform is set up. */
export interface WatchedOptions {
  /** Its own: data, manifests, logs and Prometheus stand there. */
  readonly folder: string
  readonly prometheus: {
    readonly scrapeIntervalMs: number
    readonly rulesText?: string
    readonly alertmanagerUrl?: string
    /** Scraped besides the platform. */
    readonly targets?: readonly ScrapeTarget[]
  }
  /** Operations a second, of traders and of banks; 4 each by default. 0: no load. */
  readonly load?: { readonly tradersPerSecond: number; readonly banksPerSecond: number; readonly underWayMax?: number }
  /** Further variables of all programs. */
  readonly env?: Readonly<Record<string, string>>
}

/** The platform of many processes, its servers, who watches it and who uses it. */
export interface WatchedPlatform {
  readonly gatewayUrl: string
  readonly exchangeUrl: string
  readonly bankUrl: string
  readonly bankKey: string
  readonly adminToken: string
  readonly targets: readonly ScrapeTarget[]
  readonly prometheus: PrometheusServer
  readonly load: Load | null
  readonly rabbitMq: RabbitMqServer
  readonly redis: RedisServer
  readonly mongo: MongoServer
  /** Of the platform's database, past the proxy. */
  readonly mongoUrl: string
  /** In front of MongoDB and Redis: everything the programs say to them goes through. */
  readonly mongoProxy: Proxy
  readonly redisProxy: Proxy
  readonly ticker: Ticker
  programs(): Promise<readonly RunningProgram[]>
  /** The ports a program listens on, by its name. */
  portsOf(name: string): readonly number[]
  /** What all programs logged so far. */
  log(): string
  /** Stops the load and the platform in order, the servers stay: its data can be read. */
  stopPrograms(): Promise<void>
  /** Stops everything. Once more is no error. */
  stop(): Promise<void>
}

const COUNTS: LaunchArguments = { tradingShards: 2, ledgerShards: 1, bridgeShards: 1, gateways: 1 }
const SHARDS = ['ledger-0', 'trading-0', 'trading-1', 'bridge-0'] as const
/** Programs that are scraped, by name. */
const SCRAPED = ['gateway-0', 'market', ...SHARDS] as const
const DEFAULT_LOAD = { tradersPerSecond: 4, banksPerSecond: 4 }

/** WebSockets that the gateway takes. */
export const WEB_SOCKETS_MAX = 50

/** Why no watched platform can be started here, or undefined when one can. */
export const watchedPlatformMissing = (): string | undefined =>
  prometheusMissing() ?? rabbitMqMissing() ?? mongoMissing() ?? redisMissing()

/** The ports that the programs stand on: known before, so that what is scraped stays the same when they start again. */
interface Ports {
  readonly gateway: number
  readonly exchange: number
  readonly bank: number
  /** Where metrics are, by program. */
  readonly telemetry: Readonly<Record<string, number>>
}

const takePorts = async (): Promise<Ports> => {
  const telemetry: Record<string, number> = {}
  for (const name of SCRAPED) telemetry[name] = await freePort()
  return { gateway: await freePort(), exchange: await freePort(), bank: await freePort(), telemetry }
}

const jobOf = (name: string): string => name.replace(/-\d+$/, '')

/** The endpoints of a platform on these ports; RabbitMQ's detailed ones tell of each queue. */
const targetsOf = (ports: Ports, rabbitMqPort: number): readonly ScrapeTarget[] => [
  ...SCRAPED.map((name) => ({
    job: jobOf(name),
    url: `http://127.0.0.1:${ports.telemetry[name]}`,
    labels: { namespace: WATCHED_NAMESPACE, pod: name },
  })),
  // Its alarms are among the totals only.
  ...['/metrics', '/metrics/per-object'].map((metricsPath) => ({
    job: 'rabbitmq',
    url: `http://127.0.0.1:${rabbitMqPort}`,
    metricsPath,
    labels: { namespace: WATCHED_NAMESPACE, pod: 'rabbitmq-0' },
  })),
]

/** A gateway's metrics are on a port of their own, since its other one faces customers; shards and the market have one port. */
const programEnv = (ports: Ports): Record<string, Record<string, string>> =>
  Object.fromEntries(
    SCRAPED.map((name) => [
      name,
      { [jobOf(name) === 'gateway' ? 'BOURSE_TELEMETRY_PORT' : 'BOURSE_SERVICE_PORT']: String(ports.telemetry[name]) },
    ]),
  )

/** Snapshots are frequent, so that drills see some. */
const ENVIRONMENT = {
  ...LIFTED_LIMITS,
  BOURSE_LIMIT_WEB_SOCKETS: String(WEB_SOCKETS_MAX),
  ENGINE_SNAPSHOT_INTERVAL: '2000',
} as const

interface Servers {
  readonly rabbitMq: RabbitMqServer
  readonly rabbitMqMetricsPort: number
  readonly mongo: MongoServer
  readonly mongoUrl: string
  readonly mongoProxy: Proxy
  readonly redis: RedisServer
  readonly redisProxy: Proxy
  readonly ticker: Ticker
}

type OnStop = (stop: () => Promise<void>) => void

const startServers = async (onStop: OnStop): Promise<Servers> => {
  const rabbitMqMetricsPort = await freePort()
  const starting = [
    startRabbitMq({
      plugins: ['rabbitmq_prometheus'],
      config: ['prometheus.tcp.ip = 127.0.0.1', `prometheus.tcp.port = ${rabbitMqMetricsPort}`],
    }),
    startMongo(),
    startRedis(),
    startTicker(),
  ] as const
  onStop(async () => {
    for (const one of await Promise.allSettled(starting)) if (one.status === 'fulfilled') await one.value.stop()
  })
  const [rabbitMq, mongo, redis, ticker] = await Promise.all(starting)
  const mongoProxy = await startProxy({ port: Number(new URL(mongo.url).port) })
  onStop(mongoProxy.stop)
  const redisProxy = await startProxy({ port: redis.port })
  onStop(redisProxy.stop)
  const mongoUrl = mongo.urlOf(WATCHED_NAMESPACE)
  return { rabbitMq, rabbitMqMetricsPort, mongo, mongoUrl, mongoProxy, redis, redisProxy, ticker }
}

const startOn = async (servers: Servers, ports: Ports, options: WatchedOptions, onStop: OnStop): Promise<Programs> => {
  const manifests = join(options.folder, 'manifests')
  await writeManifests(manifests, servers.ticker.url)
  const programs = await startPrograms({
    plan: { counts: COUNTS, env: programEnv(ports) },
    env: {
      ...ENVIRONMENT,
      BOURSE_MANIFESTS: manifests,
      BOURSE_DATA_DIR: join(options.folder, 'data'),
      BOURSE_PORT: String(ports.gateway),
      BOURSE_MOCK_EXCHANGE_PORT: String(ports.exchange),
      BOURSE_MOCK_BANK_PORT: String(ports.bank),
      BOURSE_RABBITMQ_URL: servers.rabbitMq.url,
      BOURSE_MONGODB_URL: servers.mongoProxy.urlOf(servers.mongoUrl),
      BOURSE_REDIS_URL: servers.redisProxy.urlOf(servers.redis.url),
      ...options.env,
    },
  })
  onStop(programs.stop)
  return programs
}

/**
 * Starts the platform of many processes (two trading shards, a ledger, a bridge, a market, a gateway, both simulators) on private
 * servers, a Prometheus that scrapes all of it, and a steady load. Resolves when orders are taken.
 * @throws when something is missing (`watchedPlatformMissing` says so before) or does not start; what was started is stopped
 */
export const startWatchedPlatform = async (options: WatchedOptions): Promise<WatchedPlatform> => {
  const stops: (() => Promise<void>)[] = []
  const onStop: OnStop = (stop) => void stops.push(stop)
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one()
  }
  try {
    await mkdir(options.folder, { recursive: true })
    const ports = await takePorts()
    const servers = await startServers(onStop)
    const targets = [...targetsOf(ports, servers.rabbitMqMetricsPort), ...(options.prometheus.targets ?? [])]
    const prometheus = await startPrometheus({
      ...options.prometheus,
      folder: join(options.folder, 'prometheus'),
      targets,
    })
    onStop(prometheus.stop)
    const programs = await startOn(servers, ports, options, onStop)
    const gatewayUrl = `http://127.0.0.1:${ports.gateway}`
    const rates = options.load ?? DEFAULT_LOAD
    const load =
      rates.tradersPerSecond + rates.banksPerSecond === 0
        ? null
        : await startLoad({ gatewayUrl: () => gatewayUrl, bankKey: BANK_KEY, ...rates })
    if (load !== null) onStop(load.stop)
    return {
      ...servers,
      gatewayUrl,
      exchangeUrl: `http://127.0.0.1:${ports.exchange}`,
      bankUrl: `http://127.0.0.1:${ports.bank}`,
      bankKey: BANK_KEY,
      adminToken: ADMIN_TOKEN,
      targets,
      prometheus,
      load,
      programs: programs.list,
      portsOf: (name) => [
        ...(ports.telemetry[name] === undefined ? [] : [ports.telemetry[name]]),
        ...(name === 'gateway-0' ? [ports.gateway] : []),
      ],
      log: programs.log,
      stopPrograms: async () => {
        await load?.stop()
        await programs.stop()
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
