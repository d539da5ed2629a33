import { describe, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { MarketPlace, Topology } from '@bourse/common/platform/topology.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { FeedQuote } from '@bourse/common/ports/prices.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import type { PartitionStateView } from '@bourse/common/views/models.ts'
import { createOwnCandles } from '../../src/distributed/candles.ts'
import { createDistributedInspector } from '../../src/distributed/inspector.ts'
import { startPartitionStates, STATE_AGE_MS_MAX, STATES_INTERVAL_MS } from '../../src/distributed/partition-states.ts'
import { createViewProgress } from '../../src/distributed/view-progress.ts'

const LEDGER = partitionNumber('ledger', 0)
const TRADING = partitionNumber('trading', 0, 1)
const topology: Topology = {
  ledgerPartitions: 1,
  bridgePartitions: 0,
  markets: new Map([['BTC_USDC', { symbol: 'BTC_USDC', market: 1, partitions: 1 }]]),
}

const stateOf = (partition: number, fields: Partial<PartitionStateView> = {}): PartitionStateView => ({
  _id: String(partition),
  shard: 'shard-0',
  epoch: 1,
  state: 'serving',
  reason: null,
  sequence: 10n,
  snapshotSequence: 5n,
  snapshotAtMs: 800,
  viewSequence: 8n,
  viewsAsOfMs: 900,
  atMs: 1_000,
  controlUrl: 'http://127.0.0.1:1',
  ...fields,
})

const inspectorOn = async (rows: PartitionStateView[], more: { readonly marketsComeAndGo?: boolean } = {}) => {
  const clock = createManualClock(1_000)
  const failures: unknown[] = []
  let isAway = false
  let trouble: string | null = null
  const find = (): Promise<readonly never[]> =>
    isAway ? Promise.reject(new PortError('unavailable', 'away')) : Promise.resolve([...rows] as never[])
  const states = await startPartitionStates({ views: { find }, clock, onFailure: (error) => failures.push(error) })
  const asked: [string, readonly number[]][] = []
  const inspector = createDistributedInspector({
    topology,
    states,
    tradeEvents: { watch: () => () => undefined },
    ...more,
    trouble: () => trouble,
    hashesAt: (url, partitions) => {
      asked.push([url, partitions])
      return Promise.resolve(new Map(partitions.map((partition) => [partition, `hash of ${partition}`])))
    },
  })
  const setAway = (away: boolean): void => void (isAway = away)
  return {
    clock,
    failures,
    states,
    inspector,
    asked,
    setAway,
    setTrouble: (why: string | null) => void (trouble = why),
  }
}

describe('what a gateway knows of partitions elsewhere', () => {
  test('is not ready while it can reach no shard itself, whatever they say', async () => {
    const { states, inspector, setTrouble } = await inspectorOn([stateOf(LEDGER), stateOf(TRADING)])
    setTrouble('no command gets to a shard')
    expect(inspector.ready()).toEqual({ ready: false, reasons: ['no command gets to a shard'] })
    setTrouble(null)
    expect(inspector.ready()).toEqual({ ready: true, reasons: [] })
    await states.stop()
  })

  test('is ready only while a shard says of each that it serves it', async () => {
    const rows = [stateOf(LEDGER)]
    const { clock, states, inspector } = await inspectorOn(rows)
    expect(inspector.ready()).toEqual({ ready: false, reasons: ['partition trading/BTC_USDC/0 is served by nobody'] })
    rows.push(stateOf(TRADING, { shard: 'shard-1', state: 'recovering', reason: 'the journal could not be reached' }))
    await clock.advance(STATES_INTERVAL_MS)
    expect(inspector.ready().reasons).toEqual([
      'partition trading/BTC_USDC/0 is recovering at shard shard-1: the journal could not be reached',
    ])
    rows[1] = stateOf(TRADING, { shard: 'shard-1', atMs: 1_400 })
    await clock.advance(STATES_INTERVAL_MS)
    expect(inspector.ready()).toEqual({ ready: true, reasons: [] })
    await states.stop()
  })

  test('of markets that come and go, lets one that is not served keep nobody from the others', async () => {
    const rows = [stateOf(LEDGER)]
    const { clock, states, inspector, setTrouble } = await inspectorOn(rows, { marketsComeAndGo: true })
    const reasons = ['partition trading/BTC_USDC/0 is served by nobody']
    expect(inspector.ready()).toEqual({ ready: true, reasons })
    expect([inspector.wasServed(LEDGER), inspector.wasServed(TRADING)]).toEqual([true, false])
    expect(inspector.viewsAsOfMs()).toBe(900)
    setTrouble('no command gets to a shard')
    expect(inspector.ready()).toEqual({ ready: false, reasons: ['no command gets to a shard', ...reasons] })
    rows.push(stateOf(TRADING, { viewsAsOfMs: 700 }))
    await clock.advance(STATES_INTERVAL_MS)
    expect(inspector.wasServed(TRADING)).toBe(true)
    expect(inspector.viewsAsOfMs()).toBe(700)
    await states.stop()
  })

  test('sees markets that are added or taken away while it runs', async () => {
    const markets = topology.markets as Map<string, MarketPlace>
    const { states, inspector } = await inspectorOn([], { marketsComeAndGo: true })
    markets.set('ETH_USDC', { symbol: 'ETH_USDC', market: 2, partitions: 1 })
    expect(inspector.partitions().map(({ name }) => name)).toContain('trading/ETH_USDC/0')
    markets.delete('ETH_USDC')
    expect(inspector.partitions().map(({ name }) => name)).not.toContain('trading/ETH_USDC/0')
    await states.stop()
  })

  test('believes no word that is old, by the time since it first came rather than by the clock of the shard', async () => {
    const rows = [stateOf(LEDGER, { atMs: 1_000 - STATE_AGE_MS_MAX - 1 }), stateOf(TRADING)]
    const { clock, states, inspector } = await inspectorOn(rows)
    expect(inspector.ready().reasons).toEqual(['partition ledger/0 has had no word from shard shard-0 for 5 s'])
    // Its clock is an hour behind, and it speaks.
    rows[0] = stateOf(LEDGER, { atMs: 1_000 - 3_600_000 })
    await clock.advance(STATES_INTERVAL_MS)
    expect(inspector.ready().ready).toBe(true)
    rows[0] = stateOf(LEDGER, { atMs: 1_001 - 3_600_000 })
    await clock.advance(STATE_AGE_MS_MAX)
    expect(inspector.ready().reasons).toEqual([
      'partition trading/BTC_USDC/0 has had no word from shard shard-0 for 6 s',
    ])
    await states.stop()
  })

  test('shows each partition with its lag, and the least moment of all views', async () => {
    const { states, inspector } = await inspectorOn([stateOf(LEDGER), stateOf(TRADING, { viewsAsOfMs: 700 })])
    expect(inspector.partitions()).toEqual([
      {
        name: 'ledger/0',
        number: LEDGER,
        state: 'serving',
        sequence: 10n,
        snapshotSequence: 5n,
        snapshotAtMs: 800,
        viewLagRecords: 2n,
        reason: null,
        shard: 'shard-0',
        ageMs: expect.any(Number),
      },
      expect.objectContaining({ name: 'trading/BTC_USDC/0', number: TRADING }),
    ])
    expect(inspector.viewsAsOfMs()).toBe(700)
    expect(inspector.viewsAsOfMsOf(LEDGER)).toBe(900)
    expect(inspector.viewsAsOfMsOf(partitionNumber('bridge', 0))).toBe(0)
    await states.stop()
  })

  test('shows who serves a partition, and why one is not served', async () => {
    const { states, inspector } = await inspectorOn([
      stateOf(LEDGER, { shard: 'shard-1', state: 'recovering', reason: 'its journal is away' }),
    ])
    expect(inspector.partitions()).toEqual([
      expect.objectContaining({ shard: 'shard-1', reason: 'is recovering at shard shard-1: its journal is away' }),
      expect.objectContaining({ shard: null, reason: 'is served by nobody', state: 'stopped' }),
    ])
    await states.stop()
  })

  test('shows no lag of a partition whose owner does not know its sequence yet', async () => {
    const { states, inspector } = await inspectorOn([stateOf(LEDGER, { state: 'starting', sequence: 0n })])
    expect(inspector.partitions()[0]).toMatchObject({ sequence: 0n, viewLagRecords: 0n })
    await states.stop()
  })

  test('asks each shard once for the hashes of what it serves', async () => {
    const other = { shard: 'shard-1', controlUrl: 'http://127.0.0.1:2' }
    const { states, inspector, asked } = await inspectorOn([stateOf(LEDGER), stateOf(TRADING, other)])
    expect([...(await inspector.stateHashes())]).toEqual([
      [LEDGER, `hash of ${LEDGER}`],
      [TRADING, `hash of ${TRADING}`],
    ])
    expect(asked).toEqual([
      ['http://127.0.0.1:1', [LEDGER]],
      ['http://127.0.0.1:2', [TRADING]],
    ])
    await states.stop()
  })

  test('goes on reading after the views were away, and is not ready meanwhile', async () => {
    const rows = [stateOf(LEDGER), stateOf(TRADING)]
    const { clock, states, inspector, failures, setAway } = await inspectorOn(rows)
    setAway(true)
    await clock.advance(STATE_AGE_MS_MAX + 1)
    expect(failures.length).toBeGreaterThan(0)
    expect(inspector.ready().reasons).toHaveLength(2)
    setAway(false)
    rows.splice(0, 2, stateOf(LEDGER, { atMs: 7_000 }), stateOf(TRADING, { atMs: 7_000 }))
    await clock.advance(STATES_INTERVAL_MS)
    expect(inspector.ready().ready).toBe(true)
    await states.stop()
  })
})

describe('the progress of views that others fold', () => {
  const progressOn = () => {
    const clock = createManualClock(0)
    let cursor: bigint | Error = 0n
    let looks = 0
    const failures: unknown[] = []
    const progress = createViewProgress({
      views: {
        cursor: () => {
          looks += 1
          return cursor instanceof Error ? Promise.reject(cursor) : Promise.resolve(cursor)
        },
      },
      projection: 'platform',
      clock,
      onFailure: (error) => failures.push(error),
    })
    return {
      clock,
      progress,
      failures,
      looks: () => looks,
      setCursor: (value: bigint | Error) => void (cursor = value),
    }
  }

  test('is waited for by many with one question at a time, and by nobody with none', async () => {
    const { clock, progress, looks, setCursor } = progressOn()
    const waits = [progress.waitFor(LEDGER, 3n, 3_000), progress.waitFor(LEDGER, 3n, 3_000)]
    await clock.advance(1)
    expect(looks()).toBe(1)
    setCursor(3n)
    await clock.advance(500)
    expect(await Promise.all(waits)).toEqual([true, true])
    const after = looks()
    await clock.advance(10_000)
    expect(looks()).toBe(after)
    expect(await progress.waitFor(LEDGER, 2n, 1)).toBe(true)
    expect(looks()).toBe(after)
    expect(clock.sleepers()).toBe(0)
  })

  test('that does not come in time answers false, and a look that failed is made again', async () => {
    const { clock, progress, failures, setCursor } = progressOn()
    setCursor(new PortError('unavailable', 'away'))
    const late = progress.waitFor(LEDGER, 1n, 100)
    const inTime = progress.waitFor(LEDGER, 1n, 2_000)
    await clock.advance(200)
    expect(await late).toBe(false)
    expect(failures.length).toBeGreaterThan(0)
    setCursor(1n)
    await clock.advance(200)
    expect(await inTime).toBe(true)
  })
})

describe('the bars of a gateway', () => {
  const quoteAt = (sequence: number, price: bigint): FeedQuote => ({
    symbol: 'BTC_USDC',
    feedBid: price,
    feedAsk: price,
    last: price,
    exchangeTimeMs: sequence,
    receiveTimeMs: sequence,
    sequence,
  })

  test('begin with the quotes that are still known, each counted once', async () => {
    let handler: (quote: FeedQuote) => void = () => undefined
    const candles = createOwnCandles({
      prices: {
        subscribe: (_, given) => {
          handler = given
          given(quoteAt(2, 30n))
          return () => void (handler = () => undefined)
        },
      },
      recentQuotes: () => Promise.resolve([quoteAt(1, 50n), quoteAt(2, 30n)]),
      onFailure: () => undefined,
    })
    await candles.follow(['BTC_USDC'])
    handler(quoteAt(3, 40n))
    expect(candles.read('BTC_USDC', '1m', 10)).toEqual([{ openTimeMs: 0, open: 50n, high: 50n, low: 30n, close: 40n }])
    expect(candles.read('ETH_USDC', '1m', 10)).toEqual([])
  })

  test('begin with the next quote when the past can not be had', async () => {
    const failed: string[] = []
    const candles = createOwnCandles({
      prices: { subscribe: (_, given) => (given(quoteAt(9, 7n)), () => undefined) },
      recentQuotes: () => Promise.reject(new PortError('unavailable', 'away')),
      onFailure: (_, symbol) => failed.push(symbol),
    })
    await candles.follow(['BTC_USDC'])
    expect(failed).toEqual(['BTC_USDC'])
    expect(candles.read('BTC_USDC', '1m', 10)).toHaveLength(1)
  })
})
