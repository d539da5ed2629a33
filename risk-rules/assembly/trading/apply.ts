import { idEntryBody, idEntryBodyBytes, idEntryCode, idEntryKind, idTableExpire, idTableFind } from '../shared/id-table'
import { idTableFull, idTableHashEquals, idTableInsert } from '../shared/id-table'
import {
  CODE_ENGINE_FAULT, CODE_IDEMPOTENCY_CONFLICT, CODE_INVALID_COMMAND, CODE_OK, CODE_UNAVAILABLE, COMMAND_HEADER_BYTES,
  commandBody, commandHashPtr, commandHasId, commandIdPtr, commandKind, commandSize, ioHasRoom, ioInputPtr, ioReset,
  KIND_TIME, outcomeBegin, outcomeEnd, outcomeWrite,
} from '../shared/io'
import {
  KIND_CLOSE, KIND_CONTINUE, KIND_FUNDING, KIND_OPEN, KIND_SPEC, KIND_STATE, KIND_TICK, KIND_UPDATE, TIERS_MAX,
} from './codes'
import { applyClose } from './close'
import { applyFunding } from './funding'
import {
  CLOSE_BODY_BYTES, CLOSED_TRADE_BYTES, FUNDING_BODY_BYTES, KEPT_BYTES, OPEN_BODY_BYTES, OPEN_TRADE_BYTES, SPEC_BYTES,
  STATE_BODY_BYTES, TICK_BODY_BYTES, TIER_BYTES, UPDATE_BODY_BYTES, UPDATED_TRADE_BYTES,
} from './layout'
import { applyOpen, releaseOpen } from './open'
import { applySpec, applyState } from './spec'
import { CLOSE_EFFECT_BYTES, COMMAND_OUTCOME_BYTES, ids, market, TICK_EFFECTS_BYTES, TICK_OUTCOME_BYTES } from './state'
import { applyContinue, applyTick, listBytes } from './tick'
import { isSlot, slotOfNumber } from './trades'
import { forgetTriggers } from './triggers'
import { applyUpdate } from './update'

/** The rules of the batch; 2: an OPEN that comes again gives its holds back; 3: there is UPDATE. */
let rules: u32 = 1

/** Whether the command is of a known kind and of its size, so that its fields can be read. */
function isFramed(command: usize): bool {
  const kind = commandKind(command)
  const bytes = commandSize(command) - COMMAND_HEADER_BYTES
  if (kind == KIND_OPEN) return bytes == OPEN_BODY_BYTES && commandHasId(command)
  if (kind == KIND_CLOSE) return bytes == CLOSE_BODY_BYTES
  if (kind == KIND_UPDATE) return rules >= 3 && bytes == UPDATE_BODY_BYTES
  if (kind == KIND_TICK) return bytes == TICK_BODY_BYTES
  if (kind == KIND_CONTINUE || kind == KIND_TIME) return bytes == 0
  if (kind == KIND_FUNDING) return bytes == FUNDING_BODY_BYTES
  if (kind == KIND_STATE) return bytes == STATE_BODY_BYTES
  if (kind != KIND_SPEC || bytes < SPEC_BYTES) return false
  const tiers = load<u32>(commandBody(command), SPEC_BYTES - 4)
  return tiers <= TIERS_MAX && bytes == SPEC_BYTES + tiers * <u32>TIER_BYTES
}

/** Bytes of the body of an OK outcome, as it was written. */
function bodyBytesOf(kind: u16): u32 {
  if (kind == KIND_OPEN) return OPEN_TRADE_BYTES
  if (kind == KIND_CLOSE) return CLOSED_TRADE_BYTES
  if (kind == KIND_UPDATE) return UPDATED_TRADE_BYTES
  if (kind == KIND_TICK || kind == KIND_CONTINUE) return listBytes
  return kind == KIND_FUNDING ? FUNDING_BODY_BYTES : 0
}

function dispatch(command: usize, commandIndex: u32, now: i64, out: usize): u16 {
  switch (commandKind(command)) {
    case KIND_OPEN: return applyOpen(command, commandIndex, now, out)
    case KIND_CLOSE: return applyClose(command, commandIndex, now, out)
    case KIND_UPDATE: return applyUpdate(command, commandIndex, now, out)
    case KIND_TICK: return applyTick(command, commandIndex, now, out)
    case KIND_CONTINUE: return applyContinue(commandIndex, now, out)
    case KIND_FUNDING: return applyFunding(command, out)
    case KIND_STATE: return applyState(command)
    case KIND_SPEC: return applySpec(command, now)
    default: return CODE_OK
  }
}

function remember(command: usize, now: i64, code: u16, body: usize): void {
  if (!commandHasId(command)) return
  const kind = commandKind(command)
  const keeps = code == CODE_OK && (kind == KIND_OPEN || kind == KIND_CLOSE || kind == KIND_UPDATE)
  idTableInsert(ids, commandIdPtr(command), commandHashPtr(command), now, code, kind, body, keeps ? KEPT_BYTES : 0)
}

function answerOnly(command: usize, code: u16): void {
  outcomeWrite(code, commandKind(command), commandIdPtr(command), 0, 0)
}

/** A well-framed command that is refused without being remembered; an OPEN still gives its holds back. */
function refuseUnremembered(command: usize, commandIndex: u32, code: u16): void {
  answerOnly(command, code)
  if (commandKind(command) == KIND_OPEN) releaseOpen(command, commandIndex)
}

/** Whether the remembered outcome is that of a trade which is still open: its margin is in the hold that its id names. */
function isStillOpen(entry: usize): bool {
  if (idEntryKind(entry) != KIND_OPEN || idEntryCode(entry) != CODE_OK) return false
  return isSlot(slotOfNumber(load<u64>(idEntryBody(entry))))
}

/**
 * An OPEN whose id is known: the ledger had forgotten the id, found none of its holds open and made them anew, so nobody else
 * will ever close them.
 */
function releaseAgain(command: usize, commandIndex: u32, entry: usize): void {
  if (rules != 1 && commandKind(command) == KIND_OPEN && !isStillOpen(entry)) releaseOpen(command, commandIndex)
}

function repeat(command: usize, commandIndex: u32, entry: usize): void {
  releaseAgain(command, commandIndex, entry)
  if (!idTableHashEquals(entry, commandHashPtr(command))) answerOnly(command, CODE_IDEMPOTENCY_CONFLICT)
  else {
    const bytes = idEntryBodyBytes(entry)
    outcomeWrite(idEntryCode(entry), idEntryKind(entry), commandIdPtr(command), idEntryBody(entry), bytes)
  }
}

function execute(command: usize, commandIndex: u32, now: i64): void {
  if (!isFramed(command)) return answerOnly(command, CODE_INVALID_COMMAND)
  const hasId = commandHasId(command)
  const entry = hasId ? idTableFind(ids, commandIdPtr(command)) : 0
  if (entry != 0) return repeat(command, commandIndex, entry)
  const kind = commandKind(command)
  if (market.pendingCount != 0 && kind != KIND_CONTINUE && kind != KIND_TIME) {
    return refuseUnremembered(command, commandIndex, CODE_INVALID_COMMAND)
  }
  if (hasId && idTableFull(ids)) return refuseUnremembered(command, commandIndex, CODE_UNAVAILABLE)
  const body = outcomeBegin(CODE_OK, kind, commandIdPtr(command))
  const code = dispatch(command, commandIndex, now, body)
  const outcome = outcomeEnd(code == CODE_OK ? bodyBytesOf(kind) : 0)
  store<u16>(outcome, code, 4)
  remember(command, now, code, body)
}

function hasRoomFor(command: usize): bool {
  const kind = commandKind(command)
  const closesMany = kind == KIND_TICK || kind == KIND_CONTINUE
  return closesMany ? ioHasRoom(TICK_OUTCOME_BYTES, TICK_EFFECTS_BYTES) : ioHasRoom(COMMAND_OUTCOME_BYTES, CLOSE_EFFECT_BYTES)
}

/** Applies `count` commands of the input buffer in order, as many as the outputs have room for; answers how many. */
export function apply(count: i32, now: i64, behaviour: u32): i32 {
  rules = behaviour
  ioReset()
  forgetTriggers()
  idTableExpire(ids, now)
  let command = ioInputPtr()
  let index: i32 = 0
  while (index < count && hasRoomFor(command)) {
    execute(command, <u32>index, now)
    command += commandSize(command)
    index++
  }
  return index
}

/** Gives the one command in the input buffer the outcome ENGINE_FAULT, remembers it, and gives an OPEN's holds back. */
export function refuse(now: i64, behaviour: u32): void {
  rules = behaviour
  ioReset()
  idTableExpire(ids, now)
  const command = ioInputPtr()
  answerOnly(command, CODE_ENGINE_FAULT)
  if (!isFramed(command)) return
  const entry = commandHasId(command) ? idTableFind(ids, commandIdPtr(command)) : 0
  if (entry != 0) return releaseAgain(command, 0, entry)
  if (!idTableFull(ids)) remember(command, now, CODE_ENGINE_FAULT, 0)
  if (commandKind(command) == KIND_OPEN) releaseOpen(command, 0)
}
