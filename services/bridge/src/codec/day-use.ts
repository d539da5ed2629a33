import { createBinaryReader, createBinaryWriter } from '@bourse/common/codec/binary.ts'
import { codeOfNumber, refusalNumbers, type OutcomeCode } from '@bourse/common/errors/codes.ts'
import { decodeOutcomeHeader, encodeOutcome, outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'
import type { Units } from '@bourse/common/money/amount.ts'

/** What a bank has used of its daily limit. */
export interface DayUse {
  /** UTC day, in days since the epoch, that the amount was counted on; a later day has nothing yet. */
  readonly day: bigint
  /** Fiat of that day's buys and sells, in the limit's currency. */
  readonly total: Units
}

/** Encodes the answer to `dayUse`; null: there is no such bank. */
export const encodeDayUse = (
  header: { readonly kind: number; readonly id: Uint8Array },
  use: DayUse | null,
): Uint8Array => {
  const writer = createBinaryWriter()
  writer.i64(use?.day ?? 0n).i128(use?.total ?? 0n)
  return encodeOutcome({ code: refusalNumbers[use === null ? 'NOT_FOUND' : 'OK'], ...header }, writer.finish())
}

/** Decodes the answer to `dayUse`: the use, or the code of a refusal. Throws BinaryError on bytes that are none. */
export const decodeDayUse = (answer: Uint8Array): DayUse | Exclude<OutcomeCode, 'OK'> => {
  const code = codeOfNumber(decodeOutcomeHeader(answer).code)
  if (code !== 'OK') return code
  const reader = createBinaryReader(outcomeBodyOf(answer))
  const use = { day: reader.i64(), total: reader.i128() }
  reader.end()
  return use
}
