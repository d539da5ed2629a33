import { commandOrigins, decodeHeader, originOf } from './command.ts'
import { OUTSIDE, type Applied, type Machine } from './machine.ts'
import { partitionName, type PartitionNumber } from './partition.ts'
import {
  EFFECT_HEADER_BYTES,
  GENESIS_HASH,
  OUTSIDE_RECEIVER,
  type JournalRecord,
  type NumberedEffect,
} from './record.ts'

/** Outside calls a partition may have unanswered; a machine that wants more is a bug. */
export const OUTSIDE_CALLS_MAX = 100_000

/**
 * All state of a partition: the machine's own and what the kernel adds around it. It is a function of the journal
 * alone.
 */
export interface PartitionState {
  readonly partition: PartitionNumber
  readonly machine: Machine
  /** Sequence and hash of the last record, and its `now`. */
  sequence: bigint
  hash: Uint8Array
  now: bigint
  behaviour: number
  /** Per sender: number of the last effect applied. Never expires. */
  readonly marks: Map<PartitionNumber, bigint>
  /** Per receiver: number of the last effect decided. */
  readonly numbers: Map<PartitionNumber, bigint>
  /** Calls to the outside that have no journaled answer, by number. */
  readonly outsideCalls: Map<bigint, Uint8Array>
}

/** The state before the first record. */
export const emptyState = (partition: PartitionNumber, machine: Machine): PartitionState => ({
  partition,
  machine,
  sequence: 0n,
  hash: GENESIS_HASH,
  now: 0n,
  behaviour: machine.behaviourVersion,
  marks: new Map(),
  numbers: new Map(),
  outsideCalls: new Map(),
})

/** What a part of a batch gave, before it is a record. */
export interface AppliedPart {
  readonly inputs: Uint8Array[]
  readonly outcomes: Uint8Array[]
  readonly effects: NumberedEffect[]
  /** For each effect the index of the input that caused it. */
  readonly causes: number[]
  /** What the machine answered, call by call: who waits for settled ids asks these. */
  readonly applied: Applied[]
  readonly faulted: number[]
  /** Bytes that the outcomes and effects take in a record. */
  outputBytes: number
}

/** An empty part to collect into. */
export const emptyPart = (): AppliedPart => ({
  inputs: [],
  outcomes: [],
  effects: [],
  causes: [],
  applied: [],
  faulted: [],
  outputBytes: 0,
})

const NONE_REFUSED: ReadonlySet<number> = new Set()

const noteInput = (state: PartitionState, input: Uint8Array): void => {
  const origin = originOf(input)
  // Most are clients' or the runner's own and leave no mark.
  if (origin !== commandOrigins.partition && origin !== commandOrigins.outside) return
  const { sender, sequence } = decodeHeader(input)
  if (origin === commandOrigins.partition) state.marks.set(sender, sequence)
  else state.outsideCalls.delete(sequence)
}

/**
 * Applies commands to the state and collects what came of them into `part`. Effects get their numbers here, in the
 * order they arose. `refused` lists indexes (within `inputs`) of commands to be refused ENGINE_FAULT.
 */
export const applyCommands = (
  state: PartitionState,
  part: AppliedPart,
  inputs: readonly Uint8Array[],
  now: bigint,
  refused: ReadonlySet<number> = NONE_REFUSED,
): void => {
  const applied = state.machine.apply(inputs, now, state.behaviour, refused)
  if (applied.outcomes.length !== inputs.length) {
    throw new Error(`the machine gave ${applied.outcomes.length} outcomes for ${inputs.length} commands`)
  }
  const before = part.inputs.length
  for (const index of refused) part.faulted.push(before + index)
  for (const input of inputs) {
    noteInput(state, input)
    part.inputs.push(input)
  }
  for (const outcome of applied.outcomes) part.outputBytes += outcome.length
  part.outcomes.push(...applied.outcomes)
  part.applied.push(applied)
  for (const effect of applied.effects) {
    const receiver = effect.to === OUTSIDE ? OUTSIDE_RECEIVER : effect.to
    const number = (state.numbers.get(receiver) ?? 0n) + 1n
    state.numbers.set(receiver, number)
    part.outputBytes += EFFECT_HEADER_BYTES + effect.bytes.length
    part.effects.push({ receiver, number, bytes: effect.bytes })
    part.causes.push(before + effect.commandIndex)
    if (effect.to === OUTSIDE) state.outsideCalls.set(number, effect.bytes)
  }
  if (state.outsideCalls.size > OUTSIDE_CALLS_MAX)
    throw new Error(`more than ${OUTSIDE_CALLS_MAX} unanswered outside calls`)
}

/** The record that holds a part, to be appended after the state's last one. */
export const recordOf = (state: PartitionState, part: AppliedPart, now: bigint): JournalRecord => ({
  partition: state.partition,
  sequence: state.sequence + 1n,
  now,
  behaviour: state.behaviour,
  previousHash: state.hash,
  inputs: part.inputs,
  outcomes: part.outcomes,
  effects: part.effects,
  faulted: part.faulted,
})

/** Moves the state past its new last record. */
export const advance = (state: PartitionState, record: JournalRecord, hash: Uint8Array): void => {
  state.sequence = record.sequence
  state.hash = hash
  state.now = record.now
}

/** A replay that came out differently from what was journaled: a bug or a changed rule without a number. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError'
}

const sameParts = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((bytes, index) => Buffer.compare(bytes, b[index]!) === 0)

/**
 * Applies a journaled record again and checks that it comes out the same.
 * @throws {ReplayError} naming the record when an outcome or effect differs.
 */
export const replayRecord = (state: PartitionState, record: JournalRecord, hash: Uint8Array): void => {
  state.behaviour = record.behaviour
  const part = emptyPart()
  const refused = record.faulted.length === 0 ? NONE_REFUSED : new Set(record.faulted)
  applyCommands(state, part, record.inputs, record.now, refused)
  const at = `record ${record.sequence} of partition ${partitionName(record.partition)}`
  if (!sameParts(part.outcomes, record.outcomes)) throw new ReplayError(`${at}: other outcomes than journaled`)
  const sameEffects =
    part.effects.length === record.effects.length &&
    part.effects.every((effect, index) => {
      const other = record.effects[index]!
      return (
        effect.receiver === other.receiver &&
        effect.number === other.number &&
        Buffer.compare(effect.bytes, other.bytes) === 0
      )
    })
  if (!sameEffects) throw new ReplayError(`${at}: other effects than journaled`)
  advance(state, record, hash)
}
