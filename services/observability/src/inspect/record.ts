import { commandOrigins, decodeHeader } from '@bourse/common/kernel/command.ts'
import { partitionParts } from '@bourse/common/kernel/partition.ts'
import { OUTSIDE_RECEIVER, type JournalRecord, type NumberedEffect } from '@bourse/common/kernel/record.ts'
import { partitionTitle, type Topology } from '@bourse/common/platform/topology.ts'
import { decodeCommand, decodeOutcome, decodeOutsideCall, originName, type Fields } from './decode.ts'
import { hexOrNull, moment } from './show.ts'

/** A command as journaled, with what it came to. */
export interface ShownCommand {
  /** Its place in the record. */
  readonly index: number
  readonly kind: string
  readonly id: string | null
  /** `client`, `runner`; `ledger/0 effect 7` or `answer to call 3` for what somebody sent on. */
  readonly from: string
  readonly fields: Fields
  /** `OK` or the code of the refusal. */
  readonly code: string
  readonly outcome: Fields
  /** It trapped twice and was refused for that. */
  readonly faulted: boolean
}

/** What a record sends on. */
export interface ShownEffect {
  /** A partition, or `outside`. */
  readonly to: string
  /** Its number among the sender's effects to this receiver. */
  readonly number: string
  readonly kind: string
  readonly id: string | null
  readonly fields: Fields
}

/** A record, decoded. */
export interface ShownRecord {
  readonly partition: string
  readonly sequence: string
  readonly at: string
  readonly behaviour: number
  readonly commands: readonly ShownCommand[]
  readonly effects: readonly ShownEffect[]
}

/** Which commands and effects of a record are shown; all without it. */
export interface Selection {
  readonly commands: ReadonlySet<number>
  readonly effects: ReadonlySet<number>
}

const fromOf = (topology: Topology, input: Uint8Array): string => {
  const { origin, sender, sequence } = decodeHeader(input)
  if (origin === commandOrigins.outside) return `answer to call ${sequence}`
  if (origin !== commandOrigins.partition) return originName(input)
  return `${partitionTitle(topology, sender)} effect ${sequence}`
}

const effectOf = (topology: Topology, { receiver, number, bytes }: NumberedEffect): ShownEffect => {
  if (receiver === OUTSIDE_RECEIVER)
    return { to: 'outside', number: String(number), id: null, ...decodeOutsideCall(bytes) }
  return {
    to: partitionTitle(topology, receiver),
    number: String(number),
    id: hexOrNull(decodeHeader(bytes).id),
    ...decodeCommand(partitionParts(receiver).machine, bytes),
  }
}

/** Decodes a record, or what is selected of it. */
export const shownRecord = (topology: Topology, record: JournalRecord, selection?: Selection): ShownRecord => {
  const { machine } = partitionParts(record.partition)
  const commands = record.inputs.flatMap((input, index): ShownCommand[] => {
    if (selection !== undefined && !selection.commands.has(index)) return []
    const { code, fields: outcome } = decodeOutcome(machine, record.outcomes[index]!)
    const faulted = record.faulted.includes(index)
    const id = hexOrNull(decodeHeader(input).id)
    return [{ index, id, from: fromOf(topology, input), ...decodeCommand(machine, input), code, outcome, faulted }]
  })
  return {
    partition: partitionTitle(topology, record.partition),
    sequence: String(record.sequence),
    at: moment(record.now),
    behaviour: record.behaviour,
    commands,
    effects: record.effects
      .filter((_, index) => selection === undefined || selection.effects.has(index))
      .map((effect) => effectOf(topology, effect)),
  }
}
