/*
 * The ledger's memory, laid out once by `init` and never grown:
 *
 *   state block 64 | accounts | holds | account index | owner index | hold index | id table | input, outcomes, effects
 *
 * The state block:
 *
 *   0                 8              12          16          20          24
 *   ├ lastTransaction ┼ accountCount ┼ holdsUsed ┼ freeHold ─┼ openHolds ┼ zero …
 *     u64               u32            u32         u32 slot+1  u32
 */
import { hashIndexBytes, hashIndexEntries } from '../shared/hash-index'
import { idTableBytes, idTableInit } from '../shared/id-table'
import { freeBase, ioBytes, ioInit, reserve } from '../shared/io'

export const STATE_BYTES: u32 = 64
export const ACCOUNT_BYTES: u32 = 80
export const HOLD_BYTES: u32 = 64
/** What is kept of an outcome's body with its id. */
export const KEPT_BODY_BYTES: u32 = 16
/** Most accounts, holds or ids an instance can be made for. */
const CAPACITY_MAX: u32 = 1 << 26
const OUTCOMES_BYTES: usize = 1 << 20
const EFFECTS_BYTES: usize = (4 << 20) + (1 << 18)

export let stateBase: usize = 0
export let accountsBase: usize = 0
export let holdsBase: usize = 0
export let accountIndex: usize = 0
export let accountPlaces: u32 = 0
export let ownerIndex: usize = 0
export let holdIndex: usize = 0
export let holdPlaces: u32 = 0
export let idTable: usize = 0
export let accountsMax: u32 = 0
export let holdsMax: u32 = 0

/** Lays out an empty ledger. The only moment at which memory grows. */
export function init(accounts: u32, holds: u32, ids: u32): void {
  assert(stateBase == 0)
  assert(accounts >= 1 && accounts <= CAPACITY_MAX)
  assert(holds >= 1 && holds <= CAPACITY_MAX)
  assert(ids >= 1 && ids <= CAPACITY_MAX)
  accountsMax = accounts
  holdsMax = holds
  const tables = <u64>accounts * ACCOUNT_BYTES + <u64>holds * HOLD_BYTES + 128 * (<u64>accounts + holds + ids) + 4096
  assert(tables < 0xf000_0000)
  stateBase = freeBase()
  accountsBase = stateBase + STATE_BYTES
  holdsBase = accountsBase + (<usize>accounts) * ACCOUNT_BYTES
  accountIndex = holdsBase + (<usize>holds) * HOLD_BYTES
  accountPlaces = hashIndexEntries(accounts)
  ownerIndex = accountIndex + hashIndexBytes(accounts)
  holdIndex = ownerIndex + hashIndexBytes(accounts)
  holdPlaces = hashIndexEntries(holds)
  idTable = holdIndex + hashIndexBytes(holds)
  const buffers = idTable + idTableBytes(ids, KEPT_BODY_BYTES)
  reserve(<u64>buffers + ioBytes(OUTCOMES_BYTES, EFFECTS_BYTES))
  idTableInit(idTable, ids, KEPT_BODY_BYTES)
  ioInit(buffers, OUTCOMES_BYTES, EFFECTS_BYTES)
}

/** Number of the last transaction, 0 when there was none. */
export function lastTransaction(): u64 { return load<u64>(stateBase) }
/** The number of a new transaction. */
export function nextTransaction(): u64 {
  store<u64>(stateBase, lastTransaction() + 1)
  return lastTransaction()
}
/** Accounts there are; they lie in slots 0 … count − 1. */
export function accountCount(): u32 { return load<u32>(stateBase, 8) }
/** Sets the number of accounts. */
export function setAccountCount(count: u32): void { store<u32>(stateBase, count, 8) }
/** Slots of holds ever used. */
export function holdsUsed(): u32 { return load<u32>(stateBase, 12) }
/** Sets the slots ever used. */
export function setHoldsUsed(count: u32): void { store<u32>(stateBase, count, 12) }
/** The free slot to use next plus one; 0 when every used slot is open. */
export function freeHold(): u32 { return load<u32>(stateBase, 16) }
/** Sets the free slot to use next, plus one. */
export function setFreeHold(slot: u32): void { store<u32>(stateBase, slot, 16) }
/** Holds that are open. */
export function openHolds(): u32 { return load<u32>(stateBase, 20) }
/** Sets the number of open holds. */
export function setOpenHolds(count: u32): void { store<u32>(stateBase, count, 20) }
