import { codeOfNumber, type Refusal, type Result } from '../errors/codes.ts'
import type { Bus, BusMessage, BusReply } from '../ports/bus.ts'
import { PortError, type FailureKind } from '../ports/failure.ts'
import { decodeOutcomeHeader } from './outcome.ts'
import type { PartitionNumber } from './partition.ts'

/** An answer of a partition: the sequence of the record or state behind it, and the outcome's bytes. */
export interface PartitionAnswer {
  readonly sequence: bigint
  readonly outcome: Uint8Array
}

/** A refusal on the way to a partition. */
export interface TransportRefusal extends Refusal {
  readonly code: 'UNAVAILABLE'
  /**
   * True: it may have been executed, or be executed yet; ask, or repeat it with the same id. False: the partition turned it away
   * or never got it.
   */
  readonly isOpen: boolean
}

/** What came of sending something to a partition. */
export type PartitionResult =
  { readonly ok: true; readonly value: PartitionAnswer } | { readonly ok: false; readonly refusal: TransportRefusal }

/**
 * How edges and sagas talk to partitions. A refusal here is of the transport; the machine's own is in the outcome's
 * code.
 */
export interface PartitionClient {
  /** Orders a command; a refusal that is open may mean that it was executed. */
  command(partition: PartitionNumber, command: Uint8Array, deadlineMs: number): Promise<PartitionResult>
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

const refused = (message: string, isOpen: boolean): PartitionResult => ({
  ok: false,
  refusal: { code: 'UNAVAILABLE', message, retryAfterSeconds: 1, isOpen },
})

const answerOf = ({ status, sequence, body }: BusReply): PartitionResult => {
  switch (status) {
    case 'ok':
      return { ok: true, value: { sequence, outcome: body } }
    case 'overloaded':
      return refused('the partition is overloaded; try again', false)
    case 'unavailable':
      return refused('the partition is not served right now; try again', false)
    case 'unknown':
      return refused('the partition stopped while it wrote; repeat with the same id', true)
  }
}

/** Failures of a request whose message the partition never gets (B5). */
const NEVER_SENT: ReadonlySet<FailureKind> = new Set(['full', 'unavailable'])

/** Makes a client on a bus. */
export const createPartitionClient = (deps: { readonly bus: Bus }): PartitionClient => {
  const ask = async (
    partition: PartitionNumber,
    message: BusMessage & { readonly deadlineMs: number },
  ): Promise<PartitionResult> => {
    try {
      return answerOf(await deps.bus.request(partition, message))
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      const isOpen = !NEVER_SENT.has(error.kind)
      return refused(`no answer from the partition (${error.kind}); repeat with the same id`, isOpen)
    }
  }
  return {
    command: (partition, command, deadlineMs) =>
      ask(partition, { type: 'command', body: command, deadlineMs, headers: {} }),
    read: (partition, question, options) => {
      const headers: Record<string, string> = {}
      if (options.parkMs !== undefined) headers[READ_HEADER_PARK_MS] = String(options.parkMs)
      if (options.flushedTo !== undefined) headers[READ_HEADER_FLUSHED_TO] = String(options.flushedTo)
      return ask(partition, { type: 'read', body: question, deadlineMs: options.deadlineMs, headers })
    },
  }
}

/** The code of an outcome. */
export const codeOfOutcome = (outcome: Uint8Array): ReturnType<typeof codeOfNumber> =>
  codeOfNumber(decodeOutcomeHeader(outcome).code)
