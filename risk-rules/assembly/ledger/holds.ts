/*
 * Open holds: a pool of fixed slots with a free list (last freed, first used), found by (id, index). The
 * record:
 *
 *   0    16      20      24       40        44         48
 *   ├ id ┼ index ┼ state ┼ amount ┼ account ┼ nextFree ┼ zero 16
 *     16   u32     u32     i128     u32 slot  u32 slot+1
 *
 * state: 1 open, 0 free. A free slot keeps nothing but nextFree.
 */
import {
  equal16, hashIndexAt, hashIndexHash, hashIndexHome, hashIndexInsert, hashIndexNext, hashIndexRemove, hashIndexValue,
  hashOf16And,
} from '../shared/hash-index'
import { freeHold, HOLD_BYTES, holdIndex, holdPlaces, holdsBase, holdsMax, holdsUsed, openHolds } from './state'
import { setFreeHold, setHoldsUsed, setOpenHolds } from './state'

const SEED: u64 = 0x9e6c63d0876a9a35
export const HOLD_OPEN: u32 = 1

@inline
export function holdAt(slot: u32): usize { return holdsBase + (<usize>slot) * HOLD_BYTES }

/** Whether the slot's hold is open. */
export function holdIsOpen(hold: usize): bool { return load<u32>(hold, 20) == HOLD_OPEN }
/** Slot of the account the hold locks money of. */
export function holdAccount(hold: usize): u32 { return load<u32>(hold, 40) }

/** The open hold (id at `id`, `index`), or 0. */
export function holdFind(id: usize, index: u32): usize {
  const hash = hashOf16And(id, index, 0, SEED)
  let position = hashIndexHome(holdPlaces, hash)
  let entry = hashIndexAt(holdIndex, position)
  while (hashIndexValue(entry) != 0) {
    if (hashIndexHash(entry) == hash) {
      const hold = holdAt(hashIndexValue(entry) - 1)
      if (equal16(hold, id) && load<u32>(hold, 16) == index) return hold
    }
    position = hashIndexNext(holdPlaces, position)
    entry = hashIndexAt(holdIndex, position)
  }
  return 0
}

/** Holds that can still be opened. */
export function holdsFree(): u32 { return holdsMax - openHolds() }

/**
 * Opens a hold that is not there yet; the caller has checked that there is room. `amount` points at an i128.
 */
export function holdOpen(id: usize, index: u32, account: u32, amount: usize): void {
  assert(holdsFree() > 0)
  let slot: u32
  if (freeHold() != 0) {
    slot = freeHold() - 1
    setFreeHold(load<u32>(holdAt(slot), 44))
  } else {
    slot = holdsUsed()
    setHoldsUsed(slot + 1)
  }
  const hold = holdAt(slot)
  memory.fill(hold, 0, HOLD_BYTES)
  memory.copy(hold, id, 16)
  store<u32>(hold, index, 16)
  store<u32>(hold, HOLD_OPEN, 20)
  memory.copy(hold + 24, amount, 16)
  store<u32>(hold, account, 40)
  setOpenHolds(openHolds() + 1)
  holdIndexed(slot)
}

/** Adds the open hold in `slot` to the index. */
export function holdIndexed(slot: u32): void {
  const hold = holdAt(slot)
  hashIndexInsert(holdIndex, holdPlaces, hashOf16And(hold, load<u32>(hold, 16), 0, SEED), slot)
}

/** Closes an open hold: its slot is the next to be used. */
export function holdClose(hold: usize): void {
  const slot = <u32>((hold - holdsBase) / HOLD_BYTES)
  hashIndexRemove(holdIndex, holdPlaces, hashOf16And(hold, load<u32>(hold, 16), 0, SEED), slot)
  memory.fill(hold, 0, HOLD_BYTES)
  store<u32>(hold, freeHold(), 44)
  setFreeHold(slot + 1)
  setOpenHolds(openHolds() - 1)
}
