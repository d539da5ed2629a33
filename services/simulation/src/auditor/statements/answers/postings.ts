import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeLedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import type { Done } from '../../model/ledger/book.ts'
import { callText, wasOnDisk, type Case } from '../case.ts'
import { ANSWERS_STILL_TRUE as STATEMENT, type Answered, type Of } from './answered.ts'
import { firstsOf } from './firsts.ts'

/** A ledger transaction by its public id. */
const doneOf = (
  { books }: Case,
  transactionId: string,
): { readonly partition: PartitionNumber; readonly done: Done } | null => {
  const [partition, number] = transactionId.split(':')
  const book = books.ledgers.get(Number(partition))
  const done = book?.done.find((one) => one.number === BigInt(number ?? '0') && one.number !== 0n)
  return book === undefined || done === undefined ? null : { partition: book.partition, done }
}

const checkPosted = (on: Case, call: Answered, transactionId: string, isRight: (done: Done) => boolean): void => {
  const found = doneOf(on, transactionId)
  if (found === null || !isRight(found.done))
    on.complain(
      STATEMENT,
      `${callText(call)}: transaction ${transactionId} is ${found === null ? 'not there' : 'another'}`,
    )
  else if (!wasOnDisk(on, call, found.partition, found.done.entry.sequence))
    on.complain(
      STATEMENT,
      `${callText(call)}: transaction ${transactionId} was acknowledged before its record was on the disk`,
    )
}

const isCorrectionOf = (on: Case, transactionId: string, done: Done): boolean => {
  const corrected = doneOf(on, transactionId)?.done.instruction.legs ?? []
  const text = (legs: readonly { readonly owner: string; readonly amount: bigint }[], sign: bigint): string =>
    legs
      .map(({ owner, amount }) => `${owner} ${sign * amount}`)
      .sort()
      .join()
  return done.instruction.kind === 'CORRECTION' && text(done.instruction.legs, 1n) === text(corrected, -1n)
}

/** An acknowledged credit or debit: one transaction, with the amount asked for. */
export const checkAdjusted = (on: Case, call: Answered, request: Of<'adjust'>, transactionId: string): void => {
  const owner = on.identities.ownerOf(request.trader)
  checkPosted(on, call, transactionId, ({ instruction }) =>
    instruction.legs.some(
      (leg) =>
        leg.kind === 'customer' &&
        leg.owner === owner &&
        leg.amount === request.amount &&
        leg.currency === request.currency,
    ),
  )
}

/** Acknowledged money for the house or the insurance: all parts are there, and add up to what was asked for. */
export const checkFunded = (
  on: Case,
  call: Answered,
  { target, amount }: Of<'fund'>,
  transactionIds: readonly string[],
): void => {
  let sum = 0n
  for (const one of transactionIds) {
    checkPosted(on, call, one, () => true)
    sum += doneOf(on, one)?.done.instruction.legs.find((leg) => leg.kind === target)?.amount ?? 0n
  }
  if (sum !== amount) on.complain(STATEMENT, `${callText(call)}: ${sum} reached ${target}, not ${amount}`)
}

/** An acknowledged correction: it takes back exactly what it corrects. */
export const checkCorrected = (on: Case, call: Answered, request: Of<'correct'>, transactionId: string): void =>
  checkPosted(on, call, transactionId, (done) => isCorrectionOf(on, request.transactionId, done))

/** An account opened with a key: whether it was there before is journaled as told. */
export const checkAccountOpened = (on: Case, call: Answered, id: string | null, existed: boolean): void => {
  if (id === null) return
  const [first] = firstsOf(on, id)
  if (first?.code !== 0 || decodeLedgerOutcome(first.outcome).existed !== existed)
    on.complain(STATEMENT, `${callText(call)} was told that the account existed: ${existed}; that is not journaled`)
}
