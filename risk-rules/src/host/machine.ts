import { createBytePool } from '@bourse/common/codec/byte-pool.ts'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { isCommand, NO_ID } from '@bourse/common/kernel/command.ts'
import type { Applied, Effect, Machine } from '@bourse/common/kernel/machine.ts'
import { encodeOutcome } from '@bourse/common/kernel/outcome.ts'
import { instantiate } from './instance.ts'
import type { MachineExports } from './instance.ts'
import { createPieceReader, packSnapshot, readPartSizes, type PieceReader } from './snapshot.ts'

/** Bytes of a module's input buffer (`assembly/shared/io.ts`). */
const INPUT_BYTES = 4 << 20
const EFFECT_HEADER_BYTES = 8

/** What makes a generic WASM machine a certain one. */
export interface WasmMachineOptions<Exports extends MachineExports> {
  readonly wasm: WebAssembly.Module
  /** Number of the machine in partition numbers. */
  readonly machine: number
  readonly schemaVersion: number
  readonly behaviourVersion: number
  /** Recorded in snapshots, in the order `init` takes them. */
  readonly capacities: readonly number[]
  /** Calls the module's `init`: the only moment at which its memory grows. */
  readonly init: (exports: Exports) => void
}

/** A machine, and the exports of its present instance for what only this machine has. */
export interface WasmMachine<Exports extends MachineExports> {
  readonly machine: Machine
  readonly exports: () => Exports
}

/**
 * The outcome of bytes that are not even a command: no id can be read from them. The reference machines
 * answer it too.
 */
export const malformedOutcome = (): Uint8Array =>
  encodeOutcome({ code: refusalNumbers.INVALID_COMMAND, kind: 0, id: NO_ID }, new Uint8Array(0))

/** The ids (not all zero) of outcomes that have one: what a parked read may wait for. */
export const settledIdsOf = (outcomes: readonly Uint8Array[]): Uint8Array[] =>
  outcomes.map((outcome) => outcome.subarray(8, 24)).filter((id) => id.some((byte) => byte !== 0))

/** Reads a u32, byte by byte: for a few of them a DataView would cost more than it saves. */
const u32At = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0

/** An Applied in the making. */
interface Collected {
  readonly outcomes: Uint8Array[]
  readonly effects: Effect[]
}

/** A module's instance, its memory as bytes (it never grows after `init`), and where copies out of it are put. */
interface Running {
  readonly exports: MachineExports
  readonly memory: Uint8Array
  readonly copied: (bytes: Uint8Array) => Uint8Array
}

/** Collects what a call of `apply` or `refuse` left in the output buffers, copied out of the module's memory. */
const collect = ({ exports, memory, copied }: Running, firstIndex: number, collected: Collected): void => {
  const { outcomes, effects } = collected
  const outcomesPtr = exports.outcomesPtr()
  const outcomeBytes = copied(memory.subarray(outcomesPtr, outcomesPtr + exports.outcomesBytes()))
  for (let at = 0; at < outcomeBytes.length;) {
    const size = u32At(outcomeBytes, at)
    outcomes.push(outcomeBytes.subarray(at, at + size))
    at += size
  }
  const length = exports.effectsBytes()
  if (length === 0) return
  const effectsPtr = exports.effectsPtr()
  const effectBytes = copied(memory.subarray(effectsPtr, effectsPtr + length))
  for (let at = 0; at < length;) {
    const end = at + EFFECT_HEADER_BYTES + u32At(effectBytes, at + EFFECT_HEADER_BYTES)
    effects.push({
      to: u32At(effectBytes, at),
      commandIndex: firstIndex + u32At(effectBytes, at + 4),
      bytes: effectBytes.subarray(at + EFFECT_HEADER_BYTES, end),
    })
    at = end
  }
}

/**
 * Copies commands `from`… back to back into the input buffer; answers the index of the first that was not
 * taken.
 */
const fillInput = (
  { exports, memory }: Running,
  batch: readonly Uint8Array[],
  from: number,
  refused: ReadonlySet<number> | undefined,
): number => {
  const start = exports.inputPtr()
  let used = 0
  let index = from
  for (; index < batch.length; index++) {
    const command = batch[index]!
    if (used + command.length > INPUT_BYTES || !isCommand(command) || refused?.has(index) === true) break
    memory.set(command, start + used)
    used += command.length
  }
  return index
}

const applyBatch = (
  running: Running,
  batch: readonly Uint8Array[],
  now: bigint,
  behaviour: number,
  refused?: ReadonlySet<number>,
): Applied => {
  const { exports, memory } = running
  const collected: Collected = { outcomes: [], effects: [] }
  for (let index = 0; index < batch.length;) {
    const end = fillInput(running, batch, index, refused)
    const command = batch[index]!
    if (end > index) {
      const applied = exports.apply(end - index, now, behaviour)
      if (applied < 1 || applied > end - index) throw new Error(`the machine applied ${applied} of ${end - index}`)
      collect(running, index, collected)
      index += applied
    } else if (isCommand(command)) {
      memory.set(command, exports.inputPtr())
      exports.refuse(now, behaviour)
      collect(running, index, collected)
      index += 1
    } else {
      collected.outcomes.push(malformedOutcome())
      index += 1
    }
    const count = collected.outcomes.length
    if (count !== index) throw new Error(`the machine gave ${count} outcomes for ${index} commands`)
  }
  const { outcomes, effects } = collected
  return {
    outcomes,
    effects,
    // Asked for only while somebody waits.
    get settledIds() {
      return settledIdsOf(outcomes)
    },
  }
}

const takeParts = (exports: MachineExports): Uint8Array[] => {
  const count = exports.snapshotParts()
  const { buffer } = exports.memory
  const table = new Uint32Array(buffer.slice(exports.outcomesPtr(), exports.outcomesPtr() + 8 * count))
  return Array.from({ length: count }, (_, part) => new Uint8Array(buffer, table[2 * part], table[2 * part + 1]))
}

/** Reads the parts of a snapshot into a fresh instance's memory, wherever each belongs. */
const putParts = (exports: MachineExports, sizes: readonly number[], reader: PieceReader): void => {
  const { buffer } = exports.memory
  const view = new DataView(buffer, exports.inputPtr(), 4 * sizes.length)
  sizes.forEach((size, index) => view.setUint32(4 * index, size, true))
  if (exports.restoreBegin(sizes.length) !== 1) throw new RangeError('the snapshot does not fit this machine')
  const places = new DataView(buffer.slice(exports.outcomesPtr(), exports.outcomesPtr() + 4 * sizes.length))
  const memory = new Uint8Array(buffer)
  sizes.forEach((size, index) => {
    let at = places.getUint32(4 * index, true)
    reader.read(size, (bytes) => {
      memory.set(bytes, at)
      at += bytes.length
    })
  })
  if (exports.restoreEnd() !== 1) throw new RangeError('the snapshot contradicts itself')
}

const hex64 = (word: bigint): string => BigInt.asUintN(64, word).toString(16).padStart(16, '0')

/**
 * Runs a WASM module behind the kernel's `Machine`. Every answer is a copy: nothing handed out changes when
 * the machine goes on. `restore` always begins with a fresh instance, so nothing of the old state can stay
 * behind.
 */
export const createWasmMachine = <Exports extends MachineExports>(
  options: WasmMachineOptions<Exports>,
): WasmMachine<Exports> => {
  const { schemaVersion, behaviourVersion, machine, capacities } = options
  const copied = createBytePool()
  const fresh = (): Running & { readonly exports: Exports } => {
    const exports = instantiate(options.wasm) as Exports
    options.init(exports)
    return { exports, memory: new Uint8Array(exports.memory.buffer), copied }
  }
  const header = { schemaVersion, machine, capacities }
  let current = fresh()
  const copyFrom = (ptr: number, bytes: number): Uint8Array => current.memory.slice(ptr, ptr + bytes)
  const restorePieces = (pieces: readonly Uint8Array[]): void => {
    const reader = createPieceReader(pieces)
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const sizes = readPartSizes(header, reader, bytes)
    const next = fresh()
    putParts(next.exports, sizes, reader)
    current = next
  }
  return {
    exports: () => current.exports,
    machine: {
      schemaVersion,
      behaviourVersion,
      apply: (batch, now, behaviour, refused) => {
        if (behaviour < 1 || behaviour > behaviourVersion) {
          throw new RangeError(`behaviour ${behaviour} is unknown; this release knows 1 to ${behaviourVersion}`)
        }
        return applyBatch(current, batch, now, behaviour, refused)
      },
      continuation: () => {
        const bytes = current.exports.continuationBytes()
        return bytes === 0 ? null : copyFrom(current.exports.outcomesPtr(), bytes)
      },
      nextDeadline: () => {
        const deadline = current.exports.nextDeadline()
        return deadline < 0n ? null : deadline
      },
      query: (question) => {
        if (!isCommand(question)) return { bytes: malformedOutcome(), pending: false }
        current.memory.set(question, current.exports.inputPtr())
        const length = current.exports.query(question.length)
        const bytes = copyFrom(current.exports.outcomesPtr(), Math.abs(length))
        // A question that waits for an id names it in the first 16 bytes of its body.
        return length < 0 ? { bytes, pending: true, wakeId: question.slice(56, 72) } : { bytes, pending: false }
      },
      snapshot: () => packSnapshot(header, takeParts(current.exports)),
      restore: (bytes) => restorePieces([bytes]),
      restorePieces,
      memoryBytes: () => current.memory.length,
      stateHash: () => hex64(current.exports.stateHashHigh()) + hex64(current.exports.stateHashLow()),
    },
  }
}
