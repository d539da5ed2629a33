import { expect, test } from '@jest/globals'
import { PortError } from '@bourse/common/ports/failure.ts'
import {
  CLOCK_OFFSET_INTERVAL_MS,
  SERVER_METRICS_INTERVAL_MS,
  startServerMetrics,
} from '@bourse/common/process/server-metrics.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'

test('what an adapter counts, also in groups, is shown by server and event, and only what came on top is added', async () => {
  const metrics = createMetrics()
  const clock = createManualClock(0)
  const counts = { commands: { bufferFull: 2, sent: 10 }, reconnects: 0 }
  let works = true
  const servers = [
    {
      server: 'rabbitmq' as const,
      connections: () => ({ commands: works }),
      counts: () => counts,
      waiting: () => ({ openRequests: 7 }),
    },
  ]
  const repeating = startServerMetrics({
    servers,
    metrics,
    clock,
    onError: (error) => {
      throw error
    },
  })
  counts.commands.bufferFull = 5
  works = false
  await clock.advance(SERVER_METRICS_INTERVAL_MS)
  const { text } = await metrics.expose()
  expect(text).toContain('bourse_server_events_total{server="rabbitmq",event="commands_buffer_full"} 5')
  expect(text).toContain('bourse_server_events_total{server="rabbitmq",event="commands_sent"} 10')
  expect(text).toContain('bourse_server_events_total{server="rabbitmq",event="reconnects"} 0')
  expect(text).toContain('bourse_server_connected{server="rabbitmq",connection="commands"} 0')
  expect(text).toContain('bourse_server_waiting{server="rabbitmq",what="open_requests"} 7')
  await repeating.stop()
})

test('clocks are compared by the quickest reading; a server that does not answer is not shown any more', async () => {
  const metrics = createMetrics()
  const clock = createManualClock(1_000_000)
  let failure: PortError | null = null
  const mongodb = { server: 'mongodb' as const, counts: () => ({}), timeMs: () => Promise.resolve(null) }
  const redis = {
    server: 'redis' as const,
    counts: () => ({}),
    timeMs: () => (failure === null ? Promise.resolve(clock.nowMs() - 250) : Promise.reject(failure)),
  }
  const onError = (error: unknown) => {
    throw error
  }
  const repeating = startServerMetrics({ servers: [mongodb, redis], metrics, clock, onError })
  await clock.advance(CLOCK_OFFSET_INTERVAL_MS)
  const { text } = await metrics.expose()
  expect(text).toContain('bourse_clock_offset_seconds{server="redis"} 0.25\n')
  expect(text).not.toContain('bourse_clock_offset_seconds{server="mongodb"}')
  failure = new PortError('unavailable', 'it is gone')
  await clock.advance(CLOCK_OFFSET_INTERVAL_MS)
  expect((await metrics.expose()).text).not.toContain('bourse_clock_offset_seconds{')
  await repeating.stop()
})

test('messages are counted by what became of them, from 0 on', async () => {
  const metrics = createMetrics()
  const clock = createManualClock(0)
  const fates = { published: 0, confirmed: 0, refused: 0, returned: 0, redelivered: 0, dead_lettered: 0 }
  const servers = [{ server: 'rabbitmq' as const, counts: () => ({}), messages: () => fates }]
  const onError = (error: unknown) => {
    throw error
  }
  const repeating = startServerMetrics({ servers, metrics, clock, onError })
  expect((await metrics.expose()).text).toContain('bourse_bus_messages_total{event="returned"} 0\n')
  Object.assign(fates, { published: 5, confirmed: 4, returned: 1 })
  await clock.advance(2 * SERVER_METRICS_INTERVAL_MS)
  const { text } = await metrics.expose()
  expect(text).toContain('bourse_bus_messages_total{event="published"} 5\n')
  expect(text).toContain('bourse_bus_messages_total{event="returned"} 1\n')
  await repeating.stop()
})
