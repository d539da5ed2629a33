/*
 * What an instruction would do to accounts, worked out wholly before anything is done: for each account it
 * touches, what the account would hold. Only when every leg and hold has passed is the plan carried out, and
 * then nothing can refuse any more.
 *
 * A planned account:
 *
 *   0          4     8      16        32
 *   ├ account ─┼ key ┼ zero ┼ balance ┼ locked
 *     u32 ptr    u32          i128      i128        account = 0: it would be made, key points at a leg
 */
import { equal16 } from '../shared/hash-index'
import { CODE_CAPACITY_EXCEEDED, CODE_OK } from '../shared/io'
import { add128, compare128, high128, sub128 } from '../shared/int128'
import { accountCreate, accountFind, ACCOUNTS_PER_OWNER_MAX, firstOfOwner, KIND_CUSTOMER } from './accounts'
import { mayGoBelowZero, ownerCount, sameKey } from './accounts'
import { accountCount, accountsMax } from './state'

export const CODE_ACCOUNT_NOT_FOUND: u16 = 32
export const CODE_INSUFFICIENT_FUNDS: u16 = 33
export const CODE_AMOUNT_OVERFLOW: u16 = 39

/** 10^20: the first magnitude that is too large. */
const LIMIT_LOW: u64 = 0x6bc75e2d63100000
const LIMIT_HIGH: i64 = 5

const PLANNED_BYTES: usize = 48
/** At most 8 holds and 16 legs, each of another account. */
const planned = memory.data(1152, 16)
let plannedCount: u32 = 0

/** Starts a new plan. */
export function planReset(): void { plannedCount = 0 }

@inline
function plannedAt(index: u32): usize { return planned + (<usize>index) * PLANNED_BYTES }

/** Whether the i128 at `ptr` is 10^20 or more, or −10^20 or less. */
export function isTooLarge(ptr: usize): bool {
  const low = load<u64>(ptr)
  const high = load<i64>(ptr, 8)
  return compare128(low, high, LIMIT_LOW, LIMIT_HIGH) >= 0 || compare128(low, high, 0 - LIMIT_LOW, ~LIMIT_HIGH) <= 0
}

/** Adds the i128 at `amount` to the one at `ptr`. */
export function addTo(ptr: usize, amount: usize): void {
  const low = add128(load<u64>(ptr), load<i64>(ptr, 8), load<u64>(amount), load<i64>(amount, 8))
  store<u64>(ptr, low)
  store<u64>(ptr, high128, 8)
}

/** Takes the i128 at `amount` from the one at `ptr`. */
export function takeFrom(ptr: usize, amount: usize): void {
  const low = sub128(load<u64>(ptr), load<i64>(ptr, 8), load<u64>(amount), load<i64>(amount, 8))
  store<u64>(ptr, low)
  store<u64>(ptr, high128, 8)
}

/** The plan of an account there is; begins with what it holds. */
export function planOf(account: usize): usize {
  for (let i: u32 = 0; i < plannedCount; i++) {
    if (load<u32>(plannedAt(i)) == <u32>account) return plannedAt(i)
  }
  const plan = plannedAt(plannedCount++)
  store<u32>(plan, <u32>account)
  memory.copy(plan + 16, account + 32, 32)
  return plan
}

/** The plan of an account that would be made with the key at `key`, or 0 when there is none yet. */
function plannedNew(key: usize): usize {
  for (let i: u32 = 0; i < plannedCount; i++) {
    const plan = plannedAt(i)
    if (load<u32>(plan) == 0 && sameKey(load<u32>(plan, 4), key)) return plan
  }
  return 0
}

/** Plans a new account with nothing in it. */
export function planNew(key: usize): usize {
  const plan = plannedAt(plannedCount++)
  memory.fill(plan, 0, PLANNED_BYTES)
  store<u32>(plan, <u32>key, 4)
  return plan
}

/** Whether a planned account may stand as it is now. */
function isAllowed(plan: usize, kind: u32): bool {
  return mayGoBelowZero(kind) || isCovered(plan)
}

/** Whether what is locked is there: available ≥ 0. */
function isCovered(plan: usize): bool {
  return compare128(load<u64>(plan, 16), load<i64>(plan, 24), load<u64>(plan, 32), load<i64>(plan, 40)) >= 0
}

/**
 * Plans an entry: `amount` (i128) on the account with the key at `key`; writes the balance after it to
 * `balanceAfter`. Each entry by itself leaves an account that is allowed, so that no history shows a balance
 * that is not.
 */
export function planEntry(key: usize, amount: usize, balanceAfter: usize): u16 {
  const kind = load<u32>(key, 24)
  const account = accountFind(key)
  let plan = account != 0 ? planOf(account) : plannedNew(key)
  if (plan == 0) {
    if (kind == KIND_CUSTOMER && load<i64>(amount, 8) < 0) return CODE_ACCOUNT_NOT_FOUND
    plan = planNew(key)
  }
  addTo(plan + 16, amount)
  if (isTooLarge(plan + 16)) return CODE_AMOUNT_OVERFLOW
  if (!isAllowed(plan, kind)) return CODE_INSUFFICIENT_FUNDS
  memory.copy(balanceAfter, plan + 16, 16)
  return CODE_OK
}

/** Plans to lock `amount` (≥ 0) of a customer's money. */
export function planLock(key: usize, amount: usize): u16 {
  const account = accountFind(key)
  if (account == 0) return CODE_ACCOUNT_NOT_FOUND
  const plan = planOf(account)
  addTo(plan + 32, amount)
  return isCovered(plan) ? CODE_OK : CODE_INSUFFICIENT_FUNDS
}

/** Whether there is room for the accounts that would be made. */
export function planFits(): u16 {
  let made: u32 = 0
  for (let i: u32 = 0; i < plannedCount; i++) {
    const plan = plannedAt(i)
    if (load<u32>(plan) != 0) continue
    made++
    const owner = <usize>load<u32>(plan, 4)
    const first = firstOfOwner(owner)
    let owned: u32 = first == 0 ? 0 : ownerCount(first)
    for (let j: u32 = 0; j <= i; j++) {
      const other = plannedAt(j)
      if (load<u32>(other) == 0 && equal16(load<u32>(other, 4), owner)) owned++
    }
    if (owned > ACCOUNTS_PER_OWNER_MAX) return CODE_CAPACITY_EXCEEDED
  }
  return made > accountsMax - accountCount() ? CODE_CAPACITY_EXCEEDED : CODE_OK
}

/** Does what was planned. Every account touched gets the next version. */
export function planCarryOut(): void {
  for (let i: u32 = 0; i < plannedCount; i++) {
    const plan = plannedAt(i)
    const known = <usize>load<u32>(plan)
    const account = known != 0 ? known : accountCreate(load<u32>(plan, 4))
    memory.copy(account + 32, plan + 16, 32)
    store<u64>(account, load<u64>(account, 64) + 1, 64)
  }
}
