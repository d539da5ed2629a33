import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { openSqliteDirectory } from '../../src/adapters/embedded/directory.ts'
import { partitionName, partitionParts } from '../../src/kernel/partition.ts'
import {
  allPartitions,
  bridgePartitionOf,
  ledgerPartitionOf,
  openTopology,
  TopologyError,
  tradingPartitionOf,
  type Topology,
} from '../../src/platform/topology.ts'
import type { Directory } from '../../src/ports/directory.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'

const market = (symbol: string, partitions = 2) => ({ symbol, partitions })
const wanted = (...markets: { readonly symbol: string; readonly partitions: number }[]) => ({
  ledgerPartitions: 4,
  bridgePartitions: 2,
  markets,
})
const numbersOf = (topology: Topology): Record<string, number> =>
  Object.fromEntries([...topology.markets.values()].map((place) => [place.symbol, place.market]))

describe('the topology', () => {
  let folder = ''
  let directory: Directory
  const reopen = async (): Promise<void> => {
    await directory.close()
    directory = openSqliteDirectory({ path: join(folder, 'directory.sqlite'), clock: createManualClock(1_000) })
  }
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bourse-topology-'))
    directory = openSqliteDirectory({ path: join(folder, 'directory.sqlite'), clock: createManualClock(1_000) })
  })
  afterEach(async () => {
    await directory.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('markets are numbered from 1 as first seen, and keep their numbers in any order of manifests', async () => {
    const first = await openTopology(directory, wanted(market('BTC_USDC'), market('ETH_USDC')))
    expect(numbersOf(first)).toEqual({ BTC_USDC: 1, ETH_USDC: 2 })
    await reopen()
    const later = await openTopology(directory, wanted(market('SOL_USDC'), market('ETH_USDC'), market('BTC_USDC')))
    expect(numbersOf(later)).toEqual({ SOL_USDC: 3, ETH_USDC: 2, BTC_USDC: 1 })
    await reopen()
    // A market whose manifest is gone for a while keeps its number for when it comes back.
    expect(numbersOf(await openTopology(directory, wanted(market('DOT_USDC'))))).toEqual({ DOT_USDC: 4 })
    expect(numbersOf(await openTopology(directory, wanted(market('ETH_USDC'))))).toEqual({ ETH_USDC: 2 })
  })

  test.each([
    ['BOURSE_LEDGER_PARTITIONS', { ...wanted(market('BTC_USDC')), ledgerPartitions: 8 }, 8, 4],
    ['BOURSE_BRIDGE_PARTITIONS', { ...wanted(market('BTC_USDC')), bridgePartitions: 1 }, 1, 2],
    ['engine.partitions of BTC_USDC', wanted(market('BTC_USDC', 16)), 16, 2],
  ])('a changed %s is refused in words that name it and both numbers', async (name, changed, is, was) => {
    await openTopology(directory, wanted(market('BTC_USDC')))
    await reopen()
    const opening = openTopology(directory, changed)
    await expect(opening).rejects.toBeInstanceOf(TopologyError)
    await expect(openTopology(directory, changed)).rejects.toThrow(
      `${name} is ${is}, but this data was made with ${was}; set it back to ${was}`,
    )
    const kept = await openTopology(directory, wanted(market('BTC_USDC')))
    expect([kept.ledgerPartitions, kept.bridgePartitions, kept.markets.get('BTC_USDC')?.partitions]).toEqual([4, 2, 2])
  })

  test('two that open at once agree, and each market has a number of its own', async () => {
    const symbols = Array.from({ length: 12 }, (_, index) => `M${index}_USDC`)
    const forwards = wanted(...symbols.map((symbol) => market(symbol)))
    const backwards = wanted(...symbols.toReversed().map((symbol) => market(symbol)))
    const [one, two] = await Promise.all([openTopology(directory, forwards), openTopology(directory, backwards)])
    expect(numbersOf(one)).toEqual(numbersOf(two))
    expect(Object.values(numbersOf(one)).sort((a, b) => a - b)).toEqual(symbols.map((_, index) => index + 1))
  })

  test('of two that want different numbers of partitions at once one is refused', async () => {
    const results = await Promise.allSettled([
      openTopology(directory, wanted()),
      openTopology(directory, { ...wanted(), ledgerPartitions: 8 }),
    ])
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('an opening that broke off between two steps is completed by the next', async () => {
    const breaking: Directory = {
      ...directory,
      setSettingOnce: (name, value) =>
        name.startsWith('topology.market-number.')
          ? Promise.reject(new Error('the power went'))
          : directory.setSettingOnce(name, value),
    }
    await expect(openTopology(breaking, wanted(market('BTC_USDC')))).rejects.toThrow('the power went')
    const after = await openTopology(directory, wanted(market('ETH_USDC'), market('BTC_USDC')))
    expect(numbersOf(after)).toEqual({ ETH_USDC: 2, BTC_USDC: 1 })
  })

  test('every partition is listed once, in the words people use', async () => {
    const topology = await openTopology(directory, wanted(market('BTC_USDC'), market('ETH_USDC', 1)))
    expect(allPartitions(topology).map(partitionName)).toEqual([
      ...['ledger/0', 'ledger/1', 'ledger/2', 'ledger/3', 'bridge/0', 'bridge/1'],
      ...['trading/1/0', 'trading/1/1', 'trading/2/0'],
    ])
  })
})

describe('where an owner is', () => {
  const place = { symbol: 'BTC_USDC', market: 3, partitions: 8 }
  const topology: Topology = { ledgerPartitions: 16, bridgePartitions: 4, markets: new Map([['BTC_USDC', place]]) }
  const owner = (number: number): Uint8Array => {
    const bytes = new Uint8Array(16)
    new DataView(bytes.buffer).setUint32(12, number)
    return bytes
  }

  test('the place of an owner never changes: it is part of every journal', () => {
    const owners = [0, 1, 2, 255, 65_536, 4_294_967_295].map(owner)
    expect(owners.map((each) => partitionName(ledgerPartitionOf(topology, each)))).toEqual([
      'ledger/9',
      'ledger/7',
      'ledger/12',
      'ledger/10',
      'ledger/2',
      'ledger/10',
    ])
    expect(owners.map((each) => partitionName(tradingPartitionOf(place, each)))).toEqual([
      'trading/3/1',
      'trading/3/7',
      'trading/3/4',
      'trading/3/2',
      'trading/3/2',
      'trading/3/2',
    ])
    expect(['demo', 'acme', 'north'].map((bank) => partitionName(bridgePartitionOf(topology, bank)))).toEqual([
      'bridge/0',
      'bridge/3',
      'bridge/2',
    ])
  })

  test('it depends on the bytes alone and lies within the partitions there are', () => {
    const counts = fc.integer({ min: 0, max: 8 }).map((power) => 2 ** power)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), counts, (bytes, count) => {
        const here = ledgerPartitionOf({ ...topology, ledgerPartitions: count }, bytes)
        expect(here).toBe(ledgerPartitionOf({ ...topology, ledgerPartitions: count }, bytes.slice()))
        expect(partitionParts(here)).toMatchObject({ machine: 'ledger', market: 0 })
        expect(partitionParts(here).index).toBeLessThan(count)
        const there = partitionParts(tradingPartitionOf({ ...place, partitions: count }, bytes))
        expect(there).toEqual({ machine: 'trading', market: 3, index: partitionParts(here).index })
      }),
    )
  })

  test.each([
    ['that count up', owner],
    ['that count up in front', (number: number) => owner(number).toReversed()],
    ['of spread bytes', (number: number) => owner(Math.imul(number, 0x9e3779b1) >>> 0)],
  ])('owners %s are spread evenly', (_name, ownerOf) => {
    const found = new Map<number, number>()
    const count = 16_000
    for (let number = 0; number < count; number++) {
      const partition = ledgerPartitionOf(topology, ownerOf(number))
      found.set(partition, (found.get(partition) ?? 0) + 1)
    }
    // 1,000 in each on average; five standard deviations of a fair spread are some 150.
    expect(found.size).toBe(16)
    for (const owners of found.values()) expect(Math.abs(owners - 1_000)).toBeLessThan(155)
  })
})
