import { createBinaryReader, createBinaryWriter } from '@bourse/common/codec/binary.ts'
import { codeOfNumber, refusalNumbers } from '@bourse/common/errors/codes.ts'
import { decodeOutcomeHeader, encodeOutcome, outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'

/** What waits at a bank. */
export interface BankBacklog {
  readonly bank: string
  /** Trades, deposits and withdrawals that have not come to their end. */
  readonly inFlight: number
  /** When the oldest of them was accepted, ms; 0 when there is none. */
  readonly oldestAt: bigint
  /** Events that the bank has not acknowledged. */
  readonly eventsWaiting: number
  /** Reversals that the bank has not acknowledged. */
  readonly reversalsWaiting: number
}

/** Banks in one answer at most. */
const BANKS_MAX = 4_096

/** Encodes the answer to `backlog`. */
export const encodeBacklog = (
  header: { readonly kind: number; readonly id: Uint8Array },
  banks: readonly BankBacklog[],
): Uint8Array => {
  const writer = createBinaryWriter()
  writer.list(banks, ({ bank, inFlight, oldestAt, eventsWaiting, reversalsWaiting }) => {
    writer.text(bank).u32(inFlight).i64(oldestAt).u32(eventsWaiting).u32(reversalsWaiting)
  })
  return encodeOutcome({ code: refusalNumbers.OK, ...header }, writer.finish())
}

/** Decodes the answer to `backlog`. Throws BinaryError on bytes that are none, and an Error on a refusal. */
export const decodeBacklog = (answer: Uint8Array): BankBacklog[] => {
  const code = codeOfNumber(decodeOutcomeHeader(answer).code)
  if (code !== 'OK') throw new Error(`the bridge answered a question with ${code}`)
  const reader = createBinaryReader(outcomeBodyOf(answer))
  const banks = reader.list(BANKS_MAX, () => ({
    bank: reader.text(),
    inFlight: reader.u32(),
    oldestAt: reader.i64(),
    eventsWaiting: reader.u32(),
    reversalsWaiting: reader.u32(),
  }))
  reader.end()
  return banks
}
