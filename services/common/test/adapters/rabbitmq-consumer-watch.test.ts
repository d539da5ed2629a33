import { describe, expect, test } from '@jest/globals'
import type { ConfirmChannel } from 'amqplib'
import { WATCH_INTERVAL_MS, watchConsumer } from '../../src/adapters/rabbitmq/bus-consumer-watch.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'

/** A channel of which a watch asks one thing. */
const channelWith = (ask: () => Promise<{ consumerCount: number }>): ConfirmChannel =>
  ({ checkQueue: ask }) as unknown as ConfirmChannel

const createWorld = (consumerCount: number) => {
  const clock = createManualClock(0)
  const state = { asked: 0, forgotten: 0, arrived: 0, consumerCount, channel: null as ConfirmChannel | null }
  state.channel = channelWith(async () => {
    state.asked += 1
    return { consumerCount: state.consumerCount }
  })
  const watch = watchConsumer({
    clock,
    queueName: 'queue',
    channel: () => state.channel,
    arrived: () => state.arrived,
    onForgotten: () => void (state.forgotten += 1),
  })
  const look = async (): Promise<void> => {
    await clock.advance(WATCH_INTERVAL_MS)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { state, watch, look }
}

describe('the watch over a consumer of RabbitMQ', () => {
  test('tells of a queue that has no consumer', async () => {
    const { state, watch, look } = createWorld(0)
    // A channel that is new at a look has had no time to consume.
    await look()
    expect(state).toMatchObject({ asked: 0, forgotten: 0 })
    await look()
    expect(state).toMatchObject({ asked: 1, forgotten: 1 })
    await watch.stop()
  })

  test('asks nothing while messages come, nor without a channel, and says nothing while the queue has its consumer', async () => {
    const { state, watch, look } = createWorld(0)
    await look()
    for (let count = 0; count < 3; count++) {
      state.arrived += 1
      await look()
    }
    expect(state.asked).toBe(0)
    state.consumerCount = 1
    await look()
    expect(state).toMatchObject({ asked: 1, forgotten: 0 })
    state.channel = null
    await look()
    await look()
    expect(state.asked).toBe(1)
    await watch.stop()
  })

  test('leaves a channel alone that another has replaced while it was asked', async () => {
    const { state, watch, look } = createWorld(0)
    const answer = Promise.withResolvers<{ consumerCount: number }>()
    state.channel = channelWith(() => answer.promise)
    await look()
    await look()
    state.channel = channelWith(() => Promise.reject(new Error('no queue')))
    answer.resolve({ consumerCount: 0 })
    await look()
    await look()
    expect(state.forgotten).toBe(0)
    await watch.stop()
  })
})
