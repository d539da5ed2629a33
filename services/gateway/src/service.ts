import type { Server } from 'node:http'
import { adminRoutes } from './admin/routes.ts'
import { DEFAULT_PASSWORD_COST, createPasswords, type PasswordCost } from './auth/password.ts'
import { authRoutes } from './auth/routes.ts'
import { createSessions } from './auth/sessions.ts'
import { createBankKeys } from './bank/keys.ts'
import { bankRoutes } from './bank/routes.ts'
import { BUILD_FOLDER, readConsoleBuild, type ConsoleBuild } from './console/build.ts'
import { createConsoleDoor } from './console/serve.ts'
import type { GatewayDeps } from './deps.ts'
import { createCommands } from './engine/commands.ts'
import { engineRoutes } from './engine/routes.ts'
import { healthRoutes } from './health/routes.ts'
import { addressSetOf, clientAddressOf } from './http/address.ts'
import { createApp } from './http/app.ts'
import { createGuard } from './http/guard.ts'
import { createOriginCheck } from './http/origin.ts'
import { createRateGate } from './http/rate-gate.ts'
import { createHttpServer, listen, urlOf } from './http/server.ts'
import { createRequestTracing } from './http/tracing.ts'
import { createHttpTelemetry } from './http/telemetry.ts'
import { createBankTelemetry } from './metrics/banks.ts'
import { createOrderTelemetry } from './metrics/orders.ts'
import { marketRoutes } from './market/routes.ts'
import { docsRoutes } from './openapi/docs.ts'
import { openApiDocument } from './openapi/document.ts'
import { allSpecs } from './openapi/specs.ts'
import { sandboxRoutes } from './sandbox/routes.ts'
import { createStreamServer } from './stream/server.ts'
import { tradeRoutes } from './trades/routes.ts'

/** A gateway that listens. */
export interface Gateway {
  /** `http://host:port` */
  readonly url: string
  readonly port: number
  /**
   * Not ready any more, takes no new connections, lets requests under way end (bounded by `shutdownTimeoutMs`), closes
   * WebSockets with 1001. Repeatable.
   */
  stop(): Promise<void>
}

const SECRET_CHARACTERS_MIN = 32
/** How long a stop waits for readers to answer the closing of their sockets; a dead one must not hold it up. */
const SOCKET_CLOSE_TIMEOUT_MS = 2_000

const checkSecrets = ({ config }: GatewayDeps): void => {
  for (const name of ['jwtSecret', 'adminToken'] as const) {
    if (config[name].length < SECRET_CHARACTERS_MIN) {
      throw new Error(`${name} has fewer than ${SECRET_CHARACTERS_MIN} characters; make a longer one`)
    }
  }
}

/** The doors to simulators are for developers: whoever wires them up in production has made a mistake. */
const checkSandbox = ({ config, sandbox }: GatewayDeps): void => {
  if (config.profile === 'production' && sandbox !== null)
    throw new Error('the production profile has no sandbox; take the simulators away or run the development profile')
}

const closeServer = async (server: Server, { clock, config, logger }: GatewayDeps): Promise<void> => {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
  server.closeIdleConnections()
  const over = new AbortController()
  const late = clock.sleep(config.limits.shutdownTimeoutMs, over.signal).then(
    () => true,
    () => false,
  )
  const isLate = await Promise.race([closed.then(() => false), late])
  over.abort()
  if (isLate) logger.warn('requests were still under way when the time to stop was over; their connections are cut')
  server.closeAllConnections()
  await closed
}

const openConsole = async ({ consoleFolder = BUILD_FOLDER, logger }: GatewayDeps): Promise<ConsoleBuild | null> => {
  const build = await readConsoleBuild(consoleFolder)
  if (build === null) {
    logger.warn({ folder: consoleFolder }, 'the console is not built and not served; run npm run build and start again')
  }
  return build
}

/**
 * Starts the edge: both APIs, administration, documentation, probes, the console and the WebSocket.
 * @throws when a secret is too short, the console's build can't be served, or the port cannot be had
 */
export const startGateway = async (
  deps: GatewayDeps,
  passwordCost: PasswordCost = DEFAULT_PASSWORD_COST,
): Promise<Gateway> => {
  checkSecrets(deps)
  checkSandbox(deps)
  const { config, directory, clock, ids, random, logger, platform, metrics } = deps
  const { limits } = config
  let stopping: Promise<void> | null = null
  const draining = (): boolean => stopping !== null

  const rate = createRateGate(deps.rateLimits)
  const originAllowed = createOriginCheck(config.allowedOrigins)
  const addressOf = clientAddressOf(addressSetOf(config.trustedProxyCidrs))
  const sessions = createSessions({
    directory,
    clock,
    ids,
    secret: config.jwtSecret,
    secure: config.profile === 'production',
    ttlMs: limits.sessionTtlMs,
  })
  const passwords = createPasswords({
    random,
    cost: passwordCost,
    runningMax: limits.passwordHashesMax,
    waitingMax: limits.passwordHashesWaitingMax,
  })
  const bankKeys = createBankKeys({ directory, banks: deps.banks, clock, rate, limits })
  const build = await openConsole(deps)
  const telemetry = createHttpTelemetry(metrics)
  const orders = createOrderTelemetry(metrics, clock)

  const app = createApp({
    routes: [
      ...authRoutes({ directory, sessions, passwords, rate, limits, clock, ids }),
      ...engineRoutes({ commands: createCommands(deps), telemetry, orders, clock, ids }),
      ...tradeRoutes(deps),
      ...marketRoutes(deps),
      ...bankRoutes({
        bridge: deps.bridge,
        telemetry: createBankTelemetry(metrics, clock),
        clock,
        ids,
        keys: bankKeys,
      }),
      ...sandboxRoutes(deps.sandbox),
      ...adminRoutes({ deps, sessions }),
      ...healthRoutes({ platform, metrics: deps.servesMetrics ? metrics : null, draining }),
      ...docsRoutes(openApiDocument(allSpecs)),
    ],
    consoleDoor: createConsoleDoor({ build, rate, limit: limits.consolePerAddress, addressOf }),
    guard: createGuard({ sessions, bankKeys, adminToken: config.adminToken, originAllowed, rate, limits }),
    limits,
    telemetry,
    addressOf,
    draining,
    clock,
    ids,
    logger,
    tracing: createRequestTracing(deps.tracer),
  })
  const server = createHttpServer({
    limits,
    ids,
    envelopeOfSocket: app.envelopeOfSocket,
    refused: telemetry.refused,
    handle: (request, response) => {
      void app.callback(request, response)
    },
  })
  const port = await listen(server, config.host, config.port)
  const stream = createStreamServer({ server, deps, sessions, originAllowed, addressOf, draining })

  const stopNow = async (): Promise<void> => {
    const closed = closeServer(server, deps)
    await stream.stop(Math.min(limits.shutdownTimeoutMs, SOCKET_CLOSE_TIMEOUT_MS))
    await closed
  }
  return {
    url: urlOf(config.host, port),
    port,
    stop: () => (stopping ??= stopNow()),
  }
}
