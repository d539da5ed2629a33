import { describe, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { OrderRefusal } from '@bourse/common/shard-client/client.ts'
import { createEpochs } from '@bourse/common/shard-client/epochs.ts'
import { createMoveController, MoveFailed } from '@bourse/common/shard-client/move.ts'
import type { PartitionStateView } from '@bourse/common/views/models.ts'

const PARTITION = partitionNumber('trading', 1, 1)
const OLD = { name: 'trading-0', url: 'http://old' }
const NEW = { name: 'trading-1', url: 'http://new' }
const FAILED: OrderRefusal = { code: 'ACQUIRE_FAILED', message: 'no' }

/** Shards that do as `answers` says for `order url`, and else what they are told. */
const shardsThat = (answers: Readonly<Record<string, OrderRefusal | Error>>) => {
  const told: string[] = []
  const order = (what: string) => (url: string, _: number, epoch: number) => {
    const key = `${what} ${url}`
    told.push(`${key} ${epoch}`)
    const answer = answers[key] ?? null
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }
  let epoch = 6
  const unreleased: string[] = []
  const controller = createMoveController({
    orders: { prepare: order('prepare'), acquire: order('acquire'), release: order('release') },
    nextEpoch: () => (epoch += 1),
    onUnreleased: (_, __, { name }) => unreleased.push(name),
  })
  return { controller, told, unreleased }
}

describe('moving a partition', () => {
  test('prepares, releases and acquires under one new epoch', async () => {
    const { controller, told } = shardsThat({})
    await controller.move(PARTITION, OLD, NEW)
    expect(told).toEqual(['prepare http://new 7', 'release http://old 7', 'acquire http://new 7'])
  })

  test('that can not be prepared leaves the partition where it is, untouched', async () => {
    const { controller, told } = shardsThat({ 'prepare http://new': { code: 'PREPARE_FAILED', message: 'no journal' } })
    const error = await controller.move(PARTITION, OLD, NEW).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(MoveFailed)
    expect(error).toMatchObject({ servedBy: OLD, message: expect.stringContaining('PREPARE_FAILED: no journal') })
    expect(told).toEqual(['prepare http://new 7', 'release http://new 7'])
  })

  test('goes on without an old owner that does not answer', async () => {
    const { controller, told, unreleased } = shardsThat({ 'release http://old': new Error('refused') })
    await controller.move(PARTITION, OLD, NEW)
    expect(told).toEqual(['prepare http://new 7', 'release http://old 7', 'acquire http://new 7'])
    expect(unreleased).toEqual(['trading-0'])
  })

  test('ends where the old owner keeps the partition, as one does that was told more since', async () => {
    for (const code of ['STALE_EPOCH', 'OVERLOADED', 'UNAUTHENTICATED']) {
      const { controller, told, unreleased } = shardsThat({ 'release http://old': { code, message: 'no' } })
      await expect(controller.move(PARTITION, OLD, NEW)).rejects.toMatchObject({
        servedBy: OLD,
        message: `trading/1/1 stays at trading-0, since it keeps it: ${code}: no`,
      })
      expect(told).toEqual(['prepare http://new 7', 'release http://old 7', 'release http://new 7'])
      expect(unreleased).toEqual([])
    }
  })

  test('goes on without an old owner that is stopping, which hands everything over', async () => {
    const { controller, told } = shardsThat({ 'release http://old': { code: 'STOPPING', message: 'no' } })
    await controller.move(PARTITION, OLD, NEW)
    expect(told.at(-1)).toBe('acquire http://new 7')
  })

  test('that the new owner does not take over returns, under an epoch higher still', async () => {
    const { controller, told } = shardsThat({ 'acquire http://new': FAILED })
    await expect(controller.move(PARTITION, OLD, NEW)).rejects.toMatchObject({ servedBy: OLD })
    expect(told.slice(2)).toEqual(['acquire http://new 7', 'release http://new 7', 'acquire http://old 8'])
  })

  test('says so when nobody serves the partition in the end', async () => {
    const { controller } = shardsThat({ 'acquire http://new': new Error('gone'), 'acquire http://old': FAILED })
    await expect(controller.move(PARTITION, OLD, NEW)).rejects.toMatchObject({
      servedBy: null,
      message: 'trading-1 did not take over trading/1/1 (gone); nor did trading-0 take it back (ACQUIRE_FAILED: no)',
    })
  })
})

test('epochs rise from above everything that shards have spoken of', () => {
  const epochs = createEpochs([{ epoch: 4 }, { epoch: 9 }, { epoch: 2 }] as PartitionStateView[])
  expect([epochs.next(), epochs.next()]).toEqual([10, 11])
  epochs.raise([{ epoch: 30 }, { epoch: 3 }] as PartitionStateView[])
  expect(epochs.next()).toBe(31)
  epochs.raise([{ epoch: 5 }] as PartitionStateView[])
  expect(epochs.next()).toBe(32)
  expect(createEpochs([]).next()).toBe(1)
})
