import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeRecord } from '@bourse/common/kernel/record.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Events, Subscription } from '@bourse/common/ports/events.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import { accountsWithTradeEvents } from '@bourse/trading/client/trade-events.ts'
import type { ViewProgress } from './view-progress.ts'

/** How often every reader is told to look although nothing was heard, ms: a net below the stream. */
export const SLOW_LOOK_INTERVAL_MS = 10_000

/** Tells readers when the view has new trade events of their account. */
export interface TradeEventWatch {
  watch(account: string, notify: () => void): () => void
  stop(): Promise<void>
}

/**
 * Follows the records of the ledger's partitions from now on. A record with events of a watched account is held until the view
 * has it; only then its readers are told.
 */
export const startTradeEventWatch = async (deps: {
  readonly ledgerPartitions: readonly PartitionNumber[]
  readonly events: Events
  readonly journal: Pick<Journal, 'head'>
  readonly progress: Pick<ViewProgress, 'reach'>
  readonly clock: Clock
  readonly onFailure: (error: unknown) => void
}): Promise<TradeEventWatch> => {
  const watchers = new Map<string, Set<() => void>>()
  const quit = new AbortController()
  const tell = (account: string): void => {
    for (const notify of [...(watchers.get(account) ?? [])]) notify()
  }
  const subscriptions: Subscription[] = []
  for (const partition of deps.ledgerPartitions) {
    const head = await deps.journal.head(partition)
    subscriptions.push(
      deps.events.subscribe(partition, (head?.sequence ?? 0n) + 1n, async ({ sequence, body }) => {
        if (watchers.size === 0) return
        const accounts = [...accountsWithTradeEvents(decodeRecord(body))].filter((account) => watchers.has(account))
        if (accounts.length === 0) return
        try {
          await deps.progress.reach(partition, sequence, quit.signal)
        } catch (error) {
          if (quit.signal.aborted) return
          throw error
        }
        for (const account of accounts) tell(account)
      }),
    )
  }
  const net = deps.clock.every(
    SLOW_LOOK_INTERVAL_MS,
    () => {
      for (const account of watchers.keys()) tell(account)
    },
    deps.onFailure,
  )
  return {
    watch: (account, notify) => {
      const known = watchers.get(account) ?? new Set()
      known.add(notify)
      watchers.set(account, known)
      return () => {
        known.delete(notify)
        if (known.size === 0 && watchers.get(account) === known) watchers.delete(account)
      }
    },
    stop: async () => {
      quit.abort()
      await net.stop()
      await Promise.all(subscriptions.map((subscription) => subscription.stop()))
    },
  }
}
