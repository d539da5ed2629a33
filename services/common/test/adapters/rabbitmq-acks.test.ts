import { describe, expect, test } from '@jest/globals'
import type { ConfirmChannel, Message } from 'amqplib'
import { createAcknowledger } from '../../src/adapters/rabbitmq/bus-acks.ts'
import type { HeldPack } from '../../src/adapters/rabbitmq/bus-line.ts'

const pack = (tag: number): HeldPack => ({
  tag,
  id: `pack ${tag}`,
  replyTo: undefined,
  count: 2,
  left: 2,
  settled: null,
})

const createWorld = (packs: number) => {
  const frames: string[] = []
  const told: number[] = []
  const channel = {
    ack: (message: Message, multiple: boolean) =>
      void frames.push(`${message.fields.deliveryTag}${multiple ? ' and before' : ''}`),
  } as Pick<ConfirmChannel, 'ack'> as ConfirmChannel
  const acks = createAcknowledger(channel, ({ tag }) => void told.push(tag))
  const held = Array.from({ length: packs }, (_, index) => pack(index + 1))
  for (const one of held) acks.received(one)
  const finish = (...tags: number[]): void => {
    for (const tag of tags) {
      held[tag - 1]!.left = 0
      acks.finished(held[tag - 1]!)
    }
  }
  return { frames, told, acks, finish }
}

describe('acknowledgements of the bus on RabbitMQ', () => {
  test('of packs in a row are one frame', () => {
    const { frames, acks, finish } = createWorld(4)
    finish(2, 1, 3)
    acks.flush()
    expect(frames).toEqual(['3 and before'])
    expect(acks.held()).toBe(1)
  })

  test('never reach over a pack that is not dealt with', () => {
    const { frames, told, acks, finish } = createWorld(5)
    finish(1, 3, 5)
    acks.flush()
    expect(frames).toEqual(['1 and before', '3', '5'])
    finish(2)
    acks.flush()
    expect(frames.slice(3)).toEqual(['2 and before'])
    expect(told).toEqual([1, 3, 5, 2])
    expect(acks.forget().map(({ tag }) => tag)).toEqual([4])
  })

  test('are written in the next turn, and not at all once the channel is gone', async () => {
    const { frames, acks, finish } = createWorld(2)
    finish(1)
    await new Promise((resolve) => setImmediate(resolve))
    expect(frames).toEqual(['1 and before'])
    finish(2)
    expect(acks.forget().map(({ tag }) => tag)).toEqual([2])
    acks.flush()
    await new Promise((resolve) => setImmediate(resolve))
    expect(frames).toHaveLength(1)
  })
})
