import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { eventKind } from './kinds.ts'
import { microTimeOf } from './times.ts'
import { KubeApiError } from './types.ts'
import type { KubeClient, KubeObject, Recorder } from './types.ts'

/** Different events that are remembered; beyond it new ones are dropped and counted. */
export const EVENTS_MAX = 1_000
/** Bytes of a note that the API server takes. */
export const NOTE_BYTES_MAX = 1_024
/** A repeat within this time after the last one counts in the same event. */
export const SERIES_MS = 6 * 60_000
/** One event is written no more often than this. */
export const WRITE_INTERVAL_MS = 10_000
/** How often the queue is looked at. */
export const FLUSH_INTERVAL_MS = 1_000
/** A write that fails is tried this often in all; then the event is dropped and counted. */
export const WRITE_ATTEMPTS_MAX = 5

/** A recorder with an end. */
export interface RunningRecorder extends Recorder {
  /** Writes what is left, once, and ends. */
  stop(): Promise<void>
}

/** What a recorder needs. */
export interface RecorderOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** `bourse.dev/operator`. */
  readonly component: string
  /** This process: the pod's name. */
  readonly instance: string
}

interface Remembered {
  readonly name: string
  readonly about: KubeObject
  readonly event: Parameters<Recorder['event']>[1]
  readonly firstMs: number
  lastMs: number
  count: number
  writtenCount: number
  writtenAtMs: number
  failures: number
}

const clip = (note: string): string => {
  const bytes = Buffer.from(note)
  if (bytes.length <= NOTE_BYTES_MAX) return note
  // A character cut in two would be longer as its replacement: three bytes are left for it.
  return bytes.subarray(0, NOTE_BYTES_MAX - 3).toString('utf8')
}

const newEventOf = (entry: Remembered, namespace: string, component: string, instance: string) => {
  const { about, event } = entry
  const { name, uid } = about.metadata
  return {
    apiVersion: eventKind.apiVersion,
    kind: eventKind.kind,
    metadata: { name: entry.name, namespace },
    eventTime: microTimeOf(entry.firstMs),
    reportingController: component,
    reportingInstance: instance.slice(0, 128),
    action: event.action,
    reason: event.reason,
    type: event.type,
    regarding: { apiVersion: about.apiVersion, kind: about.kind, namespace, name, uid },
    note: clip(event.note),
  }
}

/** Writes events in the background: the first of a kind soon, repeats of it as a count, no more often than every 10 s. */
export const createRecorder = (options: RecorderOptions): RunningRecorder => {
  const { client, clock, random, logger, metrics, component, instance } = options
  const entries = new Map<string, Remembered>()
  const dropped = metrics.counter('bourse_operator_events_dropped_total')
  for (const reason of ['failed', 'full']) dropped.inc({ reason }, 0)

  const write = async (entry: Remembered): Promise<void> => {
    const { count } = entry
    if (entry.writtenCount === 0)
      await client.create(eventKind, newEventOf(entry, client.namespace, component, instance))
    if (count > 1) {
      const series = { count, lastObservedTime: microTimeOf(entry.lastMs) }
      await client.patch(eventKind, entry.name, [{ op: 'add', path: '/series', value: series }])
    }
    entry.writtenCount = count
    entry.writtenAtMs = clock.monotonicMs()
    entry.failures = 0
  }

  /** One failed write is tried again with the next flush; the server's event may have expired, then a new one is made. */
  const tryWrite = async (key: string, entry: Remembered): Promise<void> => {
    try {
      await write(entry)
    } catch (error) {
      entry.failures += 1
      const status = error instanceof KubeApiError ? error.status : 0
      if (status === 409) entry.writtenCount = 1
      if (entry.failures < WRITE_ATTEMPTS_MAX && status !== 404) return
      entries.delete(key)
      dropped.inc({ reason: 'failed' })
      logger.warn({ error, reason: entry.event.reason }, 'an event could not be written')
    }
  }

  const flush = async (isLast: boolean): Promise<void> => {
    for (const [key, entry] of entries) {
      const nowMs = clock.monotonicMs()
      const isDue = isLast || entry.writtenCount === 0 || nowMs - entry.writtenAtMs >= WRITE_INTERVAL_MS
      if (entry.count > entry.writtenCount && isDue) await tryWrite(key, entry)
      else if (clock.nowMs() - entry.lastMs > SERIES_MS) entries.delete(key)
    }
  }
  const flushing = clock.every(
    FLUSH_INTERVAL_MS,
    () => flush(false),
    (error) => logger.error({ error }, 'the recorder of events failed'),
  )

  return {
    event(about, event) {
      const key = JSON.stringify([about.metadata.uid, event.type, event.reason, event.action, event.note])
      const nowMs = clock.nowMs()
      const known = entries.get(key)
      if (known !== undefined) {
        known.count += 1
        known.lastMs = nowMs
        return
      }
      if (entries.size >= EVENTS_MAX) return void dropped.inc({ reason: 'full' })
      const name = `${about.metadata.name.slice(0, 200)}.${Buffer.from(random.bytes(8)).toString('hex')}`
      const times = { firstMs: nowMs, lastMs: nowMs, writtenAtMs: -WRITE_INTERVAL_MS }
      entries.set(key, { name, about, event, ...times, count: 1, writtenCount: 0, failures: 0 })
    },
    async stop() {
      await flushing.stop()
      await flush(true)
    },
  }
}
