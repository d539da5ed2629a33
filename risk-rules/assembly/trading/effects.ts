/**
 * What a market tells the ledgers: instructions in the layout of `src/ledger/codec.ts`.
 *
 *   0                 2           3          4            8           12          16          32
 *   ├ transactionType ┼ holdCount ┼ legCount ┼ slipTarget ┼ slipBytes ┼ memoBytes ┼ reference ┼ holds … legs … memo slip
 *
 * hold (24)   0 id 16 | 16 u32 index | 20 u32 zero
 * leg (48)    0 owner 16 | 16 u64 currency | 24 u32 account kind | 28 u32 zero | 32 i128 amount
 */
import { addChecked, subChecked } from '../shared/int128'
import { COMMAND_HEADER_BYTES, commandHeaderWrite, effectBegin, effectEnd, pad8 } from '../shared/io'
import { REASON_LIQUIDATION } from './codes'
import { CLOSED_TRADE_BYTES, Market, OPEN_TRADE_BYTES, Trade } from './layout'
import { writeOpenTrade } from './records'
import { settledDeficit, settledFee, settledReturned } from './rules'
import { market } from './state'

const LEDGER_POST: u16 = 2
const LEDGER_SETTLE: u16 = 3
const LEDGER_RELEASE: u16 = 4
const LEDGER_OPEN_ACCOUNT: u16 = 5
const LEDGER_INSURANCE_REFUND: u16 = 6

// Numbers of `src/ledger/accounts.ts`.
const TRADE_OPEN_FEE: u16 = 2
const TRADE_CLOSE: u16 = 3
const LIQUIDATION_FEE: u16 = 4
const INSURANCE_REFUND: u16 = 5
const ACCOUNT_CUSTOMER: u32 = 1
const ACCOUNT_HOUSE: u32 = 2
const ACCOUNT_FEES: u32 = 5
const ACCOUNT_CLEARING: u32 = 8
const ACCOUNT_INSURANCE: u32 = 9

const EVENT_OPENED: u32 = 1
const EVENT_CLOSED: u32 = 2
const EVENT_UPDATED: u32 = 3

const INSTRUCTION_BYTES: usize = 32
const HOLD_BYTES: usize = 24
const LEG_BYTES: usize = 48

/** Where the instruction being written begins, and where its next part goes. */
let start: usize = 0
let cursor: usize = 0

function owner(offset: usize): usize {
  return changetype<usize>(market) + offset
}

function begin(command: usize, transactionType: u16, tradeNumber: u64): void {
  start = command + COMMAND_HEADER_BYTES
  cursor = start + INSTRUCTION_BYTES
  memory.fill(start, 0, INSTRUCTION_BYTES)
  store<u16>(start, transactionType)
  if (tradeNumber == 0) return
  store<u32>(start, market.marketNumber, 16)
  store<u32>(start, market.partitionIndex, 20)
  store<u64>(start, tradeNumber, 24)
}

function hold(id: usize, index: u32): void {
  store<u64>(cursor, load<u64>(id))
  store<u64>(cursor, load<u64>(id, 8), 8)
  store<u32>(cursor, index, 16)
  store<u32>(cursor, 0, 20)
  cursor += HOLD_BYTES
  store<u8>(start, load<u8>(start, 2) + 1, 2)
}

/** A leg, also of 0: where zeros are left out, the caller asks `entry`. */
function leg(account: usize, kind: u32, amount: i64): void {
  store<u64>(cursor, load<u64>(account))
  store<u64>(cursor, load<u64>(account, 8), 8)
  store<u64>(cursor, market.quoteCurrency, 16)
  store<u32>(cursor, kind, 24)
  store<u32>(cursor, 0, 28)
  store<i64>(cursor, amount, 32)
  store<i64>(cursor, amount >> 63, 40)
  cursor += LEG_BYTES
  store<u8>(start, load<u8>(start, 3) + 1, 3)
}

function entry(account: usize, kind: u32, amount: i64): void {
  if (amount != 0) leg(account, kind, amount)
}

function memo(type: u32, record: usize, bytes: u32): void {
  store<u32>(cursor, type)
  store<u32>(cursor, 0, 4)
  memory.copy(cursor + 8, record, bytes)
  store<u32>(start, bytes + 8, 12)
  cursor += pad8(bytes + 8)
}

/** Writes the header of the command that was begun at `command`; answers its bytes. */
function end(command: usize, kind: u16): u32 {
  const bytes = <u32>(cursor - command)
  commandHeaderWrite(command, bytes, kind, 0, 0)
  return bytes
}

/** A refused opening gives both holds back. */
export function emitRelease(commandIndex: u32, ledgerPartition: u32, openId: usize): void {
  const command = effectBegin(ledgerPartition, commandIndex)
  begin(command, 0, 0)
  hold(openId, 0)
  hold(openId, 1)
  effectEnd(end(command, LEDGER_RELEASE))
}

/** An opened trade (its record as the outcome tells it) closes the fee's hold and pays the fee. */
export function emitOpened(commandIndex: u32, trade: Trade, record: usize): void {
  const command = effectBegin(trade.ledgerPartition, commandIndex)
  begin(command, TRADE_OPEN_FEE, trade.number)
  const ptr = changetype<usize>(trade)
  hold(ptr + offsetof<Trade>('openId'), 1)
  entry(ptr + offsetof<Trade>('account'), ACCOUNT_CUSTOMER, subChecked(0, trade.openFee))
  entry(owner(offsetof<Market>('fees')), ACCOUNT_FEES, trade.openFee)
  memo(EVENT_OPENED, record, OPEN_TRADE_BYTES)
  effectEnd(end(command, LEDGER_SETTLE))
}

// An open trade as its event tells it.
const updated = memory.data(<i32>OPEN_TRADE_BYTES, 8)

/**
 * A trade's stops were changed: no money moves, but the event takes its place among the account's. It travels on an instruction
 * that changes nothing: the opening of an account that is there, since the trade was paid from it.
 */
export function emitUpdated(commandIndex: u32, trade: Trade): void {
  const command = effectBegin(trade.ledgerPartition, commandIndex)
  begin(command, 0, trade.number)
  leg(changetype<usize>(trade) + offsetof<Trade>('account'), ACCOUNT_CUSTOMER, 0)
  writeOpenTrade(updated, trade)
  memo(EVENT_UPDATED, updated, OPEN_TRADE_BYTES)
  effectEnd(end(command, LEDGER_OPEN_ACCOUNT))
}

/** The liquidation fee goes on to the insurance's partition. */
function liquidationFee(command: usize, tradeNumber: u64, fee: i64): u32 {
  begin(command, LIQUIDATION_FEE, tradeNumber)
  leg(owner(offsetof<Market>('clearing')), ACCOUNT_CLEARING, subChecked(0, fee))
  leg(owner(offsetof<Market>('insurance')), ACCOUNT_INSURANCE, fee)
  return end(command, LEDGER_POST)
}

/** The house has borne a deficit and asks the insurance for it. */
function insuranceRefund(command: usize, trade: Trade, deficit: i64): u32 {
  begin(command, INSURANCE_REFUND, trade.number)
  store<u32>(start, trade.ledgerPartition, 4)
  leg(owner(offsetof<Market>('insurance')), ACCOUNT_INSURANCE, deficit)
  leg(owner(offsetof<Market>('clearing')), ACCOUNT_CLEARING, 0)
  leg(owner(offsetof<Market>('house')), ACCOUNT_HOUSE, 0)
  return end(command, LEDGER_INSURANCE_REFUND)
}

/** A closed trade, settled last by `settle`, closes the margin's hold and pays customer, house and fee. */
export function emitClosed(commandIndex: u32, trade: Trade, record: usize, reason: u32): void {
  const command = effectBegin(trade.ledgerPartition, commandIndex)
  const fee = settledFee
  const change = subChecked(settledReturned, trade.margin)
  begin(command, TRADE_CLOSE, trade.number)
  const ptr = changetype<usize>(trade)
  hold(ptr + offsetof<Trade>('openId'), 0)
  entry(ptr + offsetof<Trade>('account'), ACCOUNT_CUSTOMER, change)
  entry(owner(offsetof<Market>('house')), ACCOUNT_HOUSE, subChecked(0, addChecked(change, fee)))
  if (reason == REASON_LIQUIDATION) entry(owner(offsetof<Market>('clearing')), ACCOUNT_CLEARING, fee)
  else entry(owner(offsetof<Market>('fees')), ACCOUNT_FEES, fee)
  memo(EVENT_CLOSED, record, CLOSED_TRADE_BYTES)
  const settle = start
  const slip = cursor
  let slipBytes: u32 = 0
  if (settledDeficit > 0) slipBytes = insuranceRefund(slip, trade, settledDeficit)
  else if (reason == REASON_LIQUIDATION && fee > 0) slipBytes = liquidationFee(slip, trade.number, fee)
  if (slipBytes != 0) {
    store<u32>(settle, market.insurancePartition, 4)
    store<u32>(settle, slipBytes, 8)
  }
  cursor = slip + slipBytes
  effectEnd(end(command, LEDGER_SETTLE))
}
