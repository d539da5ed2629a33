import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { machineNumbers } from '@bourse/common/kernel/partition.ts'
import type { AccountKind } from '@bourse/risk-rules/ledger/accounts.ts'
import {
  decodeInstruction,
  ledgerKinds,
  type DecodedInstruction,
  type LedgerKind,
} from '@bourse/risk-rules/ledger/codec.ts'
import { hex } from './bytes.ts'

/** A leg as the auditor names it; `owner` in hex. */
export interface Leg {
  readonly kind: AccountKind
  readonly owner: string
  readonly currency: string
  readonly amount: bigint
}

/** What a ledger is told, without the header: what the auditor expects and what it finds are compared in this form. */
export interface Instruction {
  readonly kind: LedgerKind
  readonly transactionType: number
  readonly reference: string
  readonly holds: readonly string[]
  readonly legs: readonly Leg[]
  readonly slip: { readonly target: number; readonly instruction: Instruction | null } | null
}

/** Name of a hold: the id of the command that made it, and which of its legs. */
export const holdName = (id: string, index: number): string => `${id}/${index}`
/** Name of an account. */
export const accountName = ({ kind, owner, currency }: Omit<Leg, 'amount'>): string => `${kind}:${owner}:${currency}`

const instructionKinds: ReadonlySet<number> = new Set(Object.values(ledgerKinds))

/** Whether a command is an instruction to a ledger. */
export const isInstruction = (kind: number): boolean => instructionKinds.has(kind)

/** The auditor's form of a decoded instruction. */
export const instructionOf = (decoded: DecodedInstruction): Instruction => ({
  kind: decoded.kind,
  transactionType: decoded.transactionType,
  reference: hex(decoded.reference),
  holds: decoded.holds.map(({ id, index }) => holdName(hex(id), index)),
  legs: decoded.legs.map((leg) => ({
    kind: leg.kind,
    owner: hex(leg.owner),
    currency: leg.currency,
    amount: leg.amount,
  })),
  slip:
    decoded.slip === null
      ? null
      : { target: decoded.slip.target, instruction: slipInstruction(decoded.slip.target, decoded.slip.command) },
})

/** Whether a partition is a ledger's: the kinds of commands are each machine's own. */
export const isLedger = (partition: number): boolean => partition >>> 24 === machineNumbers.ledger

const slipInstruction = (target: number, command: Uint8Array): Instruction | null =>
  command.length > 0 && isLedger(target) && isInstruction(decodeHeader(command).kind)
    ? instructionOf(decodeInstruction(command))
    : null

/**
 * An instruction as one line of text: equal texts say the same to a ledger. The order of legs and holds says nothing; legs
 * of zero move nothing.
 */
export const instructionText = (instruction: Instruction): string => {
  const { kind, transactionType, reference, holds, legs, slip } = instruction
  const moved = legs
    .filter((leg) => leg.amount !== 0n || kind === 'HOLD' || kind === 'INSURANCE_REFUND')
    .map((leg) => `${accountName(leg)} ${leg.amount}`)
  const next =
    slip === null
      ? ''
      : ` then at ${slip.target}: ${slip.instruction === null ? '-' : instructionText(slip.instruction)}`
  const closed = [...holds].sort().join(', ')
  return `${kind} type ${transactionType} of ${reference} holds [${closed}] legs [${moved.sort().join(', ')}]${next}`
}
