import { codeOfNumber } from '@bourse/common/errors/codes.ts'
import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { bodyOf, decodeHeader } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader, outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'
import { getInt128, KIND_LEDGER_OUTCOME, ledgerKinds } from './codec.ts'

/**
 * Outcome of a ledger command. Body of a success, little endian (a refusal has none):
 *
 *   0                   8          9         10     16
 *   ├ transactionNumber ┼ legCount ┼ existed ┼ zero ┼ balanceAfter i128 × legCount … ┼ paid i128 (INSURANCE_REFUND)
 *     u64                 u8         u8
 *
 * A repeat of a known id answers the first 16 bytes with legCount 0.
 */
export interface LedgerOutcome {
  readonly code: OutcomeCode
  /** Kind of the command it answers. */
  readonly kind: number
  /** Id of the command (16 bytes). */
  readonly id: Uint8Array
  /** Number of the transaction in its partition, from 1; null when nothing was posted. */
  readonly transactionNumber: bigint | null
  /** OPEN_ACCOUNT: the account was there already. */
  readonly existed: boolean
  /**
   * The balance of each leg's account after that leg, in the order of the legs. For INSURANCE_REFUND:
   * insurance, clearing.
   */
  readonly balancesAfter: readonly bigint[]
  /** INSURANCE_REFUND: what the fund paid; null in a repeat and for other kinds. */
  readonly paid: bigint | null
}

/** Fixed part of a success's body: also what is kept with an id. */
export const LEDGER_OUTCOME_BODY_BYTES = 16

/** Reads an outcome. Throws on a code no release has used. */
export const decodeLedgerOutcome = (outcome: Uint8Array): LedgerOutcome => {
  const { code, kind, id } = decodeOutcomeHeader(outcome)
  const body = outcomeBodyOf(outcome)
  const nothing = { transactionNumber: null, existed: false, balancesAfter: [], paid: null }
  const refused = { code: codeOfNumber(code), kind, id, ...nothing }
  if (body.length < LEDGER_OUTCOME_BODY_BYTES) return refused
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const number = view.getBigUint64(0, true)
  const legCount = view.getUint8(8)
  const paidAt = LEDGER_OUTCOME_BODY_BYTES + 16 * legCount
  return {
    ...refused,
    transactionNumber: number === 0n ? null : number,
    existed: view.getUint8(9) === 1,
    balancesAfter: Array.from({ length: legCount }, (_, leg) => getInt128(view, LEDGER_OUTCOME_BODY_BYTES + 16 * leg)),
    paid: kind === ledgerKinds.INSURANCE_REFUND && body.length >= paidAt + 16 ? getInt128(view, paidAt) : null,
  }
}

/** Whether a command is a ledger's answer to a command of the receiver. */
export const isLedgerOutcomeCommand = (command: Uint8Array): boolean =>
  decodeHeader(command).kind === KIND_LEDGER_OUTCOME

/** Reads the outcome that a LEDGER_OUTCOME command (kind 100, the id of the command it answers) carries. */
export const decodeLedgerOutcomeCommand = (command: Uint8Array): LedgerOutcome => decodeLedgerOutcome(bodyOf(command))
