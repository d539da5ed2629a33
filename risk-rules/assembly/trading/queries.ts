import { idEntryBody, idEntryBodyBytes, idEntryCode, idEntryKind, idTableFind, idTableHashEquals } from '../shared/id-table'
import {
  CODE_IDEMPOTENCY_CONFLICT, CODE_INVALID_COMMAND, CODE_NOT_FOUND, CODE_OK, COMMAND_HEADER_BYTES, commandBody, commandIdPtr,
  commandKind, commandSize, ioInputPtr, ioOutcomesBytes, ioReset, outcomeBegin, outcomeEnd, outcomeWrite,
} from '../shared/io'
import { QUERY_PAGE_MAX, TRADE_CLOSED, TRADE_NOT_FOUND } from './codes'
import { LIST_HEAD_BYTES, OPEN_TRADE_BYTES } from './layout'
import { writeListHead, writeOpenTrade } from './records'
import { ids, market, storedAt } from './state'
import { firstOfAccount, isSlot, ledgerPartitionOf, nextOfAccount, numberOf, slotOfNumber, tradeIn } from './trades'

const QUERY_TRADES: u16 = 210
const QUERY_TRADE: u16 = 211
const QUERY_OUTCOME_OF: u16 = 212
const QUERY_MARKET: u16 = 213
const QUERY_OPEN_IDS: u16 = 214
const OPEN_ID_BYTES: usize = 40

function pageOf(limit: u32): u32 {
  return limit == 0 ? QUERY_PAGE_MAX : min(limit, QUERY_PAGE_MAX)
}

function begin(question: usize): usize {
  return outcomeBegin(CODE_OK, commandKind(question), commandIdPtr(question))
}

function refuse(question: usize, code: u16): void {
  outcomeWrite(code, commandKind(question), commandIdPtr(question), 0, 0)
}

function trades(question: usize): void {
  const body = commandBody(question)
  const after = load<u64>(body, 16)
  const limit = pageOf(load<u32>(body, 24))
  const out = begin(question)
  let slot = firstOfAccount(body)
  while (isSlot(slot) && numberOf(storedAt(slot)) <= after) slot = nextOfAccount(slot)
  let count: u32 = 0
  let at = out + LIST_HEAD_BYTES
  while (isSlot(slot) && count < limit) {
    writeOpenTrade(at, tradeIn(slot))
    at += OPEN_TRADE_BYTES
    count++
    slot = nextOfAccount(slot)
  }
  writeListHead(out, count, isSlot(slot))
  outcomeEnd(<u32>(at - out))
}

function trade(question: usize): void {
  const number = load<u64>(commandBody(question))
  if (number == 0 || number > market.lastNumber) return refuse(question, TRADE_NOT_FOUND)
  const slot = slotOfNumber(number)
  if (!isSlot(slot)) return refuse(question, TRADE_CLOSED)
  const out = begin(question)
  writeOpenTrade(writeListHead(out, 1, false), tradeIn(slot))
  outcomeEnd(LIST_HEAD_BYTES + OPEN_TRADE_BYTES)
}

function marketState(question: usize): void {
  const out = begin(question)
  store<u32>(out, market.state)
  store<u32>(out, market.openCount, 4)
  store<i64>(out, market.funding, 8)
  store<i64>(out, market.nextFunding, 16)
  store<i64>(out, market.netQuantity, 24)
  store<u64>(out, market.marginSumLow, 32)
  store<i64>(out, market.marginSumHigh, 40)
  store<u64>(out, market.lastNumber, 48)
  store<i64>(out, market.firstTickAt, 56)
  store<u32>(out, market.pendingCount, 64)
  store<u32>(out, market.specified, 68)
  outcomeEnd(72)
}

/** A page by slots, which are this machine's cursor (the slot to go on at). */
function openIds(question: usize): void {
  const body = commandBody(question)
  const cursor = load<u64>(body)
  const limit = pageOf(load<u32>(body, 8))
  const out = begin(question)
  let slot = cursor > <u64>market.highWater ? market.highWater : <u32>cursor
  let count: u32 = 0
  let at = out + 16
  for (; slot < market.highWater; slot++) {
    const open = storedAt(slot)
    const number = numberOf(open)
    if (number == 0) continue
    if (count == limit) break
    store<u64>(at, open.openId)
    store<u64>(at, open.openIdRest, 8)
    store<i64>(at, open.margin, 16)
    store<u64>(at, number, 24)
    store<u32>(at, ledgerPartitionOf(open), 32)
    store<u32>(at, 0, 36)
    at += OPEN_ID_BYTES
    count++
  }
  store<u32>(out, count)
  store<u32>(out, <u32>(slot < market.highWater), 4)
  store<u64>(out, <u64>slot, 8)
  outcomeEnd(<u32>(at - out))
}

/** Whether the answer is pending: the id is not known yet. */
function outcomeOf(question: usize): bool {
  const id = commandBody(question)
  const entry = idTableFind(ids, id)
  const kind = commandKind(question)
  if (entry == 0) outcomeWrite(CODE_NOT_FOUND, kind, id, 0, 0)
  else if (!idTableHashEquals(entry, id + 16)) outcomeWrite(CODE_IDEMPOTENCY_CONFLICT, kind, id, 0, 0)
  else outcomeWrite(idEntryCode(entry), idEntryKind(entry), id, idEntryBody(entry), idEntryBodyBytes(entry))
  return entry == 0
}

/** Bytes of the body of each question; −1 for what is none. */
function bodyBytes(kind: u16): i32 {
  if (kind == QUERY_TRADES || kind == QUERY_OUTCOME_OF) return 32
  if (kind == QUERY_TRADE) return 8
  if (kind == QUERY_MARKET) return 0
  return kind == QUERY_OPEN_IDS ? 16 : -1
}

/** Answers the question in the input buffer at outcomesPtr: bytes of the answer, negative when the asker may wait. */
export function query(_bytes: i32): i32 {
  ioReset()
  const question = ioInputPtr()
  const kind = commandKind(question)
  let isPending = false
  if (bodyBytes(kind) != <i32>(commandSize(question) - COMMAND_HEADER_BYTES)) refuse(question, CODE_INVALID_COMMAND)
  else if (kind == QUERY_TRADES) trades(question)
  else if (kind == QUERY_TRADE) trade(question)
  else if (kind == QUERY_MARKET) marketState(question)
  else if (kind == QUERY_OPEN_IDS) openIds(question)
  else isPending = outcomeOf(question)
  const bytes = <i32>ioOutcomesBytes()
  return isPending ? -bytes : bytes
}
