import { createSecret, type Secret } from '@bourse/common/config/secret.ts'
import { startHealthServer, type HealthServer, type ProcessHealth } from '@bourse/common/process/health-server.ts'
import type { Lifetime } from '@bourse/common/process/lifetime.ts'
import { keptSecret } from '@bourse/common/process/secrets.ts'
import { StartRefused } from '@bourse/common/process/start-refused.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import type { Foundation } from './foundation.ts'

/** The configured token; one made once into the data folder in development. */
const tokenOf = async ({ config, folder, random }: Foundation): Promise<Secret> => {
  if (config.cluster.controlToken !== null) return config.cluster.controlToken
  if (config.profile === 'development') return createSecret((await keptSecret(folder, 'control-token', random)).value)
  throw new StartRefused([
    'BOURSE_CONTROL_TOKEN is required with BOURSE_TELEMETRY_PORT in the production profile; set it or BOURSE_CONTROL_TOKEN_FILE',
  ])
}

/**
 * Opens the telemetry door of the platform in one process where BOURSE_TELEMETRY_PORT is set; null without it.
 * @throws {StartRefused} when production gives no control token
 */
export const openTelemetryDoor = async (
  foundation: Foundation,
  deps: { readonly health: () => ProcessHealth; readonly metrics: Metrics; readonly lifetime: Lifetime },
): Promise<HealthServer | null> => {
  const { config, levels, clock, logger } = foundation
  const { telemetryPort: port } = config.cluster
  if (port === null) return null
  const { health, metrics } = deps
  const token = await tokenOf(foundation)
  const door = await startHealthServer({ host: config.host, port, token, health, metrics, levels, clock, logger })
  deps.lifetime.onStop(() => door.stop())
  return door
}
