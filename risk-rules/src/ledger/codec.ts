import { bodyOf, decodeHeader, encodeCommand, isCommand, NO_ID } from '@bourse/common/kernel/command.ts'
import type { CommandHeader } from '@bourse/common/kernel/command.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { accountKindOfNumber, accountKinds, currencyCode, currencyNumber, systemAccountKey } from './accounts.ts'
import type { AccountKey } from './accounts.ts'

/**
 * Commands of the ledger. All have one body, the instruction, little endian:
 *
 *   0                 2           3          4            8           12          16          32
 * ├ transactionType ┼ holdCount ┼ legCount ┼ slipTarget ┼ slipBytes ┼ memoBytes ┼ reference ┼ holds … legs … memo slip
 *     u16               u8          u8         u32          u32         u32         16 bytes
 *
 * hold (24)   0 id 16 | 16 u32 index | 20 u32 zero
 * leg (48)    0 owner 16 | 16 u64 currency | 24 u32 account kind | 28 u32 zero | 32 i128 amount
 * memo        memoBytes, zero padded to a multiple of 8
 * slip        slipBytes: a whole command, header and body
 */

/** Command kinds of the ledger. */
export const ledgerKinds = {
  HOLD: 1,
  POST: 2,
  SETTLE: 3,
  RELEASE: 4,
  OPEN_ACCOUNT: 5,
  INSURANCE_REFUND: 6,
  CORRECTION: 7,
} as const
/** Name of a kind of instruction. */
export type LedgerKind = keyof typeof ledgerKinds

/** Kind of the command in which a ledger tells the sender of a command its outcome. */
export const KIND_LEDGER_OUTCOME = 100

/** Limits of an instruction. */
export const HOLDS_PER_INSTRUCTION_MAX = 8
export const LEGS_MAX = 16
export const MEMO_BYTES_MAX = 512
/** Fixed part of an instruction; a hold's and a leg's part. */
export const INSTRUCTION_BYTES = 32
export const HOLD_BYTES = 24
export const LEG_BYTES = 48

/** Names a hold: the id (16 bytes) of the command that made it, and which of its legs. */
export interface HoldId {
  readonly id: Uint8Array
  readonly index: number
}

/** A change of one account: positive adds, negative takes. In a HOLD: the amount (> 0) to lock. */
export interface Leg extends AccountKey {
  readonly amount: bigint
}

/** What a ledger is told. Everything left out is none. */
export interface Instruction {
  readonly kind: LedgerKind
  /** Number of `transactionTypes`; 0 when nothing is posted. */
  readonly transactionType?: number
  readonly holds?: readonly HoldId[]
  readonly legs?: readonly Leg[]
  /** 16 bytes that name what the transaction belongs to: a trade, a bank trade, the transaction corrected. */
  readonly reference?: Uint8Array
  /** Bytes that travel with the record for its readers; the ledger does not look into them. */
  readonly memo?: Uint8Array
  /**
   * The command to send on, and to whom, when this one succeeds. For INSURANCE_REFUND: only the house's
   * partition, no command.
   */
  readonly slip?: { readonly target: PartitionNumber; readonly command?: Uint8Array }
}

/** An instruction as read from a command. */
export interface DecodedInstruction {
  readonly kind: LedgerKind
  readonly transactionType: number
  readonly holds: readonly HoldId[]
  readonly legs: readonly Leg[]
  readonly reference: Uint8Array
  readonly memo: Uint8Array
  readonly slip: { readonly target: PartitionNumber; readonly command: Uint8Array } | null
}

const NO_BYTES = new Uint8Array(0)
const MASK_64 = (1n << 64n) - 1n
const pad8 = (bytes: number): number => (bytes + 7) & ~7
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Writes a 128-bit integer: low half, then high half, two's complement. */
export const setInt128 = (view: DataView, at: number, value: bigint): void => {
  view.setBigUint64(at, value & MASK_64, true)
  view.setBigInt64(at + 8, value >> 64n, true)
}

/** Reads a 128-bit integer. */
export const getInt128 = (view: DataView, at: number): bigint =>
  (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true)

const writeLeg = (bytes: Uint8Array, view: DataView, at: number, leg: Leg): void => {
  if (leg.owner.length !== 16) throw new RangeError(`an owner has 16 bytes, not ${leg.owner.length}`)
  bytes.set(leg.owner, at)
  view.setBigUint64(at + 16, currencyNumber(leg.currency), true)
  view.setUint32(at + 24, accountKinds[leg.kind].number, true)
  setInt128(view, at + 32, leg.amount)
}

/** Legs of 0 move nothing and are no entries: the posting kinds leave them out. */
const entriesOf = ({ kind, legs = [] }: Instruction): readonly Leg[] =>
  kind === 'POST' || kind === 'SETTLE' || kind === 'CORRECTION' ? legs.filter(({ amount }) => amount !== 0n) : legs

const checkSizes = (holds: readonly HoldId[], legs: readonly Leg[], memo: Uint8Array): void => {
  if (holds.length > HOLDS_PER_INSTRUCTION_MAX) throw new RangeError(`${holds.length} holds in one instruction`)
  if (legs.length > LEGS_MAX) throw new RangeError(`${legs.length} legs in one instruction`)
  if (memo.length > MEMO_BYTES_MAX) throw new RangeError(`a memo of ${memo.length} bytes`)
}

/**
 * Writes the body of an instruction.
 * @throws {RangeError} on more holds, legs or memo bytes than an instruction has, and on bytes that are no
 * owner or currency
 */
export const encodeInstruction = (instruction: Instruction): Uint8Array => {
  const { kind, holds = [], memo = NO_BYTES, slip } = instruction
  const legs = entriesOf(instruction)
  checkSizes(holds, legs, memo)
  const slipCommand = slip?.command ?? NO_BYTES
  if (kind !== 'INSURANCE_REFUND' && slip !== undefined && !isCommand(slipCommand)) {
    throw new RangeError('a slip is a whole command')
  }
  const memoAt = INSTRUCTION_BYTES + HOLD_BYTES * holds.length + LEG_BYTES * legs.length
  const slipAt = memoAt + pad8(memo.length)
  const bytes = new Uint8Array(slipAt + slipCommand.length)
  const view = viewOf(bytes)
  view.setUint16(0, instruction.transactionType ?? 0, true)
  view.setUint8(2, holds.length)
  view.setUint8(3, legs.length)
  view.setUint32(4, slip?.target ?? 0, true)
  view.setUint32(8, slipCommand.length, true)
  view.setUint32(12, memo.length, true)
  bytes.set(instruction.reference ?? NO_ID, 16)
  holds.forEach((hold, index) => {
    const at = INSTRUCTION_BYTES + HOLD_BYTES * index
    bytes.set(hold.id, at)
    view.setUint32(at + 16, hold.index, true)
  })
  const legsAt = INSTRUCTION_BYTES + HOLD_BYTES * holds.length
  legs.forEach((leg, index) => writeLeg(bytes, view, legsAt + LEG_BYTES * index, leg))
  bytes.set(memo, memoAt)
  bytes.set(slipCommand, slipAt)
  return bytes
}

/** Header fields a caller of the ledger chooses. */
export type LedgerCommandHeader = Partial<Omit<CommandHeader, 'kind'>>

/** Writes a whole command: header and instruction. */
export const encodeLedgerCommand = (header: LedgerCommandHeader, instruction: Instruction): Uint8Array =>
  encodeCommand({ ...header, kind: ledgerKinds[instruction.kind] }, encodeInstruction(instruction))

const kindOfNumber = (number: number): LedgerKind => {
  const found = (Object.keys(ledgerKinds) as LedgerKind[]).find((kind) => ledgerKinds[kind] === number)
  if (found === undefined) throw new RangeError(`${number} is no kind of a ledger's instruction`)
  return found
}

const readLeg = (bytes: Uint8Array, view: DataView, at: number): Leg => ({
  owner: bytes.subarray(at, at + 16),
  currency: currencyCode(view.getBigUint64(at + 16, true)),
  kind: accountKindOfNumber(view.getUint32(at + 24, true)),
  amount: getInt128(view, at + 32),
})

/**
 * Reads a command that a ledger has accepted (a record's input). Bytes inside are views into `command`.
 * @throws {RangeError} when it is none
 */
export const decodeInstruction = (command: Uint8Array): DecodedInstruction => {
  const { kind } = decodeHeader(command)
  const body = bodyOf(command)
  const view = viewOf(body)
  const holdCount = view.getUint8(2)
  const legsAt = INSTRUCTION_BYTES + HOLD_BYTES * holdCount
  const legCount = view.getUint8(3)
  const memoAt = legsAt + LEG_BYTES * legCount
  const memoBytes = view.getUint32(12, true)
  const slipAt = memoAt + pad8(memoBytes)
  const target = view.getUint32(4, true)
  const slipBytes = view.getUint32(8, true)
  if (memoBytes > MEMO_BYTES_MAX || slipAt + slipBytes !== body.length) {
    throw new RangeError(`an instruction of ${body.length} bytes does not hold what it names`)
  }
  return {
    kind: kindOfNumber(kind),
    transactionType: view.getUint16(0, true),
    holds: Array.from({ length: holdCount }, (_, index) => {
      const at = INSTRUCTION_BYTES + HOLD_BYTES * index
      return { id: body.subarray(at, at + 16), index: view.getUint32(at + 16, true) }
    }),
    legs: Array.from({ length: legCount }, (_, index) => readLeg(body, view, legsAt + LEG_BYTES * index)),
    reference: body.subarray(16, 32),
    memo: body.subarray(memoAt, memoAt + memoBytes),
    slip: target === 0 ? null : { target, command: body.subarray(slipAt) },
  }
}

/**
 * An instruction that opens a person's account, with a grant (≥ 0) from this partition's promotion account.
 */
export const openAccountInstruction = (account: AccountKey, grant: bigint, transactionType: number): Instruction => ({
  kind: 'OPEN_ACCOUNT',
  transactionType,
  legs:
    grant === 0n
      ? [{ ...account, amount: 0n }]
      : [
          { ...account, amount: grant },
          { ...systemAccountKey('promotion', account.currency), amount: -grant },
        ],
})

/**
 * Who asks the insurance fund for what: the deficit of a trade that the house of `houseLedgerPartition` has
 * borne.
 */
export interface InsuranceRefund {
  readonly pair: string
  readonly currency: string
  /** > 0. */
  readonly amount: bigint
  readonly houseLedgerPartition: PartitionNumber
  /** 16 bytes that name the trade. */
  readonly trade: Uint8Array
}

/**
 * An instruction to the partition of a pair's insurance account: pay the house what the fund has of `amount`.
 */
export const insuranceRefundInstruction = (refund: InsuranceRefund, transactionType: number): Instruction => ({
  kind: 'INSURANCE_REFUND',
  transactionType,
  reference: refund.trade,
  legs: [
    { ...systemAccountKey('insurance', refund.currency, refund.pair), amount: refund.amount },
    { ...systemAccountKey('clearing', refund.currency), amount: 0n },
    { ...systemAccountKey('house', refund.currency, refund.pair), amount: 0n },
  ],
  slip: { target: refund.houseLedgerPartition },
})
