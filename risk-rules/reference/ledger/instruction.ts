/**
 * Reads a ledger command from its bytes and judges whether it is well formed, by the drawing in
 * `src/ledger/codec.ts` alone.
 */
import { accountKinds } from '../../src/ledger/accounts.ts'
import { getInt128 } from '../../src/ledger/codec.ts'
import { isCommand } from '@bourse/common/kernel/command.ts'
import { keyOf } from '../id-table.ts'

/** An account's key as read: bytes and numbers, `text` for Maps. */
export interface ReadKey {
  readonly owner: Uint8Array
  readonly currency: bigint
  readonly kind: number
  readonly text: string
}

/** A leg as read. */
export interface ReadLeg extends ReadKey {
  readonly amount: bigint
}

/** A named hold as read. */
export interface ReadHold {
  readonly id: Uint8Array
  readonly index: number
  readonly text: string
}

/** A well-formed instruction. */
export interface ReadInstruction {
  readonly kind: number
  readonly id: Uint8Array
  readonly transactionType: number
  readonly holds: readonly ReadHold[]
  readonly legs: readonly ReadLeg[]
  readonly reference: Uint8Array
  readonly slipTarget: number
  readonly slip: Uint8Array
}

/** Numbers of the kinds of instructions. */
export const HOLD = 1
export const POST = 2
export const SETTLE = 3
export const RELEASE = 4
export const OPEN_ACCOUNT = 5
export const INSURANCE_REFUND = 6
export const CORRECTION = 7

const { customer, promotion, clearing, insurance, house } = accountKinds
const KIND_NUMBERS = new Set<number>(Object.values(accountKinds).map(({ number }) => number))

/** Text that names a hold. */
export const holdText = (id: Uint8Array, index: number): string => `${keyOf(id)}/${index}`
/** Text that names an account. */
export const accountText = (owner: Uint8Array, currency: bigint, kind: number): string =>
  `${keyOf(owner)}/${currency}/${kind}`

const isCurrency = (bytes: Uint8Array): boolean => /^[A-Z0-9]{1,8}\0*$/.test(Buffer.from(bytes).toString('latin1'))

const readLeg = (body: Uint8Array, view: DataView, at: number): ReadLeg | null => {
  const owner = body.slice(at, at + 16)
  const currency = view.getBigUint64(at + 16, true)
  const kind = view.getUint32(at + 24, true)
  if (!isCurrency(body.subarray(at + 16, at + 24)) || !KIND_NUMBERS.has(kind)) return null
  if (view.getUint32(at + 28, true) !== 0) return null
  return { owner, currency, kind, text: accountText(owner, currency, kind), amount: getInt128(view, at + 32) }
}

const readHold = (body: Uint8Array, view: DataView, at: number): ReadHold | null => {
  const id = body.slice(at, at + 16)
  const index = view.getUint32(at + 16, true)
  return view.getUint32(at + 20, true) === 0 ? { id, index, text: holdText(id, index) } : null
}

const isRightForItsKind = ({ kind, holds, legs, id }: ReadInstruction): boolean => {
  const [first, second, third] = legs
  const noHolds = holds.length === 0
  const entries = legs.every(({ amount }) => amount !== 0n)
  switch (kind) {
    case HOLD:
      if (!noHolds || id.every((byte) => byte === 0)) return false
      return legs.every((leg) => leg.kind === customer.number && leg.amount >= 0n)
    case POST:
    case CORRECTION:
      return noHolds && legs.length > 0 && entries
    case SETTLE:
      return holds.length > 0 && entries
    case RELEASE:
      return holds.length > 0 && legs.length === 0
    case OPEN_ACCOUNT:
      if (!noHolds || first?.kind !== customer.number || legs.length > 2) return false
      if (second === undefined) return first.amount === 0n
      return (
        first.amount > 0n &&
        second.kind === promotion.number &&
        second.currency === first.currency &&
        second.amount === -first.amount
      )
    default:
      if (!noHolds || legs.length !== 3 || first === undefined) return false
      return (
        first.kind === insurance.number &&
        first.amount > 0n &&
        second?.kind === clearing.number &&
        third?.kind === house.number &&
        second.currency === first.currency &&
        third.currency === first.currency
      )
  }
}

const isSlipRight = (kind: number, target: number, slip: Uint8Array): boolean => {
  if (kind === INSURANCE_REFUND) return target !== 0 && slip.length === 0
  return target === 0 ? slip.length === 0 : isCommand(slip)
}

/** The instruction in a command, or null when it is malformed. */
export const readInstruction = (command: Uint8Array): ReadInstruction | null => {
  const kind = command[4]! + 256 * command[5]!
  const body = command.subarray(56)
  if (kind < HOLD || kind > CORRECTION || body.length < 32) return null
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const [holdCount, legCount] = [body[2]!, body[3]!]
  const slipBytes = view.getUint32(8, true)
  const memoBytes = view.getUint32(12, true)
  if (holdCount > 8 || legCount > 16 || memoBytes > 512) return null
  const legsAt = 32 + 24 * holdCount
  const slipAt = legsAt + 48 * legCount + Math.ceil(memoBytes / 8) * 8
  if (slipAt + slipBytes !== body.length) return null
  const holds = Array.from({ length: holdCount }, (_, index) => readHold(body, view, 32 + 24 * index))
  const legs = Array.from({ length: legCount }, (_, index) => readLeg(body, view, legsAt + 48 * index))
  const instruction = {
    kind,
    id: command.slice(8, 24),
    transactionType: view.getUint16(0, true),
    holds: holds.filter((hold) => hold !== null),
    legs: legs.filter((leg) => leg !== null),
    reference: body.slice(16, 32),
    slipTarget: view.getUint32(4, true),
    slip: body.slice(slipAt),
  }
  const names = new Set(instruction.holds.map(({ text }) => text))
  const isComplete = names.size === holdCount && instruction.legs.length === legCount
  const { slipTarget, slip } = instruction
  return isComplete && isSlipRight(kind, slipTarget, slip) && isRightForItsKind(instruction) ? instruction : null
}
