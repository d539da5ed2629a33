import { addChecked, mulDivFloor, subChecked } from '../shared/int128'
import { CODE_CAPACITY_EXCEEDED, CODE_INVALID_COMMAND, CODE_OK, commandBody } from '../shared/io'
import { BPS_MAX, LEVERAGE_MAX, MARKET_NOT_FOUND, QUANTITY_MAX, RATE_ONE, STATE_HALTED, TICK_SIZE_MAX } from './codes'
import { TIERS_MAX, TIER_TABLES_MAX } from './codes'
import {
  Market, SPEC_BYTES, SPEC_OFFSET, TABLE_BYTES, TABLE_CONTINUITY, TABLE_REFERENCES, TABLE_TIERS, TIER_BYTES,
} from './layout'
import { instantAfter } from './funding'
import { isLedger } from './open'
import { deriveSpread } from './rules'
import { market, tableAt } from './state'

/** The fields of a SPEC's body by the names of the market's record: the same bytes in the same order. */
function fieldsOf(body: usize): Market {
  return changetype<Market>(body - SPEC_OFFSET)
}

/** 1 to 8 capitals and digits, then zeros. */
function isCurrency(currency: u64): bool {
  if (currency == 0) return false
  let rest = currency
  while (rest != 0) {
    const char = <u32>(rest & 0xff)
    if (!((char >= 0x41 && char <= 0x5a) || (char >= 0x30 && char <= 0x39))) return false
    rest >>= 8
  }
  return true
}

function isWithin(value: i64, low: i64, high: i64): bool {
  return value >= low && value <= high
}

/** Floors rise from 0, rates do not fall, leverages do not rise, rate × leverage < 1. */
function areTiers(tiers: usize, count: u32): bool {
  if (count < 1 || count > TIERS_MAX || load<i64>(tiers) != 0) return false
  for (let k: u32 = 0; k < count; k++) {
    const tier = tiers + <usize>k * TIER_BYTES
    const rate = load<i64>(tier, 8)
    const leverage = load<u32>(tier, 16)
    if (leverage < 1 || leverage > LEVERAGE_MAX || !isWithin(rate, 0, (RATE_ONE - 1) / <i64>leverage)) return false
    if (k == 0) continue
    const before = tier - TIER_BYTES
    if (load<i64>(tier) <= load<i64>(before) || rate < load<i64>(before, 8) || leverage > load<u32>(before, 16)) return false
  }
  return true
}

function isSound(spec: Market, tiers: usize): bool {
  const sizes = isWithin(spec.tickSize, 1, TICK_SIZE_MAX) && isWithin(spec.lotSize, 1, QUANTITY_MAX)
  const limits = spec.minMargin >= 0 && spec.maxNotional >= 0 && spec.maxNetNotional >= 0 && spec.maxAgeMs >= 0
  const fees =
    isWithin(spec.openBps, 0, BPS_MAX) && isWithin(spec.closeBps, 0, BPS_MAX) && isWithin(spec.liquidationBps, 0, BPS_MAX)
  const spread = isWithin(spec.spreadBps, 0, (BPS_MAX << 1) - 1)
  const funding = isWithin(spec.fundingRateBps, -BPS_MAX, BPS_MAX) && isWithin(spec.fundingCapBps, 0, BPS_MAX)
  const leverage = spec.maxLeverage >= 1 && spec.maxLeverage <= LEVERAGE_MAX
  const state = spec.specState <= STATE_HALTED && spec.reserved == 0
  const rest = state && isLedger(spec.insurancePartition) && isCurrency(spec.quoteCurrency)
  return sizes && limits && fees && spread && funding && leverage && rest && areTiers(tiers, spec.tierCount)
}

/** What may never change in a market. */
function isKept(spec: Market): bool {
  return (
    spec.tickSize == market.tickSize && spec.lotSize == market.lotSize && spec.quoteCurrency == market.quoteCurrency &&
    spec.marketNumber == market.marketNumber && spec.partitionIndex == market.partitionIndex
  )
}

function isCurrentTable(tiers: usize, count: u32): bool {
  const table = tableAt(market.currentTableSlot)
  if (load<u32>(table, 4) != count) return false
  for (let k: usize = 0; k < <usize>count; k++) {
    const given = tiers + k * TIER_BYTES
    const current = table + TABLE_TIERS + k * TIER_BYTES
    const same = load<i64>(given) == load<i64>(current) && load<i64>(given, 8) == load<i64>(current, 8)
    if (!same || load<u32>(given, 16) != load<u32>(current, 16)) return false
  }
  return true
}

/** c_0 = 0, c_k = floor(floor_k × (m_k − m_{k−1})) + c_{k−1}. */
function deriveContinuity(table: usize): void {
  const count = load<u32>(table, 4)
  let c: i64 = 0
  for (let k: u32 = 0; k < count; k++) {
    const tier = table + TABLE_TIERS + <usize>k * TIER_BYTES
    if (k > 0) {
      const rise = subChecked(load<i64>(tier, 8), load<i64>(tier - TIER_BYTES, 8))
      c = addChecked(c, mulDivFloor(load<i64>(tier), rise, RATE_ONE))
    }
    store<i64>(table + TABLE_CONTINUITY + (<usize>k << 3), c)
  }
}

/** Slot of a table no trade needs (the one the spec gives up counts), or TIER_TABLES_MAX. */
function freeTable(): u32 {
  let slot: u32 = 0
  while (slot < TIER_TABLES_MAX && load<u32>(tableAt(slot) + TABLE_REFERENCES) != 0) slot++
  return slot
}

function setTable(slot: u32, tiers: usize, count: u32): void {
  const table = tableAt(slot)
  memory.fill(table, 0, TABLE_BYTES)
  market.lastTable += 1
  market.currentTable = market.lastTable
  market.currentTableSlot = slot
  store<u32>(table, market.lastTable)
  store<u32>(table, count, 4)
  for (let k: usize = 0; k < <usize>count; k++) {
    const to = table + TABLE_TIERS + k * TIER_BYTES
    store<i64>(to, load<i64>(tiers + k * TIER_BYTES))
    store<i64>(to, load<i64>(tiers + k * TIER_BYTES, 8), 8)
    store<u32>(to, load<u32>(tiers + k * TIER_BYTES, 16), 16)
  }
  deriveContinuity(table)
}

/** SPEC: the market's rules from now on. */
export function applySpec(command: usize, now: i64): u16 {
  const body = commandBody(command)
  const spec = fieldsOf(body)
  const tiers = body + SPEC_BYTES
  if (!isSound(spec, tiers) || (market.specified != 0 && !isKept(spec))) return CODE_INVALID_COMMAND
  if (market.specified == 0 || !isCurrentTable(tiers, spec.tierCount)) {
    const slot = freeTable()
    if (slot == TIER_TABLES_MAX) return CODE_CAPACITY_EXCEEDED
    setTable(slot, tiers, spec.tierCount)
  }
  // The same state again, as at each start, does not undo what an administrator has set since.
  const stateChanged = market.specified == 0 || spec.specState != market.specState
  const intervalChanged = spec.fundingIntervalSeconds != market.fundingIntervalSeconds
  memory.copy(changetype<usize>(market) + SPEC_OFFSET, body, SPEC_BYTES)
  market.specified = 1
  if (stateChanged) market.state = market.specState
  deriveSpread()
  // An instant that is due stays due; else the next is the new interval's.
  const due = market.nextFunding != 0 && market.nextFunding <= now
  if (market.fundingIntervalSeconds == 0) market.nextFunding = 0
  else if (intervalChanged && market.firstTickAt != 0 && !due) market.nextFunding = instantAfter(max(now, market.firstTickAt))
  return CODE_OK
}

/** STATE: an administrator halts, limits or reopens the market. */
export function applyState(command: usize): u16 {
  const wanted = load<u32>(commandBody(command))
  if (wanted > STATE_HALTED) return CODE_INVALID_COMMAND
  if (market.specified == 0) return MARKET_NOT_FOUND
  market.state = wanted
  return CODE_OK
}
