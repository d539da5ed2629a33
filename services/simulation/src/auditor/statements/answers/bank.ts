import type { BankOutcome, BankQuote } from '@bourse/bridge/client/types.ts'
import { unitsOf } from '../../arithmetic/rational.ts'
import { differences } from '../../model/differences.ts'
import { callText, wasOnDisk, type Case } from '../case.ts'
import { faultsOfTold } from '../told-bank.ts'
import { ANSWERS_STILL_TRUE as STATEMENT, type Answered, type Of } from './answered.ts'

/** An accepted bank transaction: it is there, as asked, was on the disk, and has ended as told. */
export const checkBankOutcome = (
  on: Case,
  call: Answered,
  request: Of<'bank-trade'> | Of<'bank-move'>,
  outcome: BankOutcome,
): void => {
  const transactionId = outcome.kind === 'final' ? outcome.transaction.transactionId : outcome.transactionId
  const found = on.bankLives.get(transactionId.slice(3))
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
