import { commandOrigins, decodeHeader, NO_ID } from '../kernel/command.ts'
import { decodeOutcomeHeader } from '../kernel/outcome.ts'
import type { JournalRecord } from '../kernel/record.ts'
import { refusalNumbers } from '../errors/codes.ts'
import type { Views, ViewWrite } from '../ports/views.ts'
import { commandModel, type CommandView } from './models.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Outcomes that were not remembered under the id, so that the client may try it again. */
const notRemembered: ReadonlySet<number> = new Set([refusalNumbers.IDEMPOTENCY_CONFLICT, refusalNumbers.UNAVAILABLE])

/**
 * The `commands` writes of a record: each executed client command with an id, and its first outcome. `isFinal` says
 * whether
 * this machine's outcome is the one a client gets (a hold that sends a command on is not).
 */
export const commandWrites = (
  record: JournalRecord,
  isFinal: (input: Uint8Array, outcome: Uint8Array) => boolean,
): ViewWrite[] => {
  const writes: ViewWrite[] = []
  record.inputs.forEach((input, index) => {
    const header = decodeHeader(input)
    const outcome = record.outcomes[index]!
    const { code } = decodeOutcomeHeader(outcome)
    if (Buffer.compare(header.id, NO_ID) === 0 || header.origin > commandOrigins.partition || notRemembered.has(code))
      return
    if (!isFinal(input, outcome)) return
    writes.push({
      kind: 'insert',
      model: commandModel,
      id: hexOf(header.id),
      fields: {
        partition: record.partition,
        sequence: record.sequence,
        requestHash: hexOf(header.requestHash),
        kind: header.kind,
        code,
        atMs: Number(record.now),
        outcome: Buffer.from(outcome).toString('base64'),
      },
    })
  })
  return writes
}

/** The first outcome of an id that may have left the machines' memory, or null when the views know nothing of it. */
export const rememberedCommand = async (
  views: Views,
  id: Uint8Array,
): Promise<{ readonly view: CommandView; readonly outcome: Uint8Array } | null> => {
  const view = await views.get(commandModel, hexOf(id))
  return view === null ? null : { view, outcome: new Uint8Array(Buffer.from(view.outcome, 'base64')) }
}
