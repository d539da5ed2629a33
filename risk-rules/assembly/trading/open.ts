import { CODE_CAPACITY_EXCEEDED, CODE_INVALID_COMMAND, CODE_OK, commandBody, commandIdPtr } from '../shared/io'
import { checkOpen, quoteFor } from './checks'
import { MARKET_HALTED, MARKET_NOT_FOUND, MARKET_REDUCE_ONLY, PRICE_MOVED, SHORT, STATE_HALTED, STATE_REDUCE_ONLY } from './codes'
import { emitOpened, emitRelease } from './effects'
import { TRADE_BYTES, Trade } from './layout'
import { writeOpenTrade } from './records'
import { feeOf } from './rules'
import { capacity, market } from './state'
import { insertTrade } from './trades'

/** Whether a partition number is a ledger's. */
export function isLedger(partition: u32): bool {
  return partition >> 24 == 1
}

/** The RELEASE a refused OPEN owes, when it says to whom. */
export function releaseOpen(command: usize, commandIndex: u32): void {
  const ledgerPartition = load<u32>(commandBody(command), 16)
  if (isLedger(ledgerPartition)) emitRelease(commandIndex, ledgerPartition, commandIdPtr(command))
}

// The trade being judged: a refusal leaves nothing behind in the trade table.
const draftPtr = memory.data(<i32>TRADE_BYTES, 8)

function readDraft(command: usize): Trade {
  const body = commandBody(command)
  const draft = changetype<Trade>(draftPtr)
  memory.fill(draftPtr, 0, TRADE_BYTES)
  draft.account = load<u64>(body)
  draft.accountRest = load<u64>(body, 8)
  draft.openId = load<u64>(commandIdPtr(command))
  draft.openIdRest = load<u64>(commandIdPtr(command), 8)
  draft.ledgerPartition = load<u32>(body, 16)
  draft.direction = load<u32>(body, 20)
  draft.leverage = load<u32>(body, 24)
  draft.margin = load<i64>(body, 32)
  draft.stopLoss = load<i64>(body, 40)
  draft.takeProfit = load<i64>(body, 48)
  return draft
}

/** Open trades the partition takes: the pair's capacity, within what the machine was made for. */
function tradesMax(): u32 {
  return market.specCapacity == 0 ? capacity : min(market.specCapacity, capacity)
}

function judge(draft: Trade, body: usize, now: i64): u16 {
  const worstPrice = load<i64>(body, 56)
  const possible =
    isLedger(draft.ledgerPartition) && draft.direction <= SHORT && draft.leverage >= 1 && draft.margin > 0
  if (!possible || draft.stopLoss < 0 || draft.takeProfit < 0 || worstPrice < 0) return CODE_INVALID_COMMAND
  if (market.specified == 0) return MARKET_NOT_FOUND
  if (market.state == STATE_HALTED) return MARKET_HALTED
  if (market.state == STATE_REDUCE_ONLY) return MARKET_REDUCE_ONLY
  const code = quoteFor(body + 64, now)
  if (code != CODE_OK) return code
  const refused = checkOpen(draft, worstPrice)
  if (refused != CODE_OK) return refused
  // The fee rose after its hold was made: the hold may not cover it.
  if (market.openBps > load<i64>(body, 88)) return PRICE_MOVED
  return market.openCount >= tradesMax() ? CODE_CAPACITY_EXCEEDED : CODE_OK
}

/** OPEN: writes the opened trade at `out` and answers OK, or why not; a refusal gives the holds back. */
export function applyOpen(command: usize, commandIndex: u32, now: i64, out: usize): u16 {
  const draft = readDraft(command)
  const code = judge(draft, commandBody(command), now)
  if (code != CODE_OK) {
    releaseOpen(command, commandIndex)
    return code
  }
  market.lastNumber += 1
  draft.number = market.lastNumber
  draft.openFee = feeOf(draft.quantity, draft.entryPrice, market.openBps)
  draft.openedAt = now
  market.quantityMax = max(market.quantityMax, draft.quantity)
  insertTrade(draft)
  writeOpenTrade(out, draft)
  emitOpened(commandIndex, draft, out)
  return CODE_OK
}

