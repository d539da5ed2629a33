import type { Logger } from 'pino'
import type { BusMessage } from '../ports/bus.ts'
import type { InboxItem } from './inbox.ts'
import type { BatchTimes, PartitionObserver } from './observer.ts'
import type { JournalRecord } from './record.ts'

/** An observer that can't harm the partition it looks at. */
export interface Watched<Observation> {
  /** A record was appended and released; `sources` tell where each of its inputs came from. */
  recorded(
    record: JournalRecord,
    sources: readonly (InboxItem<Observation> | null)[],
    times: Omit<BatchTimes, 'arrivedMs'>,
  ): void
  settled(seconds: number): void
}

/** Wraps an observer: what it throws is logged and dropped. */
export const createWatched = <Observation>(observer: PartitionObserver, logger: Logger): Watched<Observation> => {
  const guarded = (tell: () => void): void => {
    try {
      tell()
    } catch (error) {
      logger.error({ err: error }, 'an observer of the partition threw')
    }
  }
  return {
    recorded: (record, sources, times) =>
      guarded(() => {
        let arrivedMs: number | null = null
        const messages = sources.map((source): BusMessage | null => {
          if (source?.kind !== 'delivery') return null
          if (arrivedMs === null || source.arrivedMs < arrivedMs) arrivedMs = source.arrivedMs
          return source.delivery.message
        })
        observer.recorded({ record, times: { ...times, arrivedMs }, messages })
      }),
    settled: (seconds) => guarded(() => observer.settled(seconds)),
  }
}
