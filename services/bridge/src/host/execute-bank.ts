import type { Logger } from 'pino'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { AuthorizationResult, BankCallbacks } from '../adapters/bank-callbacks.ts'
import {
  encodeAnswer,
  type AuthorizationCall,
  type RedeliveryCall,
  type ReversalCall,
  type WebhookCall,
} from '../codec/calls.ts'
import { transactionName } from '../codec/identifiers.ts'
import { eventOf } from '../codec/present.ts'
import { decodeTransaction } from '../codec/transaction.ts'
import type { StoredEvents } from './stored-events.ts'

/** First pause between two attempts; doubles up to ATTEMPT_PAUSE_MS_MAX. */
export const ATTEMPT_PAUSE_MS = 100
/** Longest such pause. */
export const ATTEMPT_PAUSE_MS_MAX = 5_000
/** How long a reversal or event is tried before the machine is told, which calls again with the bank's rules of then. */
export const PATIENCE_MS = 60_000

/** What calls to a bank need. */
export interface BankDeps {
  readonly callbacks: BankCallbacks
  readonly clock: Clock
  readonly logger: Logger
}

/** Asks the bank up to retries + 1 times; its first word counts. */
export const executeAuthorization = async (
  deps: BankDeps,
  call: AuthorizationCall,
  signal: AbortSignal,
): Promise<Uint8Array> => {
  const { transactionId, bankUserId, type, amount, currency } = call
  const authorization = { transactionId: transactionName(transactionId), bankUserId, type, amount, currency }
  let result: AuthorizationResult = 'unreachable'
  for (let attempt = 0, pauseMs = ATTEMPT_PAUSE_MS; attempt <= call.retries && result === 'unreachable'; attempt++) {
    if (attempt > 0) {
      await deps.clock.sleep(pauseMs, signal)
      pauseMs = Math.min(pauseMs * 2, ATTEMPT_PAUSE_MS_MAX)
    }
    result = await deps.callbacks.authorize(call, authorization, signal)
  }
  if (result === 'unreachable')
    deps.logger.warn({ transactionId: authorization.transactionId }, 'the bank did not answer an authorization')
  return encodeAnswer({ kind: 'authorization', transactionId, result })
}

/** Repeats an attempt until it succeeds or patience ends. */
const repeatUntilDone = async (
  clock: Clock,
  attempt: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> => {
  const startedMs = clock.monotonicMs()
  for (let pauseMs = ATTEMPT_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, ATTEMPT_PAUSE_MS_MAX)) {
    if (await attempt()) return true
    if (clock.monotonicMs() - startedMs >= PATIENCE_MS) return false
    await clock.sleep(pauseMs, signal)
  }
}

/** Tells the bank that a trade did not happen. */
export const executeReversal = async (deps: BankDeps, call: ReversalCall, signal: AbortSignal): Promise<Uint8Array> => {
  const name = transactionName(call.transactionId)
  const acknowledged = await repeatUntilDone(deps.clock, () => deps.callbacks.reverse(call, name, signal), signal)
  if (!acknowledged)
    deps.logger.warn({ bank: call.bank, transactionId: name }, 'the bank does not acknowledge a reversal')
  return encodeAnswer({ kind: 'reversal', transactionId: call.transactionId, bank: call.bank, acknowledged })
}

/** Tells the bank how a transaction ended. The body has the same bytes in every attempt. */
export const executeWebhook = async (deps: BankDeps, call: WebhookCall, signal: AbortSignal): Promise<Uint8Array> => {
  const transaction = decodeTransaction(call.transaction)
  const body = JSON.stringify(eventOf(transaction))
  const acknowledged = await repeatUntilDone(
    deps.clock,
    () => deps.callbacks.deliver(call, call.bank, body, signal),
    signal,
  )
  const { bank, sequence } = call
  if (!acknowledged) {
    const transactionId = transactionName(transaction.id)
    deps.logger.warn({ bank, transactionId, sequence: String(sequence) }, 'the bank does not acknowledge an event')
  }
  return encodeAnswer({ kind: 'webhook', bank: call.bank, sequence: call.sequence, acknowledged })
}

/** Sends the bank an event again, with the bytes of the first time and a signature of now. */
export const executeRedelivery = async (
  deps: BankDeps & { readonly events: StoredEvents },
  call: RedeliveryCall,
  signal: AbortSignal,
): Promise<Uint8Array> => {
  const { id, bank, sequence } = call
  const attempt = async (): Promise<boolean> => {
    const body = await deps.events.body(bank, sequence)
    return body !== null && deps.callbacks.deliver(call, bank, body, signal)
  }
  const acknowledged = await repeatUntilDone(deps.clock, attempt, signal)
  if (!acknowledged)
    deps.logger.warn(
      { bank, sequence: String(sequence) },
      'the bank does not acknowledge an event that it asked for again',
    )
  return encodeAnswer({ kind: 'redelivery', id, bank, sequence, acknowledged })
}
