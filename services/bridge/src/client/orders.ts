import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { bankTransactionModel } from '@bourse/common/views/models.ts'
import { hexOf, transactionIdOf, transactionName } from '../codec/identifiers.ts'
import { isFinal } from '../codec/transaction.ts'
import type { Conversation } from './conversation.ts'
import { presentTransaction } from './present-transaction.ts'
import { storedTransaction } from './stored.ts'
import type { BankOutcome, ViewFreshness } from './types.ts'

/** How long a call waits for the end of its transaction; then the answer is PENDING. */
export const OUTCOME_WAIT_MS = 15_000
/** The machine remembers ids for ten minutes; while the view of older ones lags more than half of that nothing new is taken. */
export const VIEW_LAG_MS_MAX = 300_000
/** Pause after a read that found its partition not served. */
const REREAD_PAUSE_MS = 200

/** What ordering needs. */
export interface OrderingDeps {
  readonly conversation: Conversation
  readonly views: Views
  readonly clock: Clock
  readonly viewFreshness: ViewFreshness
}

/** What is ordered: the identity, where, and the encoded command. */
export interface Order {
  readonly identity: CommandIdentity
  readonly bank: string
  readonly partition: PartitionNumber
  readonly command: Uint8Array
}

const keyConflict = (): Result<never> =>
  refuse('IDEMPOTENCY_CONFLICT', 'the key was used for another call or body; use a new key')

/** The outcome of an id that has left the machine, or null: it may be executed. */
const outcomeInView = async (deps: OrderingDeps, order: Order): Promise<Result<BankOutcome> | null> => {
  const found = await deps.views.get(bankTransactionModel, transactionName(transactionIdOf(order.identity.id)))
  if (found === null || found.status === 'PENDING') return null
  const { requestHash, transaction } = storedTransaction(found.payload)
  return requestHash === hexOf(order.identity.requestHash) ? ok({ kind: 'final', transaction }) : keyConflict()
}

const awaitEnd = async (deps: OrderingDeps, order: Order, untilMs: number): Promise<Result<BankOutcome>> => {
  const transactionId = transactionIdOf(order.identity.id)
  const question = { kind: 'transaction', bank: order.bank, transactionId } as const
  for (;;) {
    const leftMs = untilMs - deps.clock.monotonicMs()
    if (leftMs <= 0) return ok({ kind: 'pending', transactionId: transactionName(transactionId) })
    const answer = await deps.conversation.ask(order.partition, question, { parkMs: Math.ceil(leftMs) })
    if (answer.ok) {
      const [transaction] = answer.value.transactions
      if (transaction !== undefined && isFinal(transaction)) {
        return ok({ kind: 'final', transaction: presentTransaction(transaction) })
      }
    } else if (answer.refusal.code !== 'UNAVAILABLE') {
      return answer
    }
    // Not its end yet, or the partition has just moved: the wait goes on without spinning.
    await deps.clock.sleep(Math.max(1, Math.min(REREAD_PAUSE_MS, untilMs - deps.clock.monotonicMs())))
  }
}

/**
 * Orders a trade or move and waits for its end. A refusal of the order itself was not recorded; after a lost answer the
 * partition is asked whether it has the transaction.
 */
export const orderAndWait = async (deps: OrderingDeps, order: Order): Promise<Result<BankOutcome>> => {
  const untilMs = deps.clock.monotonicMs() + OUTCOME_WAIT_MS
  const old = await outcomeInView(deps, order)
  if (old !== null) return old
  const lagMs = deps.clock.nowMs() - (await deps.viewFreshness(order.partition))
  if (lagMs > VIEW_LAG_MS_MAX) return refuse('UNAVAILABLE', 'the record of older calls is behind; try again', 1)
  const taken = await deps.conversation.command(order.partition, order.command)
  if (taken.ok) return awaitEnd(deps, order, untilMs)
  if (taken.refusal.code !== 'UNAVAILABLE') return taken
  const transactionId = transactionIdOf(order.identity.id)
  const known = await deps.conversation.ask(order.partition, { kind: 'transaction', bank: order.bank, transactionId })
  if (!known.ok) return taken
  // Under the same key another request may have been faster: its transaction is not the answer to this one.
  const [transaction] = known.value.transactions
  const isOther = transaction !== undefined && Buffer.compare(transaction.requestHash, order.identity.requestHash) !== 0
  return isOther ? keyConflict() : awaitEnd(deps, order, untilMs)
}
