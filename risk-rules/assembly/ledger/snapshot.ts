/*
 * The used state in five regions: state block, accounts, holds, and the two pieces of the ring of ids.
 * Indexes are not in it; they are built again from the records.
 */
import { idTableMix, idTablePartBytes, idTablePartPtr, idTableRestored, idTableRestorePtr } from '../shared/id-table'
import { ioInputPtr, ioOutcomesPtr } from '../shared/io'
import { mixWords, stateHashReset, stateHashSumHigh, stateHashSumLow } from '../shared/state-hash'
import { accountAt, accountIndexed } from './accounts'
import { holdAccount, holdAt, holdIndexed, holdIsOpen } from './holds'
import { ACCOUNT_BYTES, accountCount, accountsBase, accountsMax, freeHold, HOLD_BYTES, holdsBase, holdsMax } from './state'
import { holdsUsed, idTable, openHolds, STATE_BYTES, stateBase } from './state'

const PARTS: u32 = 5
const TAG_STATE: u64 = 0x73746174
const TAG_ACCOUNT: u64 = 0x61636374
const TAG_HOLD: u64 = 0x686f6c64
/** id 2, index 1, owner 2, currency 1, kind 1, amount 2. */
const HOLD_WORDS: u32 = 9
const holdWords = memory.data(72, 16)

let idBytes: usize = 0

function part(index: u32, ptr: usize, bytes: usize): void {
  store<u32>(ioOutcomesPtr() + index * 8, <u32>ptr)
  store<u32>(ioOutcomesPtr() + index * 8, <u32>bytes, 4)
}

/** Writes where the used state lies. */
export function snapshotParts(): u32 {
  part(0, stateBase, STATE_BYTES)
  part(1, accountsBase, (<usize>accountCount()) * ACCOUNT_BYTES)
  part(2, holdsBase, (<usize>holdsUsed()) * HOLD_BYTES)
  part(3, idTablePartPtr(idTable, 0), idTablePartBytes(idTable, 0))
  part(4, idTablePartPtr(idTable, 1), idTablePartBytes(idTable, 1))
  return PARTS
}

/** Says where the parts of a snapshot belong, when they fit this empty instance. */
export function restoreBegin(count: u32): u32 {
  if (count != PARTS || accountCount() != 0 || holdsUsed() != 0) return 0
  const sizes = ioInputPtr()
  const accounts = load<u32>(sizes, 4)
  const holds = load<u32>(sizes, 8)
  const older = load<u32>(sizes, 12)
  const newer = load<u32>(sizes, 16)
  if (load<u32>(sizes) != STATE_BYTES) return 0
  if (accounts > accountsMax * ACCOUNT_BYTES || holds > holdsMax * HOLD_BYTES) return 0
  idBytes = (<usize>older) + newer
  const ids = idTableRestorePtr(idTable, idBytes)
  if (ids == 0) return 0
  const places = ioOutcomesPtr()
  store<u32>(places, <u32>stateBase)
  store<u32>(places, <u32>accountsBase, 4)
  store<u32>(places, <u32>holdsBase, 8)
  store<u32>(places, <u32>ids, 12)
  store<u32>(places, <u32>ids + older, 16)
  return 1
}

/**
 * Builds the indexes over the parts that were copied; 0 when the records contradict each other. The sizes are
 * still in the input.
 */
export function restoreEnd(): u32 {
  const sizes = ioInputPtr()
  if (accountCount() * ACCOUNT_BYTES != load<u32>(sizes, 4)) return 0
  if (holdsUsed() * HOLD_BYTES != load<u32>(sizes, 8)) return 0
  if (accountCount() > accountsMax || holdsUsed() > holdsMax || freeHold() > holdsUsed()) return 0
  for (let slot: u32 = 0; slot < accountCount(); slot++) {
    if (load<u32>(accountAt(slot), 72) > accountCount()) return 0
    accountIndexed(slot)
  }
  let open: u32 = 0
  for (let slot: u32 = 0; slot < holdsUsed(); slot++) {
    const hold = holdAt(slot)
    if (!holdIsOpen(hold)) continue
    if (holdAccount(hold) >= accountCount()) return 0
    holdIndexed(slot)
    open++
  }
  idTableRestored(idTable, idBytes)
  return open == openHolds() ? 1 : 0
}

/** Computes the hash over all state; its high half. */
export function stateHashHigh(): u64 {
  stateHashReset()
  mixWords(stateBase, 1, TAG_STATE)
  for (let slot: u32 = 0; slot < accountCount(); slot++) mixWords(accountAt(slot), 9, TAG_ACCOUNT)
  for (let slot: u32 = 0; slot < holdsUsed(); slot++) {
    const hold = holdAt(slot)
    if (!holdIsOpen(hold)) continue
    memory.copy(holdWords, hold, 16)
    store<u64>(holdWords, load<u32>(hold, 16), 16)
    memory.copy(holdWords + 24, accountAt(holdAccount(hold)), 32)
    memory.copy(holdWords + 56, hold + 24, 16)
    mixWords(holdWords, HOLD_WORDS, TAG_HOLD)
  }
  idTableMix(idTable)
  return stateHashSumHigh()
}

/** The low half of the hash that `stateHashHigh` computed last. */
export function stateHashLow(): u64 {
  return stateHashSumLow()
}
