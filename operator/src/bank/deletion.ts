import { bridgePartitionOf } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { bankTransactionModel, partitionStateModel } from '@bourse/common/views/models.ts'
import type { BankResource } from '../resources/bank.ts'
import { bankKind } from '../resources/kinds.ts'
import { dropFinalizer } from '../runtime/finalizers.ts'
import type { KubeClient, ReconcileContext, ReconcileResult, Recorder } from '../runtime/types.ts'
import type { BankKeys } from './keys.ts'
import type { BankManifests } from './manifest.ts'
import { BANK_FINALIZER, keySecretName } from './names.ts'
import { writeStatus } from './status.ts'
import type { WebhookSecrets } from './webhooks.ts'

/**
 * How long after the suspension was stored no open transaction may have been seen: within 5 s every process has the suspension,
 * and what began before is in the view by then.
 */
export const SETTLE_MS = 15_000
/**
 * How far the views may be behind when they are asked for open transactions, ms: with it they know of everything that began
 * within 5 s after the suspension was stored.
 */
export const VIEWS_AGE_MS_MAX = 10_000
/** How often a bank that waits is looked at. */
export const DELETION_POLL_MS = 5_000
/** Most open transactions that are counted. */
export const OPEN_COUNTED_MAX = 1_000

/** What a deletion needs. */
export interface BankDeletionDeps {
  readonly client: KubeClient
  readonly recorder: Recorder
  readonly clock: Clock
  readonly views: Pick<Views, 'find' | 'get'>
  readonly bridgePartitions: number
  readonly keys: BankKeys
  readonly webhooks: WebhookSecrets
  readonly manifests: BankManifests
}

/** Lets banks go: suspended first, gone when nothing of theirs is open, and then by their policy. */
export interface BankDeletion {
  proceed(bank: BankResource, context: ReconcileContext): Promise<ReconcileResult>
  forget(bank: string): void
}

/** Makes the deletion. */
export const createBankDeletion = (deps: BankDeletionDeps): BankDeletion => {
  const { client, recorder, clock, views } = deps
  /** Since when a bank is known to be suspended, by uid; begun anew by a new leader, which only waits longer. */
  const suspended = new Map<string, { readonly uid: string; readonly sinceMs: number }>()

  const openTransactions = async (bank: string): Promise<number> => {
    const filter = { bank, status: 'PENDING' }
    const query = { filter, sortBy: 'createdAtMs', direction: 'ascending', limit: OPEN_COUNTED_MAX } as const
    return (await views.find(bankTransactionModel, query)).length
  }

  /** Whether the views may not know of every transaction that was open a while ago. */
  const areViewsBehind = async (bank: string): Promise<boolean> => {
    const said = await views.get(partitionStateModel, String(bridgePartitionOf(deps, bank)))
    return said === null || clock.nowMs() - said.viewsAsOfMs > VIEWS_AGE_MS_MAX
  }

  const suspend = async (bank: BankResource, fence: number): Promise<number> => {
    const { name, uid } = bank.metadata
    await deps.manifests.suspend(bank, fence)
    const known = suspended.get(name)
    if (known?.uid === uid) return known.sinceMs
    const sinceMs = clock.monotonicMs()
    suspended.set(name, { uid, sinceMs })
    return sinceMs
  }

  const end = async (bank: BankResource, fence: number): Promise<void> => {
    const { name } = bank.metadata
    const isKept = bank.spec.deletionPolicy !== 'Delete'
    if (!isKept) {
      await deps.keys.revoke(bank)
      await deps.webhooks.settle()
      await deps.manifests.remove(name, fence)
    }
    recorder.event(bank, {
      type: 'Normal',
      reason: isKept ? 'BankRetained' : 'BankRemoved',
      action: 'Delete',
      note: isKept
        ? `the bank stays known and suspended, and Secret ${keySecretName(name)} stays; creating it again brings it back`
        : 'its keys are revoked and its settings removed; journal and ledger stay',
    })
    await dropFinalizer(client, bankKind, bank, BANK_FINALIZER)
  }

  return {
    proceed: async (bank, { fence, signal }) => {
      const { name } = bank.metadata
      const sinceMs = await suspend(bank, fence)
      // In this order: what is counted is not older than what was said of the views.
      const isBehind = await areViewsBehind(name)
      const open = await openTransactions(name)
      const restMs = sinceMs + SETTLE_MS - clock.monotonicMs()
      if (open === 0 && restMs <= 0 && !isBehind) {
        signal.throwIfAborted()
        await end(bank, fence)
        return {}
      }
      const words = open >= OPEN_COUNTED_MAX ? `${open} or more` : String(open)
      const message =
        open > 0
          ? `suspended; waits for ${words} open transactions to end`
          : restMs > 0
            ? 'suspended; waits until every process knows, so that nothing new begins'
            : 'suspended; waits for the views, which are behind, to say whether a transaction is open'
      if (open > 0)
        recorder.event(bank, { type: 'Normal', reason: 'WaitingForTransactions', action: 'Delete', note: message })
      await writeStatus(deps, bank, { openTransactions: open }, [
        { type: 'Ready', status: 'False', reason: 'Deleting', message },
      ])
      return { requeueAfterMs: open === 0 && restMs > 0 ? Math.min(restMs, DELETION_POLL_MS) : DELETION_POLL_MS }
    },
    forget: (bank) => void suspended.delete(bank),
  }
}
