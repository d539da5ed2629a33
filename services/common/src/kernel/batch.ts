import { encodeCommand, KIND_TIME, commandOrigins, decodeHeader } from './command.ts'
import type { MachineHost } from './host.ts'
import type { Inbox, InboxItem } from './inbox.ts'
import { applyCommands, emptyPart, type AppliedPart, type PartitionState } from './partition-state.ts'

/** Commands in one record at most. */
export const BATCH_COMMANDS_MAX = 4_096
/** Input bytes in one record at most; outputs are bounded by the machines. */
export const BATCH_BYTES_MAX = 1_048_576

/**
 * A machine threw while applying: the instance is worthless. `items` are those that were being built into the record.
 */
export class MachineTrap extends Error {
  override readonly name = 'MachineTrap'
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
  /** One command a record, while looking for the one that traps. */
  readonly single: boolean
  /** Whether the first command (of this single batch) is to be refused ENGINE_FAULT. */
  readonly refuseFirst: boolean
  readonly onUnresolved: (item: InboxItem<Observation> & { kind: 'delivery' }, resolved: Promise<Uint8Array>) => void
}

/**
 * Takes waiting items in order and applies them, until the inbox is empty, a bound is reached or a continuation is due.
 * Everything is in memory only: nothing may leave before the record is appended.
 * @throws {MachineTrap}
 */
export const buildBatch = <Observation>(deps: BuildDeps<Observation>, now: bigint): Batch<Observation> => {
  const { state, inbox } = deps
  const batch: Batch<Observation> = { part: emptyPart(), sources: [], repeats: new Map(), taken: [] }
  const marks = new Map(state.marks)
  let segment: Uint8Array[] = []
  let bytes = 0

  const apply = (commands: readonly Uint8Array[], refused?: ReadonlySet<number>): void => {
    try {
      applyCommands(state, batch.part, commands, now, refused)
    } catch (error) {
      inbox.unshift(batch.taken)
      throw new MachineTrap('the machine threw while applying', { cause: error })
    }
  }
  const flush = (): void => {
    if (segment.length === 0) return
    const commands = segment
    segment = []
    apply(commands, deps.refuseFirst ? new Set([0]) : undefined)
  }
  const add = (command: Uint8Array, source: InboxItem<Observation> | null): void => {
    segment.push(command)
    batch.sources.push(source)
    bytes += command.length
  }

  const rest = state.machine.continuation()
  if (rest !== null) {
    apply([rest], deps.refuseFirst ? new Set([0]) : undefined)
    batch.sources.push(null)
    return batch
  }
  const due = deps.single ? null : dueCommand(state, deps.host, now)
  if (due !== null) add(due, null)

  while (batch.sources.length < BATCH_COMMANDS_MAX && bytes < BATCH_BYTES_MAX) {
    const item = inbox.take()
    if (item === undefined) break
    if (item.kind === 'observation') {
      flush()
      batch.taken.push(item)
      const command = observed(deps, item.observation, batch)
      if (command === null) continue
      add(command, null)
      flush()
      if (state.machine.continuation() !== null) break
      continue
    }
    batch.taken.push(item)
    const command = item.kind === 'internal' ? ordered(state, item.command) : accepted(deps, batch, marks, item)
    if (command === null) continue
    add(command, item)
    if (deps.single) break
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
    deps.inbox.unshift(batch.taken)
    throw new MachineTrap('the machine threw on an observation', { cause: error })
  }
}

/** An answer to an outside call counts once; a late second one changes nothing. */
const ordered = (state: PartitionState, command: Uint8Array): Uint8Array | null => {
  const header = decodeHeader(command)
  return header.origin === commandOrigins.outside && !state.outsideCalls.has(header.sequence) ? null : command
}

/**
 * Effects keep the sender's order, so their inputs must be at hand: a host may fetch inputs only for clients' commands.
 */
const resolvedEffect = <Observation>(deps: BuildDeps<Observation>, command: Uint8Array): Uint8Array => {
  const resolved = deps.host.resolve?.(command, deps.state.machine) ?? command
  if (resolved instanceof Promise) throw new Error('a host may not fetch inputs for a command from another partition')
  return resolved
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
    const mark = marks.get(sender) ?? 0n
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
    return resolvedEffect(deps, item.command)
  }
  if (item.expiresAtMs <= deps.nowMs) {
    deps.counts.expired += 1
    delivery.acknowledge()
    batch.taken.pop()
    return null
  }
  if (item.resolved || deps.host.resolve === undefined) return item.command
  const resolved = deps.host.resolve(item.command, deps.state.machine)
  if (!(resolved instanceof Promise)) return resolved
  batch.taken.pop()
  deps.onUnresolved(item, resolved)
  return null
}
