import { OUTCOME_WAIT_MS } from '@bourse/bridge/client/orders.ts'
import type { BankOutcome, BankQuote } from '@bourse/bridge/client/types.ts'
import type { Call } from '../../../history/history.ts'
import { unitsOf } from '../../arithmetic/rational.ts'
import { differences } from '../../model/differences.ts'
import { callText, wasOnDisk, type Case } from '../case.ts'
import { faultsOfTold } from '../told-bank.ts'
import { ANSWERS_STILL_TRUE as STATEMENT, type Answered, type Of } from './answered.ts'
import { unkept } from './refusals.ts'

/** An accepted bank transaction: it is there, as asked, was on the disk, and has ended as told. */
export const checkBankOutcome = (
  on: Case,
  call: Answered,
  request: Of<'bank-trade'> | Of<'bank-move'>,
  outcome: BankOutcome,
): void => {
  const transactionId = outcome.kind === 'final' ? outcome.transaction.transactionId : outcome.transactionId
  const found = on.bankLives.get(transactionId.slice(3))
  const waitedMs = (call.answeredAtMs ?? Infinity) - call.calledAtMs
  const wasThere = found !== undefined && wasOnDisk(on, call, found.partition, found.life.startedIn)
  const isOwn = found?.life.requestHash === on.identities.identityOf(request, call.key ?? '')?.requestHash
  // Where the partition said nothing for so long, PENDING is also what may have been accepted: then it promises nothing, nor that
  // the key was not another request's.
  if (outcome.kind === 'pending' && waitedMs >= OUTCOME_WAIT_MS && !(wasThere && isOwn)) return
  if (found === undefined)
    return on.complain(STATEMENT, `${callText(call)}: ${transactionId} was accepted and is not there`)
  const { life, partition } = found
  const type = request.kind === 'bank-trade' ? request.side : request.type
  const amount = type === 'SELL' ? life.crypto : life.fiat
  const asked = { bank: request.bank, customer: request.customer, type, key: call.key ?? '' }
  const wrong = differences({ ...life }, asked)
  if (wrong !== '' || amount !== request.amount)
    on.complain(STATEMENT, `${callText(call)}: ${transactionId} is another transaction: ${wrong}`)
  const since = outcome.kind === 'final' ? life.finishedIn : life.startedIn
  if (!wasOnDisk(on, call, partition, since))
    on.complain(STATEMENT, `${callText(call)}: ${transactionId} was told before its record was on the disk`)
  if (outcome.kind !== 'final') return
  const faults = life.finishedIn === 0n ? 'it has not ended' : faultsOfTold(outcome.transaction, life)
  if (faults !== '') on.complain(STATEMENT, `${callText(call)}: ${transactionId}: ${faults}`)
}

/**
 * What was not accepted was not accepted: a transaction comes from a call that was under way as it was accepted and was not told
 * that nothing came of it. `groups` has the calls of each id and request, those included that were never answered. Not judged is
 * what a machine has refused before: the bus may bring a command again that was answered, and such a refusal is not kept.
 */
export const checkNotAccepted = (on: Case, groups: ReadonlyMap<string, readonly Call[]>): void => {
  for (const { life, partition } of on.bankLives.values()) {
    const acceptedAtMs = on.appended?.of(partition, life.startedIn) ?? null
    const calls = groups.get(`${life.commandId}:${life.requestHash}`) ?? []
    if (acceptedAtMs === null || calls.length === 0 || life.wasRefused) continue
    const isRefused = ({ answer }: Call): boolean => answer !== null && !answer.ok && unkept.has(answer.refusal.code)
    const before = calls.filter(({ calledAtMs }) => calledAtMs <= acceptedAtMs)
    if (before.every(isRefused))
      on.complain(STATEMENT, `tx_${life.id} came of ${before.map(callText).join(', ')}, told that it was not accepted`)
  }
}

/** A quote that was given: it is there as told. */
export const checkQuote = (on: Case, call: Answered, told: BankQuote): void => {
  const quote = [...on.books.bridges.values()]
    .map(({ quotes }) => quotes.get(told.quoteId))
    .find((one) => one !== undefined)
  if (quote === undefined)
    return on.complain(STATEMENT, `${callText(call)}: ${told.quoteId} was given and is not there`)
  const units = {
    price: unitsOf(told.price),
    cryptoAmount: unitsOf(told.cryptoAmount),
    fiatAmount: unitsOf(told.fiatAmount),
  }
  const { price, crypto, fiat } = quote.promised
  const wrong = differences(
    { ...told, ...units },
    { price, cryptoAmount: crypto, fiatAmount: fiat, side: quote.side, expiresAtMs: Number(quote.expiresAt) },
  )
  if (wrong !== '') on.complain(STATEMENT, `${callText(call)}: ${told.quoteId}: ${wrong}`)
}
