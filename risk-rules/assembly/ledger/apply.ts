/*
 * Commands, one at a time. The order of the questions is fixed, because it decides which refusal is answered:
 * malformed? → id known? → room for the id? → amounts too large? → zero-sum? → holds → legs in order → room
 * for accounts and holds.
 */
import { idEntryBody, idEntryBodyBytes, idEntryCode, idEntryKind, idTableExpire, idTableFind } from '../shared/id-table'
import { idTableFull, idTableHashEquals, idTableInsert } from '../shared/id-table'
import { CODE_CAPACITY_EXCEEDED, CODE_ENGINE_FAULT, CODE_IDEMPOTENCY_CONFLICT } from '../shared/io'
import { CODE_INVALID_COMMAND, CODE_OK, CODE_UNAVAILABLE } from '../shared/io'
import { COMMAND_BYTES_MAX, COMMAND_HEADER_BYTES, commandFlags, commandHasId, commandHashPtr } from '../shared/io'
import { commandHeaderWrite, commandIdPtr, commandKind, commandSender, commandSize, effectBegin } from '../shared/io'
import { effectEnd, effectWrite, FLAG_WANTS_OUTCOME, ioHasRoom, ioInputPtr, ioReset, KIND_TIME } from '../shared/io'
import { outcomeWrite } from '../shared/io'
import { compare128 } from '../shared/int128'
import { accountAt, accountFind, slotOf } from './accounts'
import { holdAccount, holdClose, holdFind, holdOpen, holdsFree } from './holds'
import { HOLD, holdCountOf, holdPartAt, INSTRUCTION_BYTES, INSURANCE_REFUND } from './instruction'
import { isInstruction, LEG_BYTES, legAt, legCountOf, OPEN_ACCOUNT, POST, referenceOf } from './instruction'
import { slipOf, slipTargetOf } from './instruction'
import { addTo, CODE_AMOUNT_OVERFLOW, isTooLarge, planCarryOut, planEntry, planFits, planLock, planNew, planOf } from './plan'
import { planReset, takeFrom } from './plan'
import { idTable, KEPT_BODY_BYTES, nextTransaction } from './state'

const CODE_HOLD_CLOSED: u16 = 34
const CODE_NOT_ZERO_SUM: u16 = 36
const KIND_LEDGER_OUTCOME: u16 = 100

/** Most a command can write: an outcome with 16 balances; a slip and the answer to the sender. */
const OUTCOME_ROOM: usize = 320
const EFFECT_ROOM: usize = COMMAND_BYTES_MAX + 512

/*
 * The body of a success: 0 u64 transactionNumber | 8 u8 legCount | 9 u8 existed | 10 zero | 16 balanceAfter i128 × legCount
 * | paid i128 (INSURANCE_REFUND).
 */
const outcomeBody = memory.data(272, 16)
let outcomeBodyBytes: u32 = 0
/** Sums of the legs by currency: u64 currency, zero, i128. */
const sums = memory.data(512, 16)
/** A negated amount. */
const opposite = memory.data(16, 16)
const nothing = memory.data(16, 16)
/** The rules of the batch; 2: a forgotten id whose hold is open is UNAVAILABLE, not a conflict that is remembered. */
let rules: u32 = 1
const RULES_NEWEST: u32 = 2

/** Applies commands until all are done or the outputs might not hold the next; answers how many it did. */
export function apply(count: u32, now: i64, behaviour: u32): u32 {
  assert(behaviour >= 1 && behaviour <= RULES_NEWEST)
  rules = behaviour
  ioReset()
  idTableExpire(idTable, now)
  let command = ioInputPtr()
  for (let index: u32 = 0; index < count; index++) {
    if (!ioHasRoom(OUTCOME_ROOM, EFFECT_ROOM)) return index
    applyOne(command, index, now)
    command += commandSize(command)
  }
  return count
}

/** The command in the input buffer made the machine trap twice: it is refused, and remembered. */
export function refuse(now: i64, behaviour: u32): void {
  assert(behaviour >= 1 && behaviour <= RULES_NEWEST)
  ioReset()
  idTableExpire(idTable, now)
  const command = ioInputPtr()
  outcomeBodyBytes = 0
  if (commandHasId(command) && idTableFind(idTable, commandIdPtr(command)) == 0 && !idTableFull(idTable)) {
    remember(command, CODE_ENGINE_FAULT, now)
  }
  answer(command, 0, CODE_ENGINE_FAULT, commandKind(command), outcomeBody)
}

function applyOne(command: usize, index: u32, now: i64): void {
  outcomeBodyBytes = 0
  const kind = commandKind(command)
  if (kind == KIND_TIME) return answer(command, index, CODE_OK, kind, outcomeBody)
  if (!isInstruction(command)) return answer(command, index, CODE_INVALID_COMMAND, kind, outcomeBody)
  const hasId = commandHasId(command)
  if (hasId) {
    const entry = idTableFind(idTable, commandIdPtr(command))
    if (entry != 0) return answerAgain(command, index, entry)
    if (idTableFull(idTable)) return answer(command, index, CODE_UNAVAILABLE, kind, outcomeBody)
  }
  planReset()
  const code = execute(command, index)
  if (code != CODE_OK) outcomeBodyBytes = 0
  if (hasId && code != CODE_UNAVAILABLE) remember(command, code, now)
  answer(command, index, code, kind, outcomeBody)
}

function remember(command: usize, code: u16, now: i64): void {
  const kept: u32 = outcomeBodyBytes == 0 ? 0 : KEPT_BODY_BYTES
  const legCount = load<u8>(outcomeBody, 8)
  // A repeat has no balances to answer.
  store<u8>(outcomeBody, 0, 8)
  const kind = commandKind(command)
  idTableInsert(idTable, commandIdPtr(command), commandHashPtr(command), now, code, kind, outcomeBody, kept)
  store<u8>(outcomeBody, legCount, 8)
}

function answerAgain(command: usize, index: u32, entry: usize): void {
  if (!idTableHashEquals(entry, commandHashPtr(command))) {
    return answer(command, index, CODE_IDEMPOTENCY_CONFLICT, commandKind(command), outcomeBody)
  }
  outcomeBodyBytes = idEntryBodyBytes(entry)
  answer(command, index, idEntryCode(entry), idEntryKind(entry), idEntryBody(entry))
}

/** Writes the outcome, and sends it to a sender who wants it. */
function answer(command: usize, index: u32, code: u16, kind: u16, body: usize): void {
  const outcome = outcomeWrite(code, kind, commandIdPtr(command), body, outcomeBodyBytes)
  const sender = commandSender(command)
  if (sender == 0 || (commandFlags(command) & FLAG_WANTS_OUTCOME) == 0) return
  const bytes = load<u32>(outcome)
  const size = COMMAND_HEADER_BYTES + bytes
  const effect = effectBegin(sender, index)
  commandHeaderWrite(effect, size, KIND_LEDGER_OUTCOME, 0, commandIdPtr(command))
  memory.copy(effect + COMMAND_HEADER_BYTES, outcome, bytes)
  effectEnd(size)
}

function execute(command: usize, index: u32): u16 {
  memory.fill(outcomeBody, 0, 16)
  const kind = commandKind(command)
  const legs = legCountOf(command)
  for (let i: u32 = 0; i < legs; i++) if (isTooLarge(legAt(command, i) + 32)) return CODE_AMOUNT_OVERFLOW
  if (kind == INSURANCE_REFUND) return refund(command, index)
  if (kind == OPEN_ACCOUNT && accountFind(legAt(command, 0)) != 0) {
    store<u8>(outcomeBody, 1, 9)
    outcomeBodyBytes = 16
    return CODE_OK
  }
  const code = kind == HOLD ? hold(command) : kind == OPEN_ACCOUNT ? open(command) : post(command)
  if (code == CODE_OK && slipTargetOf(command) != 0) effectWrite(slipTargetOf(command), index, slipOf(command))
  return code
}

/** Locks each leg's amount under (the command's id, the leg's index), all or none. */
function hold(command: usize): u16 {
  const legs = legCountOf(command)
  const id = commandIdPtr(command)
  for (let i: u32 = 0; i < legs; i++) {
    // The id may be forgotten while its hold is still open: it names that hold and can name no other. Whether this is the same
    // request is not known here any more, so it is neither told that it is nor that it is not.
    if (holdFind(id, i) != 0) return rules == 1 ? CODE_IDEMPOTENCY_CONFLICT : CODE_UNAVAILABLE
    const leg = legAt(command, i)
    const code = planLock(leg, leg + 32)
    if (code != CODE_OK) return code
  }
  if (holdsFree() < legs) return CODE_CAPACITY_EXCEEDED
  planCarryOut()
  for (let i: u32 = 0; i < legs; i++) {
    const leg = legAt(command, i)
    holdOpen(id, i, slotOf(accountFind(leg)), leg + 32)
  }
  outcomeBodyBytes = 16
  return CODE_OK
}

/** POST, CORRECTION, SETTLE and RELEASE: closes the named holds, then posts the legs, all or nothing. */
function post(command: usize): u16 {
  if (!isZeroSum(command)) return CODE_NOT_ZERO_SUM
  const holds = holdCountOf(command)
  for (let i: u32 = 0; i < holds; i++) {
    const part = holdPartAt(command, i)
    const found = holdFind(part, load<u32>(part, 16))
    if (found == 0) return CODE_HOLD_CLOSED
    takeFrom(planOf(accountAt(holdAccount(found))) + 32, found + 24)
  }
  const code = planLegs(command, legCountOf(command))
  if (code != CODE_OK) return code
  planCarryOut()
  for (let i: u32 = 0; i < holds; i++) {
    const part = holdPartAt(command, i)
    holdClose(holdFind(part, load<u32>(part, 16)))
  }
  posted(legCountOf(command))
  return CODE_OK
}

/** Makes a customer's account that is not there, with its grant. */
function open(command: usize): u16 {
  const legs: u32 = legCountOf(command) == 2 ? 2 : 0
  if (legs == 0) planNew(legAt(command, 0))
  const code = planLegs(command, legs)
  if (code != CODE_OK) return code
  planCarryOut()
  posted(legs)
  return CODE_OK
}

/** Pays what the fund has of what is asked, and sends it on to the house. */
function refund(command: usize, index: u32): u16 {
  const insurance = legAt(command, 0)
  const asked = insurance + 32
  const account = accountFind(insurance)
  const has = account == 0 ? nothing : account + 32
  const pays = compare128(load<u64>(has), load<i64>(has, 8), load<u64>(asked), load<i64>(asked, 8)) < 0 ? has : asked
  if ((load<u64>(pays) | load<u64>(pays, 8)) == 0) {
    memory.fill(outcomeBody + 16, 0, 16)
    outcomeBodyBytes = 32
    return CODE_OK
  }
  const paid = outcomeBody + 48
  memory.copy(paid, pays, 16)
  memory.fill(opposite, 0, 16)
  takeFrom(opposite, paid)
  let code = planEntry(insurance, opposite, outcomeBody + 16)
  if (code == CODE_OK) code = planEntry(legAt(command, 1), paid, outcomeBody + 32)
  if (code == CODE_OK) code = planFits()
  if (code != CODE_OK) return code
  planCarryOut()
  posted(2)
  outcomeBodyBytes = 64
  sendRefund(command, index, paid)
  return CODE_OK
}

/** To the house's partition: POST clearing −paid, house +paid, with the type and reference of the refund. */
function sendRefund(command: usize, index: u32, paid: usize): void {
  const size = COMMAND_HEADER_BYTES + INSTRUCTION_BYTES + 2 * LEG_BYTES
  const effect = effectBegin(slipTargetOf(command), index)
  commandHeaderWrite(effect, size, POST, 0, 0)
  const body = effect + COMMAND_HEADER_BYTES
  memory.fill(body, 0, INSTRUCTION_BYTES)
  store<u16>(body, load<u16>(command + COMMAND_HEADER_BYTES))
  store<u8>(body, 2, 3)
  memory.copy(body + 16, referenceOf(command), 16)
  const legs = body + INSTRUCTION_BYTES
  memory.copy(legs, legAt(command, 1), 32)
  memory.copy(legs + 32, opposite, 16)
  memory.copy(legs + LEG_BYTES, legAt(command, 2), 32)
  memory.copy(legs + LEG_BYTES + 32, paid, 16)
  effectEnd(size)
}

/** Plans the first `legs` legs and writes their balances. */
function planLegs(command: usize, legs: u32): u16 {
  for (let i: u32 = 0; i < legs; i++) {
    const leg = legAt(command, i)
    const code = planEntry(leg, leg + 32, outcomeBody + 16 + i * 16)
    if (code != CODE_OK) return code
  }
  return planFits()
}

/** Completes the outcome of a success with `legs` entries. */
function posted(legs: u32): void {
  if (legs != 0) store<u64>(outcomeBody, nextTransaction())
  store<u8>(outcomeBody, <u8>legs, 8)
  outcomeBodyBytes = 16 + 16 * legs
}

/** Whether the legs of each currency add up to zero. */
function isZeroSum(command: usize): bool {
  const legs = legCountOf(command)
  let currencies: u32 = 0
  for (let i: u32 = 0; i < legs; i++) {
    const leg = legAt(command, i)
    let sum = sums
    const end = sums + currencies * 32
    while (sum < end && load<u64>(sum) != load<u64>(leg, 16)) sum += 32
    if (sum == end) {
      store<u64>(sum, load<u64>(leg, 16))
      memory.fill(sum + 16, 0, 16)
      currencies++
    }
    addTo(sum + 16, leg + 32)
  }
  for (let i: u32 = 0; i < currencies; i++) {
    const sum = sums + i * 32
    if ((load<u64>(sum, 16) | load<u64>(sum, 24)) != 0) return false
  }
  return true
}
