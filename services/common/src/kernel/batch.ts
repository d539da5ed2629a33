import type { BatchTracer } from './batch-trace.ts'
import { encodeCommand, KIND_TIME, commandOrigins, decodeHeader } from './command.ts'
import type { MachineHost } from './host.ts'
import type { Inbox, InboxItem } from './inbox.ts'
import { RECORD_BYTES_MAX } from '../ports/journal.ts'
import { applyCommands, emptyPart, type AppliedPart, type PartitionState } from './partition-state.ts'
import { RECORD_HEADER_BYTES } from './record.ts'
import type { Suspect } from './suspicion.ts'

/** Commands in one record at most. */
export const BATCH_COMMANDS_MAX = 8_192
/** Input bytes after which a record takes no more. */
export const BATCH_BYTES_MAX = 2 * 1_048_576
/** Bytes of outcomes and effects after which a record takes no more: few commands can decide very much (a tick). */
export const BATCH_OUTPUT_BYTES_MAX = 2 * 1_048_576
/** Commands applied in one call of the machine; between calls the outputs are measured. */
export const SEGMENT_COMMANDS_MAX = 512

/**
 * A machine threw, or decided more than a record can hold: the instance is worthless. What was being built into the record is
 * back in the inbox. `suspect` is what was in hand while commands were tried alone, else null.
 */
export class MachineTrap extends Error {
  override readonly name = 'MachineTrap'
  readonly suspect: Suspect<unknown> | null
  constructor(message: string, suspect: Suspect<unknown> | null, options?: ErrorOptions) {
    super(message, options)
    this.suspect = suspect
  }
}

/** One record in the making. */
export interface Batch<Observation> {
  readonly part: AppliedPart
  /** For each input: the item it came from, null for those the runner made. */
  readonly sources: (InboxItem<Observation> | null)[]
  /** Effects that were here already: confirmed again after the append. */
  readonly repeats: Map<number, bigint>
  /** All items taken, in order, to be put back when the machine traps. */
  readonly taken: InboxItem<Observation>[]
}

/** Counts that the runner keeps for its status. */
export interface BatchCounts {
  duplicateEffects: number
  gapEffects: number
  expired: number
  droppedFaulty: number
}

/** The command that is due by the state's deadline at `now`, or null. */
export const dueCommand = <Observation>(
  state: PartitionState,
  host: MachineHost<Observation>,
  now: bigint,
): Uint8Array | null => {
  const deadline = state.machine.nextDeadline()
  if (deadline === null || deadline > now) return null
  if (host.due !== undefined) return host.due(state.machine)
  return encodeCommand({ kind: KIND_TIME, origin: commandOrigins.runner }, new Uint8Array(0))
}

interface BuildDeps<Observation> {
  readonly state: PartitionState
  readonly host: MachineHost<Observation>
  readonly inbox: Inbox<Observation>
  readonly counts: BatchCounts
  readonly nowMs: number
  /** One item a record, while looking for the one that traps. */
  readonly alone: boolean
  /** The one that is to be refused ENGINE_FAULT if it comes. */
  readonly refused: Suspect<Observation> | null
  readonly onUnresolved: (item: InboxItem<Observation> & { kind: 'delivery' }, resolved: Promise<Uint8Array>) => void
  readonly tracing: Pick<BatchTracer<Observation>, 'within'> | null
}

const FIRST: ReadonlySet<number> = new Set([0])

/** Puts everything back and gives the error to throw; an observation that fails again while refused is dropped. */
const trapped = <Observation>(
  deps: BuildDeps<Observation>,
  batch: Batch<Observation>,
  message: string,
  cause: unknown,
): MachineTrap => {
  const suspect = deps.alone ? (batch.taken.at(-1) ?? 'own') : null
  const isDropped = suspect !== null && suspect === deps.refused && suspect !== 'own' && suspect.kind === 'observation'
  if (isDropped) deps.counts.droppedFaulty += 1
  deps.inbox.unshift(isDropped ? batch.taken.slice(0, -1) : batch.taken)
  return new MachineTrap(message, suspect, { cause })
}

/** Collects commands and applies them in calls of bounded size. */
const createApplier = <Observation>(deps: BuildDeps<Observation>, batch: Batch<Observation>, now: bigint) => {
  let segment: Uint8Array[] = []
  let bytes = 0
  const flush = (): void => {
    if (segment.length === 0) return
    const commands = segment
    segment = []
    const isRefused = deps.refused !== null && deps.refused === (batch.taken.at(-1) ?? 'own')
    try {
      applyCommands(deps.state, batch.part, commands, now, isRefused ? FIRST : undefined)
    } catch (error) {
      throw trapped(deps, batch, 'the machine threw while applying', error)
    }
    const size = RECORD_HEADER_BYTES + bytes + batch.part.outputBytes + batch.part.faulted.length * 4
    if (size > RECORD_BYTES_MAX)
      throw trapped(deps, batch, 'the machine decided more than a record holds', new Error(`a record of ${size} bytes`))
  }
  return {
    flush,
    add: (command: Uint8Array, source: InboxItem<Observation> | null): void => {
      segment.push(command)
      batch.sources.push(source)
      bytes += command.length
      if (segment.length >= SEGMENT_COMMANDS_MAX) flush()
    },
    isFull: (): boolean =>
      batch.sources.length >= BATCH_COMMANDS_MAX ||
      bytes >= BATCH_BYTES_MAX ||
      batch.part.outputBytes >= BATCH_OUTPUT_BYTES_MAX,
  }
}

/**
 * Takes waiting items in order and applies them, until the inbox is empty, a bound is reached or a continuation is due.
 * Everything is in memory only: nothing may leave before the record is appended.
 * @throws {MachineTrap}
 */
export const buildBatch = <Observation>(deps: BuildDeps<Observation>, now: bigint): Batch<Observation> => {
  const { state, inbox } = deps
  const batch: Batch<Observation> = { part: emptyPart(), sources: [], repeats: new Map(), taken: [] }
  /** Of the senders whose effects are in this batch: the last one's number. */
  const marks = new Map<number, bigint>()
  const { add, flush, isFull } = createApplier(deps, batch, now)

  const rest = state.machine.continuation()
  const own = rest ?? dueCommand(state, deps.host, now)
  if (own !== null) {
    add(own, null)
    if (rest !== null || deps.alone) {
      flush()
      return batch
    }
  }

  while (!isFull()) {
    const item = inbox.take()
    if (item === undefined) break
    if (item.kind === 'observation') {
      flush()
      batch.taken.push(item)
      const command = observed(deps, item.observation, batch)
      if (command !== null) {
        add(command, null)
        flush()
      }
      if (deps.alone || state.machine.continuation() !== null) break
      continue
    }
    batch.taken.push(item)
    const command = item.kind === 'internal' ? ordered(state, item.command) : accepted(deps, batch, marks, item)
    if (command === null) continue
    add(command, item)
    if (deps.alone) break
  }
  flush()
  return batch
}

const observed = <Observation>(
  deps: BuildDeps<Observation>,
  observation: Observation,
  batch: Batch<Observation>,
): Uint8Array | null => {
  try {
    return deps.host.observe?.(observation, deps.state.machine) ?? null
  } catch (error) {
    throw trapped(deps, batch, 'the machine threw on an observation', error)
  }
}

/** An answer to an outside call counts once; a late second one changes nothing. */
const ordered = (state: PartitionState, command: Uint8Array): Uint8Array | null => {
  const header = decodeHeader(command)
  return header.origin === commandOrigins.outside && !state.outsideCalls.has(header.sequence) ? null : command
}

/**
 * The command with its inputs. Effects keep the sender's order, so theirs must be at hand: a host may fetch inputs only for
 * clients' commands. What is to be refused needs none.
 */
const resolvedInput = <Observation>(
  deps: BuildDeps<Observation>,
  batch: Batch<Observation>,
  item: InboxItem<Observation> & { kind: 'delivery' },
): Uint8Array | Promise<Uint8Array> => {
  const { host, state, tracing } = deps
  if (item.resolved || item === deps.refused || host.resolve === undefined) return item.command
  try {
    const resolve = () => host.resolve?.(item.command, state.machine) ?? item.command
    const resolved = tracing === null ? resolve() : tracing.within(item, resolve)
    if (resolved instanceof Promise && item.delivery.message.type === 'effect')
      throw new Error('a host may not fetch inputs for a command from another partition')
    return resolved
  } catch (error) {
    throw trapped(deps, batch, 'the inputs of a command could not be filled in', error)
  }
}

const accepted = <Observation>(
  deps: BuildDeps<Observation>,
  batch: Batch<Observation>,
  marks: Map<number, bigint>,
  item: InboxItem<Observation> & { kind: 'delivery' },
): Uint8Array | null => {
  const { delivery } = item
  if (delivery.message.type === 'effect') {
    const sender = delivery.message.sender ?? 0
    const sequence = delivery.message.sequence ?? 0n
    const mark = marks.get(sender) ?? deps.state.marks.get(sender) ?? 0n
    if (sequence <= mark) {
      deps.counts.duplicateEffects += 1
      batch.repeats.set(sender, mark)
      delivery.acknowledge()
      batch.taken.pop()
      return null
    }
    if (sequence !== mark + 1n) {
      // Not confirmed, so the sender brings it again after the ones before it.
      deps.counts.gapEffects += 1
      delivery.acknowledge()
      batch.taken.pop()
      return null
    }
    marks.set(sender, sequence)
  } else if (item.expiresAtMs <= deps.nowMs) {
    deps.counts.expired += 1
    delivery.acknowledge()
    batch.taken.pop()
    return null
  }
  const resolved = resolvedInput(deps, batch, item)
  if (!(resolved instanceof Promise)) return resolved
  batch.taken.pop()
  deps.onUnresolved(item, resolved)
  return null
}
