import { describe, expect, test } from '@jest/globals'
import { lagMax, partitionsOf, recordsToReplay, summaryOf, views } from '../../src/platform/partitions.ts'
import { isReading, nameFault } from '../../src/platform/who.ts'
import type { PlatformPartition } from '../../src/platform/api.ts'

const partition = (name: string, change: Partial<PlatformPartition> = {}): PlatformPartition => ({
  name,
  number: 1,
  state: 'serving',
  reason: null,
  shard: 'shard-0',
  sequence: '10',
  snapshotSequence: '4',
  snapshotAt: null,
  viewLagRecords: '0',
  ...change,
})
const all = [
  partition('ledger/0'),
  partition('trading/BTC_USDC/0', { state: 'rebuilding' }),
  partition('bridge/0', { viewLagRecords: '7' }),
]

describe('the partitions that are shown', () => {
  test('are those of a machine, or those that do not serve', () => {
    const names = views.map((view) => partitionsOf(all, view).map(({ name }) => name))
    expect(names).toEqual([
      ['ledger/0', 'trading/BTC_USDC/0', 'bridge/0'],
      ['ledger/0'],
      ['trading/BTC_USDC/0'],
      ['bridge/0'],
      ['trading/BTC_USDC/0'],
    ])
  })

  test('are summed up in a sentence that counts those that do not serve', () => {
    expect(summaryOf(all)).toBe('1 of 3 partitions does not serve.')
    expect(summaryOf([partition('ledger/0'), partition('ledger/1')])).toBe('All 2 partitions serve.')
    expect(summaryOf([])).toBe('No partition is known.')
  })

  test('say how much they would replay, exactly, and nothing where nothing is known', () => {
    expect(recordsToReplay(partition('ledger/0'))).toBe('6')
    expect(recordsToReplay({ sequence: '9007199254740995', snapshotSequence: '1' })).toBe('9007199254740994')
    expect(recordsToReplay({ sequence: '10', snapshotSequence: null })).toBe('10')
    expect(recordsToReplay({ sequence: null, snapshotSequence: null })).toBeNull()
    expect(recordsToReplay({ sequence: '3', snapshotSequence: '4' })).toBe('0')
  })

  test('have the largest lag of those that told one', () => {
    expect(lagMax(all)).toBe('7')
    expect(lagMax([partition('a', { viewLagRecords: null })])).toBeNull()
  })
})

describe('who looks', () => {
  test('has a name that a header can carry', () => {
    expect(nameFault('')).toBeNull()
    expect(nameFault('ops on call')).toBeNull()
    expect(nameFault('Jürg')).not.toBeNull()
    expect(nameFault('x'.repeat(65))).not.toBeNull()
  })

  test('is told from who did something by the action', () => {
    expect(isReading('read-platform')).toBe(true)
    expect(isReading('halt-market')).toBe(false)
  })
})
