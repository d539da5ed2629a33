/*
 * Questions, drawn in `src/ledger/queries.ts`. A question never changes anything but the output buffer; every
 * answer is bounded.
 */
import { idEntryBody, idEntryBodyBytes, idEntryCode, idEntryKind, idTableFind, idTableHashEquals } from '../shared/id-table'
import { CODE_CAPACITY_EXCEEDED, CODE_IDEMPOTENCY_CONFLICT, CODE_INVALID_COMMAND, CODE_NOT_FOUND } from '../shared/io'
import { CODE_OK, COMMAND_HEADER_BYTES, commandBody, commandIdPtr, commandKind, commandSize } from '../shared/io'
import { ioInputPtr, ioOutcomesBytes, ioReset, outcomeBegin, outcomeEnd, outcomeWrite } from '../shared/io'
import { accountAt, firstOfOwner, nextOfOwner } from './accounts'
import { holdAccount, holdAt, holdIsOpen } from './holds'
import { addTo } from './plan'
import { accountCount, holdsUsed, idTable } from './state'

const BALANCES: u16 = 200
const SUMS: u16 = 201
const HOLDS: u16 = 202
const OUTCOME_OF: u16 = 203
const ACCOUNTS: u16 = 204

const PAGE_LIMIT_MAX: u32 = 4_096
/** Pairs of currency and kind that SUMS answers at most. */
const SUMS_MAX: u32 = 4_096
const LIST_BYTES: usize = 8

/** Answers the question in the input buffer; the answer's bytes, at outcomesPtr. */
export function query(bytes: u32): i32 {
  ioReset()
  const question = ioInputPtr()
  const kind = commandKind(question)
  const bodyBytes = bytes - COMMAND_HEADER_BYTES
  if (bytes != commandSize(question)) refuse(question, CODE_INVALID_COMMAND)
  else if (kind == BALANCES && bodyBytes == 16) balances(question)
  else if (kind == SUMS && bodyBytes == 0) allSums(question)
  else if (kind == HOLDS && bodyBytes == 8) holdPage(question)
  else if (kind == ACCOUNTS && bodyBytes == 8) accountPage(question)
  else if (kind == OUTCOME_OF && bodyBytes == 32) outcomeOf(question)
  else refuse(question, CODE_INVALID_COMMAND)
  return <i32>ioOutcomesBytes()
}

function refuse(question: usize, code: u16): void {
  outcomeWrite(code, commandKind(question), commandIdPtr(question), 0, 0)
}

function begin(question: usize): usize {
  return outcomeBegin(CODE_OK, commandKind(question), commandIdPtr(question))
}

function end(list: usize, count: u32, recordBytes: u32): void {
  store<u32>(list, count)
  store<u32>(list, 0, 4)
  outcomeEnd(<u32>LIST_BYTES + count * recordBytes)
}

function balances(question: usize): void {
  const list = begin(question)
  let count: u32 = 0
  let record = list + LIST_BYTES
  for (let account = firstOfOwner(commandBody(question)); account != 0; account = nextOfOwner(account)) {
    memory.copy(record, account + 16, 56)
    store<u64>(record, 0, 56)
    record += 64
    count++
  }
  end(list, count, 64)
}

function isOfGroup(record: usize, account: usize): bool {
  return load<u64>(record) == load<u64>(account, 16) && load<u32>(record, 8) == load<u32>(account, 24)
}

function allSums(question: usize): void {
  const list = begin(question)
  const first = list + LIST_BYTES
  let count: u32 = 0
  for (let slot: u32 = 0; slot < accountCount(); slot++) {
    const account = accountAt(slot)
    let record = first
    const last = first + count * 48
    while (record < last && !isOfGroup(record, account)) record += 48
    if (record == last) {
      if (count == SUMS_MAX) return refuse(question, CODE_CAPACITY_EXCEEDED)
      memory.fill(record, 0, 48)
      memory.copy(record, account + 16, 12)
      count++
    }
    store<u32>(record, load<u32>(record, 12) + 1, 12)
    addTo(record + 16, account + 32)
    addTo(record + 32, account + 48)
  }
  end(list, count, 48)
}

function limitOf(question: usize): u32 {
  const limit = load<u32>(commandBody(question), 4)
  return limit < PAGE_LIMIT_MAX ? limit : PAGE_LIMIT_MAX
}

function holdPage(question: usize): void {
  const limit = limitOf(question)
  const list = begin(question)
  let count: u32 = 0
  let record = list + LIST_BYTES
  for (let slot = load<u32>(commandBody(question)); slot < holdsUsed() && count < limit; slot++) {
    const hold = holdAt(slot)
    if (!holdIsOpen(hold)) continue
    memory.copy(record, hold, 20)
    store<u32>(record, slot + 1, 20)
    memory.copy(record + 24, accountAt(holdAccount(hold)), 24)
    memory.copy(record + 48, hold + 24, 16)
    record += 64
    count++
  }
  end(list, count, 64)
}

function accountPage(question: usize): void {
  const limit = limitOf(question)
  const list = begin(question)
  let count: u32 = 0
  let record = list + LIST_BYTES
  for (let slot = load<u32>(commandBody(question)); slot < accountCount() && count < limit; slot++) {
    memory.copy(record, accountAt(slot), 72)
    store<u32>(record, slot + 1, 28)
    record += 72
    count++
  }
  end(list, count, 72)
}

/** The first outcome of an id, as it was but for the balances. */
function outcomeOf(question: usize): void {
  const id = commandBody(question)
  const entry = idTableFind(idTable, id)
  if (entry == 0) outcomeWrite(CODE_NOT_FOUND, OUTCOME_OF, id, 0, 0)
  else if (!idTableHashEquals(entry, id + 16)) outcomeWrite(CODE_IDEMPOTENCY_CONFLICT, OUTCOME_OF, id, 0, 0)
  else outcomeWrite(idEntryCode(entry), idEntryKind(entry), id, idEntryBody(entry), idEntryBodyBytes(entry))
}
