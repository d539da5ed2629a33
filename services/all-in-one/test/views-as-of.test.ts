import { describe, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Runner, RunnerState } from '@bourse/common/kernel/runner.ts'
import type { TradingQuote } from '@bourse/trading/host/trading-host.ts'
import { viewsAsOfMs } from '../src/platform/serving.ts'

const NOW_MS = 9_000
const PROJECTED_AT_MS = 4_000
const partition = partitionNumber('ledger', 0)
const projector = { projectedThrough: () => 7n, projectedAtMs: () => PROJECTED_AT_MS }
const runnerIn = (state: RunnerState, sequence: bigint): Runner<TradingQuote> =>
  ({ status: () => ({ state, sequence }) }) as unknown as Runner<TradingQuote>
const asOfMs = (state: RunnerState, sequence: bigint): number =>
  viewsAsOfMs(runnerIn(state, sequence), projector, partition, NOW_MS)

describe('the moment up to which views are complete', () => {
  test('is now when a serving partition has nothing that is not projected', () => {
    expect(asOfMs('serving', 7n)).toBe(NOW_MS)
  })
  test('is that of the last projected record while more is to come', () => {
    expect(asOfMs('serving', 8n)).toBe(PROJECTED_AT_MS)
  })
  test('is not now while nobody knows where the journal ends: a partition that recovers says sequence 0', () => {
    expect(asOfMs('recovering', 0n)).toBe(PROJECTED_AT_MS)
    expect(viewsAsOfMs(undefined, projector, partition, NOW_MS)).toBe(PROJECTED_AT_MS)
  })
})
