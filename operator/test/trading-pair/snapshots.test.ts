import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { createLogger } from '@bourse/common/telemetry/logger.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { createSnapshotKeeper, removable } from '../../src/trading-pair/snapshots.ts'
import { createFakeSnapshots } from '../shards/stage/fake-stores.ts'

const info = (sequence: bigint) => ({ sequence, bytes: 1, sha256: String(sequence), atMs: 0 })
const PARTITION = partitionNumber('trading', 0, 1)

const createParts = () => {
  const clock = createManualClock(1_000_000)
  const snapshots = createFakeSnapshots(clock)
  const corrupt: bigint[] = []
  const logger = createLogger({ name: 'test', level: 'silent' })
  const onCorrupt = (_partition: number, sequence: bigint): void => void corrupt.push(sequence)
  const keeper = createSnapshotKeeper({ snapshots, clock, logger, onCorrupt })
  let sequence = 0n
  let asked = 0
  const damage = { isOn: false }
  const ask = async (): Promise<string | null> => {
    asked += 1
    await snapshots.take(PARTITION, (sequence += 1n))
    if (damage.isOn) snapshots.corrupt(PARTITION, sequence)
    return null
  }
  const tend = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds; passed++) {
      await keeper.tend([{ partition: PARTITION, ask }], { intervalMs: 15_000, keep: 3 })
      await clock.advance(1_000)
    }
  }
  return { snapshots, keeper, corrupt, tend, asked: () => asked, damage }
}

describe('What may be removed of snapshots', () => {
  test('is never one of the newest, nor the newest that verified, and nothing before one verified', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 20 }), fc.integer({ min: 1, max: 12 }), (good, keep) => {
        const all = good.map((_, index) => info(BigInt(good.length - index)))
        const isGood = (sequence: bigint): boolean => good[good.length - Number(sequence)] === true
        const gone = removable(all, keep, isGood)
        const left = all.filter((one) => !gone.includes(one))
        expect(left.slice(0, keep)).toEqual(all.slice(0, keep))
        expect(left.some(({ sequence }) => isGood(sequence))).toBe(good.includes(true))
        if (!good.includes(true)) expect(gone).toEqual([])
        expect(left.length).toBeLessThanOrEqual(good.includes(true) ? keep + 1 : all.length)
      }),
    )
  })
})

describe('The keeper of snapshots', () => {
  test('asks on schedule, verifies, and keeps as many as it is told', async () => {
    const { snapshots, keeper, tend, asked } = createParts()
    await tend(151)
    expect(asked()).toBe(11)
    expect((await snapshots.list(PARTITION)).map(({ sequence }) => sequence)).toEqual([11n, 10n, 9n])
    expect(keeper.known(PARTITION).good?.sequence).toBe(11n)
  })

  test('finds one that was damaged after it had verified, says so once, and counts it no more', async () => {
    const { snapshots, keeper, corrupt, tend } = createParts()
    await tend(40)
    expect(keeper.known(PARTITION).good?.sequence).toBe(3n)
    snapshots.corrupt(PARTITION, 3n)
    await tend(5)
    expect(corrupt).toEqual([3n])
    expect(keeper.known(PARTITION)).toMatchObject({ good: { sequence: 2n }, corrupt: [{ sequence: 3n }] })
    await tend(60)
    expect(corrupt).toEqual([3n])
  })

  test('the last good one stays, however many newer ones are damaged', async () => {
    const { snapshots, keeper, tend, damage } = createParts()
    await tend(5)
    damage.isOn = true
    await tend(150)
    expect((await snapshots.list(PARTITION)).map(({ sequence }) => sequence)).toEqual([11n, 10n, 9n, 1n])
    expect(keeper.known(PARTITION).good?.sequence).toBe(1n)
    expect(await snapshots.read(PARTITION, 1n)).not.toBeNull()
  })

  test('a shard that can not store one is told of, until it can', async () => {
    const { keeper } = createParts()
    const ask = (): Promise<string | null> => Promise.resolve('shard-0: the disk is full')
    await keeper.tend([{ partition: PARTITION, ask }], { intervalMs: 15_000, keep: 3 })
    expect(keeper.trouble).toBe('shard-0: the disk is full')
    expect(await keeper.takeAll([{ partition: PARTITION, ask: () => Promise.resolve(null) }])).toBeNull()
    expect(keeper.trouble).toBeNull()
  })
})
