/*
 * Accounts, found by owner, currency and kind together. An account is never removed. The record:
 *
 *   0       16         24     28     32        48       64        72            76
 *   ├ owner ┼ currency ┼ kind ┼ zero ┼ balance ┼ locked ┼ version ┼ nextOfOwner ┼ ownerCount
 *     16      u64        u32    u32    i128      i128     u64       u32 slot+1    u32
 *
 * The first 32 bytes are those of a leg. The accounts of an owner hang on his first one, in order of
 * creation; only the
 * first one has ownerCount. balance and locked are units of 1e-8, |balance| < 10^20, 0 ≤ locked.
 */
import {
  equal16, hashIndexAt, hashIndexHash, hashIndexHome, hashIndexInsert, hashIndexNext, hashIndexValue, hashOf16, hashOf16And,
} from '../shared/hash-index'
import { ACCOUNT_BYTES, accountCount, accountIndex, accountPlaces, accountsBase, accountsMax } from './state'
import { ownerIndex, setAccountCount } from './state'

const SEED: u64 = 0x2545f4914f6cdd1d
/** Accounts an owner has at most, so that all of them fit one answer. */
export const ACCOUNTS_PER_OWNER_MAX: u32 = 256

export const KIND_CUSTOMER: u32 = 1
export const KIND_HOUSE: u32 = 2
export const KIND_PROMOTION: u32 = 7
export const KIND_CLEARING: u32 = 8
export const KIND_INSURANCE: u32 = 9
const KIND_MAX: u32 = 10
/** Kinds that may go below zero, one bit each: house, omnibus, exchange, promotion, clearing, bank. */
const BELOW_ZERO: u32 = (1 << 2) | (1 << 3) | (1 << 4) | (1 << 7) | (1 << 8) | (1 << 10)

/** Whether there is such a kind. */
export function isKind(kind: u32): bool { return kind >= 1 && kind <= KIND_MAX }
/** Whether accounts of the kind may be overdrawn. */
export function mayGoBelowZero(kind: u32): bool { return ((BELOW_ZERO >> kind) & 1) != 0 }

@inline
export function accountAt(slot: u32): usize { return accountsBase + (<usize>slot) * ACCOUNT_BYTES }
/** Slot of the account at `ptr`. */
export function slotOf(ptr: usize): u32 { return <u32>((ptr - accountsBase) / ACCOUNT_BYTES) }

/** Whether both keys (32 bytes: owner, currency, kind) name one account. */
@inline
export function sameKey(left: usize, right: usize): bool {
  return equal16(left, right) && equal16(left + 16, right + 16)
}

function hashOfKey(key: usize): u32 {
  return hashOf16And(key, load<u64>(key, 16), load<u64>(key, 24), SEED)
}

/** The account with the key (32 bytes) at `key`, or 0. */
export function accountFind(key: usize): usize {
  const hash = hashOfKey(key)
  let position = hashIndexHome(accountPlaces, hash)
  let entry = hashIndexAt(accountIndex, position)
  while (hashIndexValue(entry) != 0) {
    if (hashIndexHash(entry) == hash) {
      const account = accountAt(hashIndexValue(entry) - 1)
      if (sameKey(account, key)) return account
    }
    position = hashIndexNext(accountPlaces, position)
    entry = hashIndexAt(accountIndex, position)
  }
  return 0
}

/** The first account of the owner (16 bytes) at `owner`, or 0. */
export function firstOfOwner(owner: usize): usize {
  const hash = hashOf16(owner, SEED)
  let position = hashIndexHome(accountPlaces, hash)
  let entry = hashIndexAt(ownerIndex, position)
  while (hashIndexValue(entry) != 0) {
    if (hashIndexHash(entry) == hash) {
      const account = accountAt(hashIndexValue(entry) - 1)
      if (equal16(account, owner)) return account
    }
    position = hashIndexNext(accountPlaces, position)
    entry = hashIndexAt(ownerIndex, position)
  }
  return 0
}

/** The owner's account after this one, or 0. */
export function nextOfOwner(account: usize): usize {
  const next = load<u32>(account, 72)
  return next == 0 ? 0 : accountAt(next - 1)
}

/** How many accounts the owner has whose first account this is. */
export function ownerCount(first: usize): u32 { return load<u32>(first, 76) }

/**
 * Makes the account with the key at `key`, with nothing in it. The caller has checked that it is new and has
 * room.
 */
export function accountCreate(key: usize): usize {
  const slot = accountCount()
  assert(slot < accountsMax)
  const account = accountAt(slot)
  memory.fill(account, 0, ACCOUNT_BYTES)
  memory.copy(account, key, 32)
  const first = firstOfOwner(key)
  if (first == 0) {
    store<u32>(account, 1, 76)
  } else {
    let last = first
    while (nextOfOwner(last) != 0) last = nextOfOwner(last)
    store<u32>(last, slot + 1, 72)
    store<u32>(first, ownerCount(first) + 1, 76)
  }
  setAccountCount(slot + 1)
  accountIndexed(slot)
  return account
}

/** Adds the account in `slot` to the indexes. */
export function accountIndexed(slot: u32): void {
  const account = accountAt(slot)
  hashIndexInsert(accountIndex, accountPlaces, hashOfKey(account), slot)
  if (load<u32>(account, 76) != 0) hashIndexInsert(ownerIndex, accountPlaces, hashOf16(account, SEED), slot)
}
