import type { Logger } from 'pino'
import type { Delivery } from '../ports/bus.ts'
import type { BatchTracer } from './batch-trace.ts'
import { decodeHeader, shownCommandId } from './command.ts'
import { EFFECTS_UNCONFIRMED_MAX, type EffectSender } from './effect-sender.ts'
import { faultOfCommand, type Inbox, type InboxItem } from './inbox.ts'
import { RESOLVING_MAX } from './runner-types.ts'

const NOTHING = new Uint8Array(0)
/** The reply to what this partition can't take or answer now. */
export const UNAVAILABLE = { status: 'unavailable', sequence: 0n, body: NOTHING } as const
/** The reply to what may be in the journal, or come into it yet. */
export const UNKNOWN = { status: 'unknown', sequence: 0n, body: NOTHING } as const
/** The reply to what is one too many. */
export const OVERLOADED = { status: 'overloaded', sequence: 0n, body: NOTHING } as const

/**
 * Takes what the bus delivers. One intake lives as long as one acquisition of the partition: what a former one still
 * brings (a late delivery, inputs that were being fetched) ends in its own inbox, which nobody empties any more, and
 * returns to the queue unacknowledged.
 */
export interface Intake<Observation> {
  /** Sorts a delivery: confirmations at once, reads and commands to wait for their turn. */
  take(delivery: Delivery): void
  /** A command whose inputs are being fetched: it waits for its turn again once they are there. */
  awaitResolved(item: InboxItem<Observation> & { kind: 'delivery' }, resolved: Promise<Uint8Array>): void
  /** Reads that no append or head read covers yet, in order. The runner takes them from the front. */
  readonly reads: Delivery[]
  /** Answers the first `count` reads that they can't be answered now. */
  refuseReads(count: number): void
}

/** Counts that the intake keeps for the status. */
export interface IntakeCounts {
  overloaded: number
  deadLetters: number
}

/** Makes an intake; `onRead` wakes the runner. */
export const createIntake = <Observation>(deps: {
  readonly inbox: Inbox<Observation>
  readonly sender: EffectSender
  readonly counts: IntakeCounts
  readonly logger: Logger
  readonly nowMs: () => number
  readonly isStopping: () => boolean
  readonly onRead: () => void
  readonly tracing: Pick<BatchTracer<Observation>, 'read'> | null
}): Intake<Observation> => {
  const { inbox, sender, counts } = deps
  const reads: Delivery[] = []
  let resolving = 0

  const takeCommand = (delivery: Delivery): void => {
    const { message } = delivery
    const fault = faultOfCommand(delivery)
    if (fault !== null) {
      counts.deadLetters += 1
      delivery.deadLetter(fault)
      return
    }
    if (message.type === 'command' && (sender.unconfirmed() > EFFECTS_UNCONFIRMED_MAX || resolving >= RESOLVING_MAX)) {
      counts.overloaded += 1
      delivery.reply(OVERLOADED)
      delivery.acknowledge()
      return
    }
    const arrivedMs = deps.nowMs()
    const expiresAtMs = message.deadlineMs === undefined ? Infinity : arrivedMs + message.deadlineMs
    inbox.push({ kind: 'delivery', delivery, command: message.body, expiresAtMs, resolved: false, arrivedMs })
  }

  return {
    reads,
    refuseReads: (count) => {
      for (const read of reads.splice(0, count)) {
        read.reply(UNAVAILABLE)
        read.acknowledge()
      }
    },
    take: (delivery) => {
      const { message } = delivery
      if (message.type === 'confirmation') {
        sender.confirm(message.sender ?? 0, message.sequence ?? 0n)
        delivery.acknowledge()
        return
      }
      // Stopping: what comes now stays unacknowledged and returns to the queue with the consumer.
      if (deps.isStopping()) return
      if (message.type === 'read') {
        reads.push(deps.tracing?.read(delivery) ?? delivery)
        deps.onRead()
      } else takeCommand(delivery)
    },
    awaitResolved: (item, resolved) => {
      resolving += 1
      resolved
        .then(
          (command) => inbox.push({ ...item, command, resolved: true }),
          (error: unknown) => {
            const commandId = shownCommandId(decodeHeader(item.command).id)
            deps.logger.error({ err: error, commandId }, 'an input from outside could not be resolved')
            item.delivery.reply(UNAVAILABLE)
            item.delivery.acknowledge()
          },
        )
        .finally(() => {
          resolving -= 1
        })
    },
  }
}
