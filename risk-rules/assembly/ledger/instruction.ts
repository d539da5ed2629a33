/*
 * The body of every ledger command, the instruction (drawn in `src/ledger/codec.ts`), and whether it is well
 * formed. What depends on the state is not judged here.
 */
import { COMMAND_BYTES_MAX, COMMAND_HEADER_BYTES, commandBody, commandHasId, commandKind, commandSize } from '../shared/io'
import { pad8 } from '../shared/io'
import { equal16 } from '../shared/hash-index'
import { isKind, KIND_CLEARING, KIND_CUSTOMER, KIND_HOUSE, KIND_INSURANCE, KIND_PROMOTION } from './accounts'

export const HOLD: u16 = 1
export const POST: u16 = 2
export const SETTLE: u16 = 3
export const RELEASE: u16 = 4
export const OPEN_ACCOUNT: u16 = 5
export const INSURANCE_REFUND: u16 = 6
export const CORRECTION: u16 = 7

export const INSTRUCTION_BYTES: u32 = 32
const HOLD_PART_BYTES: u32 = 24
export const LEG_BYTES: u32 = 48
const HOLDS_MAX: u32 = 8
export const LEGS_MAX: u32 = 16
const MEMO_BYTES_MAX: u32 = 512

/** Number of holds the instruction names. */
export function holdCountOf(command: usize): u32 { return load<u8>(commandBody(command), 2) }
/** Number of its legs. */
export function legCountOf(command: usize): u32 { return load<u8>(commandBody(command), 3) }
/** Partition its slip goes to, 0 for none. */
export function slipTargetOf(command: usize): u32 { return load<u32>(commandBody(command), 4) }
function slipBytesOf(command: usize): u32 { return load<u32>(commandBody(command), 8) }
/** Address of its reference (16 bytes). */
export function referenceOf(command: usize): usize { return commandBody(command) + 16 }
/** Address of hold `index`: id 16, index u32. */
export function holdPartAt(command: usize, index: u32): usize {
  return commandBody(command) + INSTRUCTION_BYTES + index * HOLD_PART_BYTES
}
/** Address of leg `index`: key 32, amount i128. */
export function legAt(command: usize, index: u32): usize {
  return commandBody(command) + INSTRUCTION_BYTES + holdCountOf(command) * HOLD_PART_BYTES + index * LEG_BYTES
}
/** Address of the slip, a whole command at the end. */
export function slipOf(command: usize): usize {
  return command + commandSize(command) - slipBytesOf(command)
}

/** Whether the command is an instruction. Reads nothing outside the command. */
export function isInstruction(command: usize): bool {
  const kind = commandKind(command)
  if (kind < HOLD || kind > CORRECTION) return false
  if (!isSized(command) || !isSlipRight(command, kind)) return false
  const holds = holdCountOf(command)
  const legs = legCountOf(command)
  for (let i: u32 = 0; i < holds; i++) if (!isHoldRight(command, i)) return false
  for (let i: u32 = 0; i < legs; i++) if (!isLegRight(legAt(command, i))) return false
  if (kind == SETTLE) return holds > 0 && areEntries(command)
  if (kind == RELEASE) return holds > 0 && legs == 0
  if (holds != 0) return false
  if (kind == HOLD) return commandHasId(command) && areLocks(command)
  if (kind == OPEN_ACCOUNT) return isOpening(command)
  if (kind == INSURANCE_REFUND) return isRefund(command)
  return legs > 0 && areEntries(command)
}

function isSized(command: usize): bool {
  const bodyBytes = commandSize(command) - COMMAND_HEADER_BYTES
  if (bodyBytes < INSTRUCTION_BYTES) return false
  const holds = holdCountOf(command)
  const legs = legCountOf(command)
  const memoBytes = load<u32>(commandBody(command), 12)
  const slipBytes = slipBytesOf(command)
  if (holds > HOLDS_MAX || legs > LEGS_MAX) return false
  if (memoBytes > MEMO_BYTES_MAX || slipBytes > COMMAND_BYTES_MAX) return false
  const parts = INSTRUCTION_BYTES + holds * HOLD_PART_BYTES + legs * LEG_BYTES
  return parts + pad8(memoBytes) + slipBytes == bodyBytes
}

/** A slip is a whole command by its header; a refund names the house's partition instead. */
function isSlipRight(command: usize, kind: u16): bool {
  const slipBytes = slipBytesOf(command)
  if (kind == INSURANCE_REFUND) return slipTargetOf(command) != 0 && slipBytes == 0
  if (slipTargetOf(command) == 0) return slipBytes == 0
  if (slipBytes < COMMAND_HEADER_BYTES || (slipBytes & 7) != 0) return false
  const slip = slipOf(command)
  return commandSize(slip) == slipBytes && load<u8>(slip, 6) <= 3
}

/** A hold is named once. */
function isHoldRight(command: usize, index: u32): bool {
  const hold = holdPartAt(command, index)
  if (load<u32>(hold, 20) != 0) return false
  for (let i: u32 = 0; i < index; i++) {
    const other = holdPartAt(command, i)
    if (equal16(other, hold) && load<u32>(other, 16) == load<u32>(hold, 16)) return false
  }
  return true
}

function isLegRight(leg: usize): bool {
  return load<u32>(leg, 28) == 0 && isKind(load<u32>(leg, 24)) && isCurrency(load<u64>(leg, 16))
}

/** One to eight of A-Z and 0-9, then zeros. */
function isCurrency(currency: u64): bool {
  if (currency == 0) return false
  while (currency != 0) {
    const letter = <u32>(currency & 0xff)
    if (!((letter >= 0x41 && letter <= 0x5a) || (letter >= 0x30 && letter <= 0x39))) return false
    currency >>= 8
  }
  return true
}

function isZero(leg: usize): bool { return (load<u64>(leg, 32) | load<u64>(leg, 40)) == 0 }
function isNegative(leg: usize): bool { return load<i64>(leg, 40) < 0 }
function kindOf(leg: usize): u32 { return load<u32>(leg, 24) }

/** An entry of nothing is no entry. */
function areEntries(command: usize): bool {
  const legs = legCountOf(command)
  for (let i: u32 = 0; i < legs; i++) if (isZero(legAt(command, i))) return false
  return true
}

/**
 * Only customers' money is locked. Locking nothing is allowed, so that hold i is leg i where a market has no
 * fee.
 */
function areLocks(command: usize): bool {
  const legs = legCountOf(command)
  for (let i: u32 = 0; i < legs; i++) {
    const leg = legAt(command, i)
    if (kindOf(leg) != KIND_CUSTOMER || isNegative(leg)) return false
  }
  return true
}

function isOpening(command: usize): bool {
  const legs = legCountOf(command)
  if (legs == 0 || kindOf(legAt(command, 0)) != KIND_CUSTOMER) return false
  const customer = legAt(command, 0)
  if (legs == 1) return isZero(customer)
  const promotion = legAt(command, 1)
  if (legs != 2 || kindOf(promotion) != KIND_PROMOTION || isZero(customer) || isNegative(customer)) return false
  return isOpposite(customer, promotion) && load<u64>(customer, 16) == load<u64>(promotion, 16)
}

/** Whether the amounts add up to zero; wraps, since these bytes are not judged yet. */
function isOpposite(left: usize, right: usize): bool {
  const low = load<u64>(left, 32) + load<u64>(right, 32)
  const carry = <u64>(low < load<u64>(left, 32))
  return low == 0 && load<u64>(left, 40) + load<u64>(right, 40) + carry == 0
}

function isRefund(command: usize): bool {
  if (legCountOf(command) != 3) return false
  const insurance = legAt(command, 0)
  const clearing = legAt(command, 1)
  const house = legAt(command, 2)
  const currency = load<u64>(insurance, 16)
  if (load<u64>(clearing, 16) != currency || load<u64>(house, 16) != currency) return false
  if (kindOf(insurance) != KIND_INSURANCE || isZero(insurance) || isNegative(insurance)) return false
  return kindOf(clearing) == KIND_CLEARING && kindOf(house) == KIND_HOUSE
}
