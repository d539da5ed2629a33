import { createBinaryReader, createBinaryWriter } from '@bourse/common/codec/binary.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import { encodeCommand, FLAG_WANTS_OUTCOME } from '@bourse/common/kernel/command.ts'
import type { Leg } from './legs.ts'

/*
 * What the bridge says to the ledger, and what it understands of its answers: one body layout for all instructions.
 *
 *    0 u16 transactionType │ 2 u8 holdCount │ 3 u8 legCount │ 4 u32 slipTarget │ 8 u32 slipBytes │ 12 u32 memoBytes
 *   16 reference (16 bytes)
 *   32 holds: 16 bytes id │ u32 index │ u32 zero
 *    … legs: 16 bytes owner │ u64 currency │ u32 account kind │ u32 zero │ i128 amount
 */

/** Kinds of ledger command the bridge uses. */
export const ledgerKinds = { hold: 1, post: 2, settle: 3, release: 4 } as const
/** Kind of the command with which the ledger answers an instruction. */
export const KIND_LEDGER_OUTCOME = 100
/** Kind of the ledger's question for an owner's balances. */
export const QUESTION_BALANCES = 200

/** A currency as 8 ASCII bytes, zero padded. */
const currencyBytes = (currency: string): Uint8Array => {
  const bytes = new Uint8Array(8)
  bytes.set(Buffer.from(currency, 'ascii').subarray(0, 8))
  return bytes
}

/** One instruction to the ledger. `holds` are ids of the commands that made them (each made one). */
export interface Instruction {
  readonly kind: number
  readonly commandId: Uint8Array
  readonly transactionType: number
  readonly reference: Uint8Array
  readonly holds: readonly Uint8Array[]
  readonly legs: readonly Leg[]
}

/** Encodes an instruction that wants its outcome. */
export const encodeInstruction = (instruction: Instruction): Uint8Array => {
  const writer = createBinaryWriter(512)
  writer.u16(instruction.transactionType).u8(instruction.holds.length).u8(instruction.legs.length)
  writer.u32(0).u32(0).u32(0).bytes(instruction.reference)
  for (const hold of instruction.holds) writer.bytes(hold).u32(0).u32(0)
  for (const leg of instruction.legs) {
    writer.bytes(leg.owner).bytes(currencyBytes(leg.currency)).u32(leg.kind).u32(0).i128(leg.amount)
  }
  const header = {
    kind: instruction.kind, flags: FLAG_WANTS_OUTCOME, id: instruction.commandId, requestHash: instruction.commandId,
  }
  return encodeCommand(header, writer.finish())
}

/** The body of an instruction's outcome. */
export interface Posted {
  readonly transactionNumber: bigint
  readonly balancesAfter: readonly Units[]
}

/** Decodes the body of a successful outcome. Throws BinaryError on bytes that are none. */
export const decodePosted = (body: Uint8Array): Posted => {
  const reader = createBinaryReader(body)
  const transactionNumber = reader.u64()
  const legCount = reader.u8()
  reader.bytes(7)
  return { transactionNumber, balancesAfter: Array.from({ length: legCount }, () => reader.i128()) }
}

/** A balance as the ledger answers it. */
export interface LedgerBalance {
  readonly currency: string
  readonly kind: number
  readonly balance: Units
  readonly locked: Units
  readonly version: bigint
}

/** Currencies of one owner at most. */
const BALANCES_MAX = 4_096

/** The question for an owner's balances. */
export const encodeBalancesQuestion = (owner: Uint8Array): Uint8Array => encodeCommand({ kind: QUESTION_BALANCES }, owner)

/** Decodes the balances of an owner. Throws BinaryError on bytes that are none. */
export const decodeBalances = (body: Uint8Array): readonly LedgerBalance[] => {
  const reader = createBinaryReader(body)
  const count = reader.u32()
  reader.u32()
  if (count > BALANCES_MAX) throw new RangeError(`${count} balances, at most ${BALANCES_MAX}`)
  return Array.from({ length: count }, () => {
    const currency = Buffer.from(reader.bytes(8)).toString('ascii').replace(/\0+$/, '')
    const kind = reader.u32()
    reader.u32()
    const balance = reader.i128()
    const locked = reader.i128()
    const version = reader.u64()
    reader.u64()
    return { currency, kind, balance, locked, version }
  })
}
