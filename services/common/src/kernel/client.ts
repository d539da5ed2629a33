import { codeOfNumber, ok, refuse, type Result } from '../errors/codes.ts'
import type { Bus, BusMessage, BusReply } from '../ports/bus.ts'
import { PortError } from '../ports/failure.ts'
import { decodeOutcomeHeader } from './outcome.ts'
import type { PartitionNumber } from './partition.ts'

/** An answer of a partition: the sequence of the record or state behind it, and the outcome's bytes. */
export interface PartitionAnswer {
  readonly sequence: bigint
  readonly outcome: Uint8Array
}

/**
 * How edges and sagas talk to partitions. A refusal here is of the transport; the machine's own is in the outcome's
 * code.
 */
export interface PartitionClient {
  /** Orders a command. `UNAVAILABLE` may mean that it was executed: repeat it with the same id. */
  command(partition: PartitionNumber, command: Uint8Array, deadlineMs: number): Promise<Result<PartitionAnswer>>
  /**
   * A strong read. With `parkMs` a pending answer waits that long for its id to be settled; with `flushedTo` it is
   * answered
   * once every effect to that partition decided so far is journaled there.
   */
  read(partition: PartitionNumber, question: Uint8Array, options: ReadOptions): Promise<Result<PartitionAnswer>>
}

/** Options of a strong read. */
export interface ReadOptions {
  readonly deadlineMs: number
  readonly parkMs?: number
  readonly flushedTo?: PartitionNumber
}

/** Headers of a read message that the runner understands. */
export const READ_HEADER_PARK_MS = 'bourse-park-ms'
/** See READ_HEADER_PARK_MS. */
export const READ_HEADER_FLUSHED_TO = 'bourse-flushed-to'

const answerOf = (reply: BusReply): Result<PartitionAnswer> => {
  if (reply.status === 'overloaded') return refuse('UNAVAILABLE', 'the partition is overloaded; try again', 1)
  if (reply.status === 'unavailable')
    return refuse('UNAVAILABLE', 'the partition is not served right now; try again', 1)
  return ok({ sequence: reply.sequence, outcome: reply.body })
}

/** Makes a client on a bus. `traceHeaders` gives what travels beside each message. */
export const createPartitionClient = (deps: {
  readonly bus: Bus
  readonly traceHeaders?: () => Readonly<Record<string, string>>
}): PartitionClient => {
  const ask = async (
    partition: PartitionNumber,
    message: BusMessage & { readonly deadlineMs: number },
  ): Promise<Result<PartitionAnswer>> => {
    try {
      return answerOf(await deps.bus.request(partition, message))
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      return refuse('UNAVAILABLE', `no answer from the partition (${error.kind}); repeat with the same id`, 1)
    }
  }
  return {
    command: (partition, command, deadlineMs) =>
      ask(partition, { type: 'command', body: command, deadlineMs, headers: deps.traceHeaders?.() ?? {} }),
    read: (partition, question, options) => {
      const headers: Record<string, string> = { ...deps.traceHeaders?.() }
      if (options.parkMs !== undefined) headers[READ_HEADER_PARK_MS] = String(options.parkMs)
      if (options.flushedTo !== undefined) headers[READ_HEADER_FLUSHED_TO] = String(options.flushedTo)
      return ask(partition, { type: 'read', body: question, deadlineMs: options.deadlineMs, headers })
    },
  }
}

/** The code of an outcome. */
export const codeOfOutcome = (outcome: Uint8Array): ReturnType<typeof codeOfNumber> =>
  codeOfNumber(decodeOutcomeHeader(outcome).code)
