import type { Logger } from 'pino'
import { createResourceSet, SpecRefused } from '@bourse/all-in-one/platform/resources.ts'
import { createBankConfigurator } from '@bourse/bridge/client/configure.ts'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Manifests } from '@bourse/common/resources/load.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import type { Door } from '../ports/ground.ts'

/** Keeps the manifests' specs in force. */
export interface AdminPart {
  /** Looks at the manifests again. */
  refresh(): void
  /** Whether everything they say is in force. */
  isApplied(): boolean
}

const RETRY_MS = 500

/**
 * Applies the manifests at the start and after each change, as the platform does, again and again until every partition has
 * them. `onInForce` hears what is in force.
 */
export const createAdminPart = (deps: {
  readonly door: Door
  readonly topology: Topology
  readonly partitions: PartitionClient
  readonly manifests: () => Manifests
  readonly logger: Logger
  readonly onInForce: (pairs: readonly TradingPair[]) => void
  readonly onBroken: (error: unknown) => void
}): AdminPart => {
  const { door, topology, partitions, logger } = deps
  const set = createResourceSet({
    manifests: deps.manifests(),
    topology,
    partitions,
    banks: createBankConfigurator({ partitions, topology }),
    withCallback: (bank) => bank,
    logger,
  })
  let version = 0
  let applied = -1
  let isIdle = false

  /** Whether it went through; a refusal (a partition that is not served just now) is tried again. */
  const attempt = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await work()
      return true
    } catch (error) {
      if (!(error instanceof SpecRefused)) throw error
      return false
    } finally {
      deps.onInForce(set.pairs())
    }
  }
  const keep = async (): Promise<void> => {
    while (applied !== version) {
      const wanted = version
      const work = applied < 0 ? set.applyAll : () => set.change({ ok: true, manifests: deps.manifests() })
      // The first time the set is what the manifests said when this process began: a change since then comes next.
      if (await attempt(work)) applied = applied < 0 ? 0 : wanted
      else await door.clock.sleep(RETRY_MS)
    }
    isIdle = true
  }
  const begin = (): void => {
    isIdle = false
    keep().catch(deps.onBroken)
  }
  begin()
  return {
    refresh: () => {
      version += 1
      if (isIdle) begin()
    },
    isApplied: () => applied === version,
  }
}
