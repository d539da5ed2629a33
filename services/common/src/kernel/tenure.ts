import type { Logger } from 'pino'
import type { Bus } from '../ports/bus.ts'
import type { Clock } from '../ports/clock.ts'
import type { BatchTracer } from './batch-trace.ts'
import { createEffectSender, type EffectSender } from './effect-sender.ts'
import { createInbox, type Inbox } from './inbox.ts'
import { createIntake, type Intake, type IntakeCounts } from './intake.ts'
import type { PartitionNumber } from './partition.ts'
import { createReads, type Reads } from './reads.ts'
import { writerMark } from './record.ts'

/** What an acquisition of the partition begins anew: nothing of a former one can reach it. */
export interface Tenure<Observation> {
  readonly inbox: Inbox<Observation>
  readonly sender: EffectSender
  readonly reads: Reads
  readonly intake: Intake<Observation>
  /** What tells the records of this tenure from any other's. */
  readonly writer: ReturnType<typeof writerMark>
}

/** Makes what an acquisition begins anew; `wake` wakes the runner. */
export const createTenure = <Observation>(deps: {
  readonly partition: PartitionNumber
  readonly bus: Bus
  readonly clock: Clock
  readonly logger: Logger
  readonly counts: IntakeCounts
  readonly isStopping: () => boolean
  readonly wake: () => void
  readonly onSettled: ((seconds: number) => void) | undefined
  readonly tracing: BatchTracer<Observation> | null
}): Tenure<Observation> => {
  const { partition, bus, clock, counts, logger, isStopping, wake, onSettled, tracing } = deps
  const inbox = createInbox<Observation>(wake)
  const nowMs = (): number => clock.monotonicMs()
  const sender = createEffectSender({ partition, bus, nowMs, onConfirmed: () => reads.confirmed(), onSettled })
  const reads: Reads = createReads({ sender, nowMs })
  const intake = createIntake({ inbox, sender, counts, logger, nowMs, isStopping, onRead: wake, tracing })
  return { inbox, sender, reads, intake, writer: writerMark(clock.nowMs(), clock.monotonicMs()) }
}
