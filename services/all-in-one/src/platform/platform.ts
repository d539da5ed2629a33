import type { RecoveryReport } from '@bourse/common/kernel/recovery.ts'
import type { ProgramContext } from '@bourse/common/process/run.ts'
import type { MadeKey } from './bank-secrets.ts'
import { startCore } from './core.ts'
import { startEdge } from './edge.ts'
import { openFoundation } from './foundation.ts'
import { createLifetime } from '@bourse/common/process/lifetime.ts'
import { startSimulators } from './simulators.ts'

/** A running platform. */
export interface Platform {
  readonly gatewayUrl: string
  /** Null without BOURSE_TELEMETRY_PORT. */
  readonly telemetryUrl: string | null
  readonly exchangeUrl: string
  /** Null when no manifest names the demo bank. */
  readonly bankUrl: string | null
  /** API keys made at this start. */
  readonly madeKeys: readonly MadeKey[]
  /** Where the administrator's token is kept when it was not configured. */
  readonly adminTokenFile: string | null
  readonly recovery: readonly RecoveryReport[]
  /** What start-up found that an operator should know, a sentence each. */
  readonly findings: readonly string[]
  /** Stops intake, flushes, snapshots, closes. Repeatable. */
  stop(): Promise<void>
}

/**
 * Starts everything in this process, in the order in which the parts need one another: the data folder, the outside
 * world's simulators, the partitions, the edge. They stop in the reverse order.
 * @throws {StartRefused} on a configuration, manifest or data that can't be used
 */
export const startPlatform = async (context: Omit<ProgramContext, 'lifetime'>): Promise<Platform> => {
  const { config } = context
  const lifetime = createLifetime()
  try {
    const foundation = await openFoundation(context, lifetime)
    const outside = await startSimulators(foundation, lifetime)
    const core = await startCore(foundation, outside, lifetime)
    const { gateway, telemetryUrl } = await startEdge(foundation, outside, core, lifetime)
    return {
      gatewayUrl: gateway.url,
      telemetryUrl,
      exchangeUrl: outside.exchangeUrl,
      bankUrl: outside.demoBankUrl,
      madeKeys: foundation.madeKeys,
      adminTokenFile: config.adminToken === null ? `${foundation.folder.secrets}/admin-token` : null,
      findings: foundation.findings,
      recovery: [...core.serving.runners.values()].flatMap((runner) => runner.status().recovery ?? []),
      stop: lifetime.stop,
    }
  } catch (error) {
    await lifetime.stop()
    throw error
  }
}
