import type { Clock, Repeating } from '../ports/clock.ts'
import { PortError } from '../ports/failure.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** How often the adapters are asked what they counted, ms. */
export const SERVER_METRICS_INTERVAL_MS = 1_000
/** How often the clocks are compared, ms. */
export const CLOCK_OFFSET_INTERVAL_MS = 5_000
/** Times a server's clock is read for one comparison; the quickest answer counts. */
const CLOCK_READINGS = 3

/** What may become of a message at the broker. */
export type MessageFate = 'published' | 'confirmed' | 'refused' | 'returned' | 'redelivered' | 'dead_lettered'

/** What a process knows of a server that it works with. */
export interface MeasuredServer {
  readonly server: 'rabbitmq' | 'mongodb' | 'redis'
  /** Each connection's name, and whether it works at the moment. */
  readonly connections?: () => Readonly<Record<string, boolean>>
  /** Numbers that only rise, by name; they may lie in groups. */
  readonly counts: () => object
  /** What waits at the moment, by name. */
  readonly waiting?: () => Readonly<Record<string, number>>
  /** What became of messages, counted since the start. */
  readonly messages?: () => Readonly<Record<MessageFate, number>>
  /** What the server takes for the present, ms; null when it tells no time. @throws {PortError} when it does not answer */
  readonly timeMs?: () => Promise<number | null>
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** `{ commands: { bufferFull: 3 } }` as `commands_buffer_full`, 3. */
const flat = function* (counts: object, prefix = ''): Generator<readonly [string, number]> {
  for (const [name, value] of Object.entries(counts) as [string, unknown][]) {
    const full = `${prefix}${snakeCase(name)}`
    if (typeof value === 'number') yield [full, value]
    else if (typeof value === 'object' && value !== null) yield* flat(value, `${full}_`)
  }
}

/** Best of a few readings of a server's time: our clock less its own, s; null where the server tells none. */
const offsetSeconds = async (timeMs: () => Promise<number | null>, clock: Clock): Promise<number | null> => {
  let best: { readonly doubtMs: number; readonly offsetMs: number } | null = null
  for (let reading = 0; reading < CLOCK_READINGS; reading++) {
    const [startMs, startMonotonicMs] = [clock.nowMs(), clock.monotonicMs()]
    const serverMs = await timeMs()
    if (serverMs === null) return null
    const doubtMs = (clock.monotonicMs() - startMonotonicMs) / 2
    if (best === null || doubtMs < best.doubtMs) best = { doubtMs, offsetMs: startMs + doubtMs - serverMs }
  }
  return best === null ? null : best.offsetMs / 1_000
}

/** Shows how far this process's clock is from those of the servers that tell the time. */
const createClockShow = (servers: readonly MeasuredServer[], metrics: Metrics, clock: Clock): (() => Promise<void>) => {
  const offsets = metrics.gauge('bourse_clock_offset_seconds')
  return async () => {
    for (const { server, timeMs } of servers) {
      if (timeMs === undefined) continue
      try {
        const seconds = await offsetSeconds(timeMs, clock)
        if (seconds !== null) offsets.set({ server }, seconds)
      } catch (error) {
        if (!(error instanceof PortError)) throw error
        // It does not answer: how far apart the clocks are is not known any more.
        offsets.remove({ server })
      }
    }
  }
}

/** Numbers that rise elsewhere, by key: calls `add` with what came on top since the last look. */
const createRising = (): ((key: string, value: number, add: (more: number) => void) => void) => {
  const seen = new Map<string, number>()
  return (key, value, add) => {
    const more = value - (seen.get(key) ?? 0)
    // The first look shows a 0, too: of a series that appears with its first event nobody sees the increase.
    if (more > 0 || !seen.has(key)) add(Math.max(more, 0))
    seen.set(key, value)
  }
}

/** Shows what the adapters of backing services count, what became of messages, and how far the clocks are apart. */
export const startServerMetrics = (deps: {
  readonly servers: readonly MeasuredServer[]
  readonly metrics: Metrics
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}): Repeating => {
  const { servers, metrics, clock, onError } = deps
  const events = metrics.counter('bourse_server_events_total')
  const messages = metrics.counter('bourse_bus_messages_total')
  const connected = metrics.gauge('bourse_server_connected')
  const waiting = metrics.gauge('bourse_server_waiting')
  const rising = createRising()

  const show = ({ server, connections, counts, waiting: waits, messages: fates }: MeasuredServer): void => {
    for (const [connection, works] of Object.entries(connections?.() ?? {}))
      connected.set({ server, connection }, works ? 1 : 0)
    for (const [what, value] of Object.entries(waits?.() ?? {})) waiting.set({ server, what: snakeCase(what) }, value)
    for (const [event, value] of flat(counts()))
      rising(`${server} ${event}`, value, (more) => events.inc({ server, event }, more))
    for (const [event, value] of Object.entries(fates?.() ?? {}))
      rising(`message ${event}`, value, (more) => messages.inc({ event }, more))
  }
  const collect = (): void => {
    for (const server of servers) show(server)
  }
  collect()
  const counting = clock.every(SERVER_METRICS_INTERVAL_MS, collect, onError)
  const comparing = clock.every(CLOCK_OFFSET_INTERVAL_MS, createClockShow(servers, metrics, clock), onError)
  return { stop: async () => void (await Promise.all([counting.stop(), comparing.stop()])) }
}
