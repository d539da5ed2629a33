import { codeOfNumber, type OutcomeCode } from '@bourse/common/errors/codes.ts'
import { OUTCOME_HEADER_BYTES } from '@bourse/common/kernel/outcome.ts'
import { steps, transactionTypes, type TransactionType } from './transaction.ts'

/** A transaction that came to its end, as far as it is counted. */
export interface EndedTransaction {
  readonly bank: string
  readonly type: TransactionType
  /** `OK` when it completed. */
  readonly code: OutcomeCode
}

/** Bytes of a quote in a reply: id, side, three amounts, two numbers of decimals, its end. */
const QUOTE_BYTES = 16 + 1 + 3 * 16 + 2 + 8
/** Bytes of a transaction from its five amounts to its step: the amounts, two numbers of decimals, its number, its moment. */
const AMOUNTS_BYTES = 5 * 16 + 2 + 8 + 8
/** Bytes between a transaction's step and its code. */
const AFTER_STEP_BYTES = 16 + 1 + 2 * 16 + 4 + 4 + 8 + 1 + 1

const typesByNumber = new Map(
  Object.entries(transactionTypes).map(([type, number]) => [number as number, type as TransactionType]),
)
const decoder = new TextDecoder()

/** The end of a transaction that lies from `at` on, or null while it has not come to one; the layout is `encodeTransaction`'s. */
const endedAt = (outcome: Uint8Array, view: DataView, at: number): EndedTransaction | null => {
  const skipTexts = (from: number, count: number): number => {
    let next = from
    for (let index = 0; index < count; index++) next += 2 + view.getUint16(next, true)
    return next
  }
  const bankAt = at + 3 * 16
  const typeAt = skipTexts(bankAt, 3)
  const stepAt = skipTexts(typeAt + 1, 5) + AMOUNTS_BYTES
  const step = view.getUint8(stepAt)
  if (step !== steps.completed && step !== steps.failed) return null
  const type = typesByNumber.get(view.getUint8(typeAt))
  if (type === undefined) throw new RangeError('a transaction with an unknown type')
  const bank = decoder.decode(outcome.subarray(bankAt + 2, bankAt + 2 + view.getUint16(bankAt, true)))
  return { bank, type, code: codeOfNumber(view.getUint16(stepAt + 1 + AFTER_STEP_BYTES, true)) }
}

/**
 * The transactions that an outcome says have ended, read where they lie: whoever counts them looks at every outcome, and decoding
 * each whole would cost as much as applying it. A transaction is among what an outcome changed once after its end.
 */
export const endedIn = (outcome: Uint8Array): readonly EndedTransaction[] => {
  const view = new DataView(outcome.buffer, outcome.byteOffset, outcome.byteLength)
  // recorded, message, seconds, whether there is a quote
  let at = OUTCOME_HEADER_BYTES + 1
  at += 2 + view.getUint16(at, true) + 4
  at += view.getUint8(at) === 0 ? 1 : 1 + QUOTE_BYTES
  const count = view.getUint32(at, true)
  at += 4
  const ended: EndedTransaction[] = []
  for (let index = 0; index < count; index++) {
    const found = endedAt(outcome, view, at + 4)
    if (found !== null) ended.push(found)
    at += 4 + view.getUint32(at, true)
  }
  return ended
}
