/*
 * The batch door of a machine: an input buffer that the host fills with commands back to back, a buffer of
 * outcomes and a buffer of effects that the machine fills. The headers are those of
 * `services/common/src/kernel`:
 *
 * command    0 u32 size | 4 u16 kind | 6 u8 origin | 7 u8 flags | 8 id 16 | 24 requestHash 16 | 40 u32 sender
 *            | 44 u32 zero | 48 u64 sequence | 56 body
 * outcome    0 u32 size | 4 u16 code | 6 u16 kind | 8 id 16 | 24 body
 * effect     0 u32 target partition | 4 u32 index of the command | 8 a whole command
 */

export const COMMAND_HEADER_BYTES: u32 = 56
export const COMMAND_BYTES_MAX: u32 = 65_536
export const OUTCOME_HEADER_BYTES: u32 = 24
/** Bytes of the input buffer; the host never writes more. */
export const INPUT_BYTES: u32 = 4 << 20
/** In front of each command in the effects buffer. */
export const EFFECT_HEADER_BYTES: u32 = 8

export const FLAG_WANTS_OUTCOME: u8 = 1
export const KIND_TIME: u16 = 0xffff

// Numbers of `services/common/src/errors/codes.ts` that machines of both kinds use.
export const CODE_OK: u16 = 0
export const CODE_NOT_FOUND: u16 = 4
export const CODE_UNAVAILABLE: u16 = 6
export const CODE_ENGINE_FAULT: u16 = 7
export const CODE_IDEMPOTENCY_CONFLICT: u16 = 8
export const CODE_CAPACITY_EXCEEDED: u16 = 37
export const CODE_INVALID_COMMAND: u16 = 38

const PAGE_BYTES: usize = 65_536

let input: usize = 0
let outcomes: usize = 0
let outcomesUsed: usize = 0
let outcomesMax: usize = 0
let effects: usize = 0
let effectsUsed: usize = 0
let effectsMax: usize = 0

/** `bytes` rounded up to a multiple of 8. */
@inline
export function pad8(bytes: u32): u32 {
  return (bytes + 7) & ~7
}

/** Bytes the three buffers take together. */
export function ioBytes(outcomesBytes: usize, effectsBytes: usize): usize {
  return <usize>INPUT_BYTES + outcomesBytes + effectsBytes
}

/** Lays the buffers out from `base`. */
export function ioInit(base: usize, outcomesBytes: usize, effectsBytes: usize): void {
  input = base
  outcomes = base + INPUT_BYTES
  outcomesMax = outcomesBytes
  effects = outcomes + outcomesBytes
  effectsMax = effectsBytes
}

/** First free address of the instance, a multiple of 64. */
export function freeBase(): usize {
  return (__heap_base + 63) & ~63
}

/**
 * Grows memory so that everything below `end` exists: called once, by `init`. Traps when the machine has not
 * so much.
 */
export function reserve(end: u64): void {
  assert(end <= 0xffff_0000)
  const pages = <i32>((<usize>end + PAGE_BYTES - 1) / PAGE_BYTES) - memory.size()
  if (pages > 0) assert(memory.grow(pages) >= 0)
}

/** Address of the input buffer. */
export function ioInputPtr(): usize { return input }
/** Address of the outcomes; answers to queries and snapshot tables are written here too. */
export function ioOutcomesPtr(): usize { return outcomes }
/** Bytes of outcomes written since `ioReset`. */
export function ioOutcomesBytes(): usize { return outcomesUsed }
/** Address of the effects. */
export function ioEffectsPtr(): usize { return effects }
/** Bytes of effects written since `ioReset`. */
export function ioEffectsBytes(): usize { return effectsUsed }

/** Empties both outputs. */
export function ioReset(): void {
  outcomesUsed = 0
  effectsUsed = 0
}

/** Whether outcomes and effects of these sizes still fit. */
export function ioHasRoom(outcomeBytes: usize, effectBytes: usize): bool {
  return outcomesUsed + outcomeBytes <= outcomesMax && effectsUsed + effectBytes <= effectsMax
}

/** Starts an outcome with the id at `idPtr` and answers the address of its body. */
export function outcomeBegin(code: u16, kind: u16, idPtr: usize): usize {
  const ptr = outcomes + outcomesUsed
  store<u16>(ptr, code, 4)
  store<u16>(ptr, kind, 6)
  store<u64>(ptr, load<u64>(idPtr), 8)
  store<u64>(ptr, load<u64>(idPtr, 8), 16)
  return ptr + OUTCOME_HEADER_BYTES
}

/** Ends the outcome started last; its body has `bodyBytes` (padded with zeros here). Answers its address. */
export function outcomeEnd(bodyBytes: u32): usize {
  const ptr = outcomes + outcomesUsed
  const size = OUTCOME_HEADER_BYTES + pad8(bodyBytes)
  for (let i: u32 = bodyBytes; i < size - OUTCOME_HEADER_BYTES; i++) store<u8>(ptr + OUTCOME_HEADER_BYTES + i, 0)
  store<u32>(ptr, size)
  outcomesUsed += size
  assert(outcomesUsed <= outcomesMax)
  return ptr
}

/** A whole outcome with a body copied from `bodyPtr`. Answers its address. */
export function outcomeWrite(code: u16, kind: u16, idPtr: usize, bodyPtr: usize, bodyBytes: u32): usize {
  const body = outcomeBegin(code, kind, idPtr)
  if (bodyBytes != 0) memory.copy(body, bodyPtr, bodyBytes)
  return outcomeEnd(bodyBytes)
}

/** Starts an effect to `target` caused by command `commandIndex`; answers where the command goes. */
export function effectBegin(target: u32, commandIndex: u32): usize {
  const ptr = effects + effectsUsed
  store<u32>(ptr, target)
  store<u32>(ptr, commandIndex, 4)
  return ptr + EFFECT_HEADER_BYTES
}

/** Ends the effect started last: its command has `commandBytes`, a multiple of 8. */
export function effectEnd(commandBytes: u32): void {
  assert((commandBytes & 7) == 0)
  effectsUsed += EFFECT_HEADER_BYTES + commandBytes
  assert(effectsUsed <= effectsMax)
}

/** An effect that is a copy of the command at `commandPtr`. */
export function effectWrite(target: u32, commandIndex: u32, commandPtr: usize): void {
  const bytes = commandSize(commandPtr)
  memory.copy(effectBegin(target, commandIndex), commandPtr, bytes)
  effectEnd(bytes)
}

/** Writes a command's header (no origin, sender, sequence: the kernel's) and zeroes the rest of it. */
export function commandHeaderWrite(ptr: usize, size: u32, kind: u16, flags: u8, idPtr: usize): void {
  store<u32>(ptr, size)
  store<u16>(ptr, kind, 4)
  store<u8>(ptr, 0, 6)
  store<u8>(ptr, flags, 7)
  store<u64>(ptr, idPtr == 0 ? 0 : load<u64>(idPtr), 8)
  store<u64>(ptr, idPtr == 0 ? 0 : load<u64>(idPtr, 8), 16)
  store<u64>(ptr, 0, 24)
  store<u64>(ptr, 0, 32)
  store<u64>(ptr, 0, 40)
  store<u64>(ptr, 0, 48)
}

@inline
export function commandSize(ptr: usize): u32 { return load<u32>(ptr) }
@inline
export function commandKind(ptr: usize): u16 { return load<u16>(ptr, 4) }
@inline
export function commandFlags(ptr: usize): u8 { return load<u8>(ptr, 7) }
@inline
export function commandIdPtr(ptr: usize): usize { return ptr + 8 }
@inline
export function commandHashPtr(ptr: usize): usize { return ptr + 24 }
@inline
export function commandSender(ptr: usize): u32 { return load<u32>(ptr, 40) }
@inline
export function commandBody(ptr: usize): usize { return ptr + COMMAND_HEADER_BYTES }
/** Whether the command has an id (not all zero). */
@inline
export function commandHasId(ptr: usize): bool {
  return (load<u64>(ptr, 8) | load<u64>(ptr, 16)) != 0
}
