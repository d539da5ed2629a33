import type { PartitionNumber } from '../kernel/partition.ts'

/** What a message is for. */
export const messageTypes = ['command', 'effect', 'confirmation', 'read'] as const
/** One of the types. `effect` is a command from another partition, `confirmation` tells its sender it was journaled. */
export type MessageType = (typeof messageTypes)[number]

/** A message to a partition. */
export interface BusMessage {
  readonly type: MessageType
  readonly body: Uint8Array
  /** The sending partition, for `effect` and `confirmation`. */
  readonly sender?: PartitionNumber
  /** The number of the effect, for `effect` and `confirmation`. */
  readonly sequence?: bigint
  /**
   * How long the asker waits; after it the message may be dropped unhandled. For `read`: how long it may stay parked.
   */
  readonly deadlineMs?: number
  /** W3C trace context and the like; never part of any decision. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A reply to a command or read. */
export interface BusReply {
  /** `ok` carries a body; the others say why there is none: of `unknown` it is open whether it was executed. */
  readonly status: 'ok' | 'unavailable' | 'overloaded' | 'unknown'
  /** Sequence of the record that holds the outcome, or of the state the read saw. */
  readonly sequence: bigint
  readonly body: Uint8Array
}

/** A message in the hands of the partition's consumer. */
export interface Delivery {
  readonly message: BusMessage
  /** 1 for the first delivery, more when it was delivered before. */
  readonly attempt: number
  /** The message is dealt with and never comes again. */
  acknowledge(): void
  /** The message comes again, to this or another consumer, in its old place. */
  requeue(): void
  /** Can't be understood: kept aside with envelope and reason, never delivered again. */
  deadLetter(reason: string): void
  /** Answers the asker, if there is one; a lost asker is no error. */
  reply(reply: BusReply): void
}

/** A message that was set aside. */
export interface DeadLetter {
  readonly id: string
  readonly partition: PartitionNumber
  readonly reason: string
  readonly message: BusMessage
  readonly atMs: number
}

/** A running consumer of one partition. */
export interface Consumer {
  /** No new deliveries; what is unacknowledged returns to the queue. */
  stop(): Promise<void>
}

/**
 * Bus: commands to partitions and their replies.
 *
 * B1 `send` resolves only when the bus is responsible for the message; a failure means it may or may not arrive.
 * B2 Messages of one sender to one partition arrive in the order their `send` was called, redelivered ones in their old
 *    place.
 * B3 At least once: what is not acknowledged when its consumer stops or dies comes again, `attempt` raised; what the stopped
 *    consumer says about it afterwards is void.
 * B4 One consumer at a time per partition; a second one gets nothing until the first has stopped.
 * B5 `request` resolves with the reply, or fails `timeout` after `deadlineMs`; the command may have been executed all
 *    the same. It fails `full` or `unavailable` only where the partition never gets the message.
 * B6 Bodies round-trip byte for byte, sequences as 64-bit integers.
 * B7 A partition's queue is bounded; beyond it `send` and `request` fail `full`, at once.
 * B8 A message to a partition nobody consumes waits in its queue.
 * B9 Unacknowledged deliveries per consumer never exceed `inFlightMax`.
 * B10 A dead letter keeps its envelope and its reason and is never delivered again unless resent; `deadLetterCount` tells how
 *    many there are without bringing them.
 * B11 Calls after `close` fail `closed`.
 * B12 A handler that throws does not end the consumer: the message is requeued.
 */
export interface Bus {
  send(partition: PartitionNumber, message: BusMessage): Promise<void>
  /** `onTaken` hears when the bus is responsible for the message, if that is known before the reply. */
  request(
    partition: PartitionNumber,
    message: BusMessage & { readonly deadlineMs: number },
    onTaken?: () => void,
  ): Promise<BusReply>
  consume(
    partition: PartitionNumber,
    handler: (delivery: Delivery) => void,
    options: { readonly inFlightMax: number },
  ): Promise<Consumer>
  deadLetters(limit: number): Promise<readonly DeadLetter[]>
  deadLetterCount(): Promise<number>
  resend(deadLetterId: string): Promise<boolean>
  close(): Promise<void>
}
