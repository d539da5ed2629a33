import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { bankTransactionModel, commandModel } from '@bourse/common/views/models.ts'
import { commandKinds } from '../codec/commands.ts'
import { hexOf, transactionIdOf, transactionName } from '../codec/identifiers.ts'
import { isFinal, type Transaction } from '../codec/transaction.ts'
import type { Conversation } from './conversation.ts'
import { presentTransaction } from './present-transaction.ts'
import { storedTransaction } from './stored.ts'
import type { BankOutcome, ViewFreshness } from './types.ts'

/** How long a call waits for the end of its transaction; then the answer is PENDING. */
export const OUTCOME_WAIT_MS = 15_000
/** The machine remembers ids for ten minutes; while the view of older ones lags more than half of that nothing new is taken. */
export const VIEW_LAG_MS_MAX = 300_000
/** Pause after a read that found its partition not served, or without the transaction; it doubles up to the largest. */
const REREAD_PAUSE_MS = 200
const REREAD_PAUSE_MS_MAX = 1_600

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

const isOf = ({ identity }: Order, { requestHash }: Pick<Transaction, 'requestHash'>): boolean =>
  Buffer.compare(requestHash, identity.requestHash) === 0

const keyConflict = (): Result<never> =>
  refuse('IDEMPOTENCY_CONFLICT', 'the key was used for another call or body; use a new key')

/** The outcome of an id that has left the machine, or null: it may be executed. */
const outcomeInView = async (deps: OrderingDeps, order: Order): Promise<Result<BankOutcome> | null> => {
  const { id } = order.identity
  const [found, command] = await Promise.all([
    deps.views.get(bankTransactionModel, transactionName(transactionIdOf(id))),
    deps.views.get(commandModel, hexOf(id)),
  ])
  // A bank's keys have one scope: a redelivery made no transaction, but its key is its own for ever.
  if (command?.kind === commandKinds.redeliver) return keyConflict()
  if (found === null || found.status === 'PENDING') return null
  const { requestHash, transaction } = storedTransaction(found.payload)
  return requestHash === hexOf(order.identity.requestHash) ? ok({ kind: 'final', transaction }) : keyConflict()
}

/**
 * Waits for the end of an order's transaction. At `untilMs` (monotonic ms) it is PENDING: so is what may have been accepted,
 * though the partition says nothing or has nothing yet, for a bank that is told otherwise may trade again.
 */
const awaitEnd = async (deps: OrderingDeps, order: Order, untilMs: number): Promise<Result<BankOutcome>> => {
  const transactionId = transactionIdOf(order.identity.id)
  const question = { kind: 'transaction', bank: order.bank, transactionId } as const
  for (let pauseMs = REREAD_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, REREAD_PAUSE_MS_MAX)) {
    const askedAtMs = deps.clock.monotonicMs()
    const leftMs = Math.ceil(untilMs - askedAtMs)
    if (leftMs <= 0) return ok({ kind: 'pending', transactionId: transactionName(transactionId) })
    const answer = await deps.conversation.ask(order.partition, question, { parkMs: leftMs, deadlineMs: leftMs })
    if (answer.ok) {
      const [transaction] = answer.value.transactions
      // Under the same key another request may have been faster: its transaction is not the answer to this one.
      if (transaction !== undefined && !isOf(order, transaction)) return keyConflict()
      if (transaction !== undefined && isFinal(transaction)) {
        return ok({ kind: 'final', transaction: presentTransaction(transaction) })
      }
    } else if (answer.refusal.code !== 'UNAVAILABLE' && answer.refusal.code !== 'NOT_FOUND') {
      return answer
    }
    // Not its end yet, not there yet, or the partition has just moved: the wait goes on without spinning.
    await deps.clock.sleep(Math.max(1, Math.min(pauseMs, untilMs - deps.clock.monotonicMs())))
  }
}

/**
 * Orders a trade or move and waits for its end. A refusal of the order itself was not recorded, and says that nothing came of
 * this call; where that is not certain the partition is asked until there is an end, or until the wait is over.
 */
export const orderAndWait = async (deps: OrderingDeps, order: Order): Promise<Result<BankOutcome>> => {
  const untilMs = deps.clock.monotonicMs() + OUTCOME_WAIT_MS
  // Asked before the view is: a view that catches up in between may have lacked the id when it was read.
  const lagMs = deps.clock.nowMs() - (await deps.viewFreshness(order.partition))
  const old = await outcomeInView(deps, order)
  if (old !== null) return old
  if (lagMs > VIEW_LAG_MS_MAX) return refuse('UNAVAILABLE', 'the record of older calls is behind; try again', 1)
  const taken = await deps.conversation.command(order.partition, order.command)
  if (taken.ok) return awaitEnd(deps, order, untilMs)
  if (taken.refusal.code !== 'UNAVAILABLE') return taken
  if (taken.isOpen) return awaitEnd(deps, order, untilMs)
  // Nothing came of this call; of an earlier one under the key something may have.
  const transactionId = transactionIdOf(order.identity.id)
  const known = await deps.conversation.ask(order.partition, { kind: 'transaction', bank: order.bank, transactionId })
  return known.ok ? awaitEnd(deps, order, untilMs) : taken
}
