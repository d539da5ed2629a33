import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { parseBank } from '@bourse/common/resources/bank.ts'
import { formatFault, loadManifests } from '@bourse/common/resources/load.ts'
import type { LoadedManifests } from '@bourse/common/resources/load.ts'
import { tradingPairRules } from '@bourse/common/resources/rules.ts'
import { manifestDefaults, parseTradingPair, validateChange } from '@bourse/common/resources/trading-pair.ts'
import { watchManifests } from '@bourse/common/resources/watch.ts'
import { until } from '@bourse/common/testkit/contracts/scenario.ts'

type Json = Record<string, unknown>

const PAIR = `
apiVersion: bourse.dev/v1alpha1
kind: TradingPair
metadata: { name: btc-usdc }
spec:
  symbol: BTC_USDC
  type: CFD
  baseAsset: BTC
  quoteAsset: USDC
  tickSize: "0.01"
  lotSize: "0.00001"
  state: Open
  margin:
    maxLeverage: 100
    tiers:
      - { notionalFloor: "0",      maintenanceRate: "0.004", maxLeverage: 100 }
      - { notionalFloor: "250000", maintenanceRate: "0.01",  maxLeverage: 50 }
      - { notionalFloor: "1000000.00000001", maintenanceRate: "0.02500001",  maxLeverage: 20 }
  fees: { openBps: "5", closeBps: "5", liquidationBps: "50" }
  spreadBps: "2"
  funding: { intervalSeconds: 28800, rateBps: "-1.5", capBps: "75" }
  prices: { source: walk, maxAgeSeconds: 5, maxJumpBps: "2000" }
  limits: { maxOpenTrades: 200, maxNotional: "1000000", maxNetNotional: "20000000", minMargin: "1" }
  engine: { partitions: 4, shards: 1, capacity: 10000 }
  snapshots: { intervalSeconds: 30, keep: 3, compression: gzip }
status: { shards: 2 }
`

const BANK = `
apiVersion: bourse.dev/v1alpha1
kind: Bank
metadata: { name: demo }
spec:
  callback: { url: "http://127.0.0.1:3002/" }
  pairs:
    - { symbol: AZNUSDT, baseAsset: USDT, quoteAsset: AZN, tickSize: "0.0001", lotSize: "0.01",
        minAmount: "1", maxAmount: "100000" }
`

/** A document with the value at a path (`spec.margin.tiers.0.notionalFloor`) replaced; undefined removes it. */
const changed = (text: string, path: string, value: unknown): unknown => {
  const document = parse(text) as Json
  const parts = path.split('.')
  const last = parts.pop() ?? ''
  const parent = parts.reduce<Json>((at, part) => (at[part] ??= {}) as Json, document)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return document
}

const pairOf = (document: unknown) => {
  const parsed = parseTradingPair(document)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return parsed.value
}

const faultsOf = (parsed: ReturnType<typeof parseTradingPair> | ReturnType<typeof parseBank>): string[] =>
  parsed.ok ? [] : parsed.faults.map(({ field, message }) => `${field}: ${message}`)

describe('a TradingPair', () => {
  test('is read exactly: decimals to units, bps to units of 1e-8 bp, seconds to milliseconds', () => {
    const { name, spec } = pairOf(parse(PAIR))
    expect(name).toBe('btc-usdc')
    expect(spec.tickSize).toBe(1_000_000n)
    expect(spec.lotSize).toBe(1_000n)
    expect(spec.fees).toEqual({ openBps: 500_000_000n, closeBps: 500_000_000n, liquidationBps: 5_000_000_000n })
    expect(spec.funding).toEqual({ intervalSeconds: 28_800, rateBps: -150_000_000n, capBps: 7_500_000_000n })
    expect(spec.snapshots).toEqual({ intervalMs: 30_000, keep: 3, compression: 'gzip' })
    expect(spec.limits.maxNetNotional).toBe(2_000_000_000_000_000n)
  })

  test('has the amount c of each tier by continuity, rounded down once per tier', () => {
    const tiers = pairOf(parse(PAIR)).spec.margin.tiers
    const second = (25_000_000_000_000n * 600_000n) / 100_000_000n
    expect(tiers.map(({ maintenanceAmount }) => maintenanceAmount)).toEqual([
      0n,
      second,
      second + (100_000_000_000_001n * 1_500_001n) / 100_000_000n,
    ])
  })

  test('that is silent gets the documented defaults, snapshots those of the configuration', () => {
    const document = ['state', 'spreadBps', 'funding', 'prices', 'limits', 'engine', 'snapshots'].reduce<unknown>(
      (text, field) => changed(JSON.stringify(text), `spec.${field}`, undefined),
      parse(PAIR),
    )
    const parsed = parseTradingPair(document, { ...manifestDefaults, snapshotIntervalMs: 1_234, snapshotsKeep: 7 })
    expect(parsed).toMatchObject({
      value: {
        spec: {
          state: 'Open',
          spreadBps: 0n,
          funding: { intervalSeconds: 28_800, rateBps: 0n, capBps: 7_500_000_000n },
          prices: {
            maxAgeSeconds: 5,
            maxJumpBps: 200_000_000_000n,
            source: { source: 'walk', startPrice: 10_000_000_000n },
          },
          limits: { maxOpenTrades: null, maxNotional: null, maxNetNotional: null, minMargin: 0n },
          engine: { partitions: 4, shards: 1, capacity: 10_000 },
          snapshots: { intervalMs: 1_234, keep: 7, compression: 'zstd' },
        },
      },
    })
  })

  test.each([
    ['the largest rate below 1', 'spec.margin.tiers.0.maintenanceRate', '0.00999999'],
    ['256 partitions', 'spec.engine.partitions', 256],
    ['as many shards as partitions', 'spec.engine.shards', 4],
    ['one partition', 'spec.engine.partitions', 1],
  ])('with %s is taken', (_, path, value) => {
    const document = changed(PAIR, path, value)
    const tiersAside = path.includes('tiers')
      ? changed(JSON.stringify(document), 'spec.margin.tiers.1.maintenanceRate', '0.0105')
      : document
    expect(faultsOf(parseTradingPair(tiersAside))).toEqual([])
  })

  test.each([
    ['a first floor above 0', 'spec.margin.tiers.0.notionalFloor', '1', tradingPairRules.firstFloorZero],
    ['equal floors', 'spec.margin.tiers.2.notionalFloor', '250000', tradingPairRules.floorsRise],
    ['equal rates', 'spec.margin.tiers.1.maintenanceRate', '0.004', tradingPairRules.ratesRise],
    ['a leverage that does not fall', 'spec.margin.tiers.1.maxLeverage', 100, tradingPairRules.leverageFalls],
    [
      'a rate that times leverage is 1',
      'spec.margin.tiers.2.maintenanceRate',
      '0.05',
      tradingPairRules.rateTimesLeverage,
    ],
    ['three partitions', 'spec.engine.partitions', 3, tradingPairRules.partitionsPower],
    ['zero partitions', 'spec.engine.partitions', 0, tradingPairRules.partitionsPower],
    ['512 partitions', 'spec.engine.partitions', 512, tradingPairRules.partitionsPower],
    ['more shards than partitions', 'spec.engine.shards', 5, tradingPairRules.shardsMax],
    ['type SPOT', 'spec.type', 'SPOT', tradingPairRules.spotLater],
    ['riskRules', 'spec.riskRules', { module: 'x' }, tradingPairRules.riskRulesReserved],
    ['a tick of zero', 'spec.tickSize', '0.00', tradingPairRules.tickPositive],
    ['a lot of zero', 'spec.lotSize', '0', tradingPairRules.lotPositive],
    ['equal assets', 'spec.quoteAsset', 'BTC', tradingPairRules.assetsDiffer],
    ['a field of another price source', 'spec.prices.file', 'x.csv', tradingPairRules.sourceField],
    ['a tape without a file', 'spec.prices', { source: 'tape' }, tradingPairRules.tapeFile],
    ['a stream over http', 'spec.prices', { source: 'binance', url: 'http://x' }, tradingPairRules.streamUrl],
    ['a poll over ws', 'spec.prices', { source: 'poll', url: 'ws://x' }, tradingPairRules.pollUrl],
    ['a spread above 100 %', 'spec.spreadBps', '10000.1', tradingPairRules.spreadMax],
    ['a minMargin above maxNotional', 'spec.limits.minMargin', '1000001', tradingPairRules.minMarginMax],
  ])('with %s is refused with the message of the table', (_, path, value, rule) => {
    const parsed = parseTradingPair(changed(PAIR, path, value))
    expect(parsed.ok ? [] : parsed.faults.map(({ message }) => message)).toContain(rule.message)
  })

  test.each([
    ['a number where text belongs', 'spec.tickSize', 0.01, 'spec.tickSize: must be text; put the value in quotes'],
    ['nine decimals', 'spec.tickSize', '0.000000001', 'spec.tickSize: must be a decimal of 0 or more'],
    ['an exponent', 'spec.tickSize', '1e-2', 'spec.tickSize: must be a decimal of 0 or more'],
    ['a negative fee', 'spec.fees.openBps', '-1', 'spec.fees.openBps: must be a decimal of 0 or more'],
    ['a symbol in small letters', 'spec.symbol', 'btc_usdc', 'spec.symbol: must match'],
    ['an unknown field', 'spec.leverage', 1, 'spec.leverage: is not a field of this resource'],
    ['an unknown field below', 'spec.fees.extraBps', '1', 'spec.fees.extraBps: is not a field of this resource'],
    ['a missing field', 'spec.lotSize', undefined, 'spec.lotSize: is missing'],
    ['no tiers', 'spec.margin.tiers', [], 'spec.margin.tiers: must have at least 1 entry'],
    ['a leverage that is not whole', 'spec.margin.maxLeverage', 1.5, 'spec.margin.maxLeverage: must be a whole number'],
    ['another version', 'apiVersion', 'bourse.dev/v1', 'apiVersion: must be bourse.dev/v1alpha1'],
    ['a state nobody knows', 'spec.state', 'Closed', 'spec.state: must be one of Open, ReduceOnly, Halted'],
    ['a name that is no label', 'metadata.name', 'BTC', 'metadata.name: must match'],
  ])('with %s is refused, field and remedy named', (_, path, value, words) => {
    expect(faultsOf(parseTradingPair(changed(PAIR, path, value))).join('\n')).toContain(words)
  })

  test('with too many tiers is refused', () => {
    const tiers = Array.from({ length: 17 }, (_, index) => ({
      notionalFloor: String(index),
      maintenanceRate: '0.01',
      maxLeverage: 1,
    }))
    expect(faultsOf(parseTradingPair(changed(PAIR, 'spec.margin.tiers', tiers))).join()).toContain('at most 16 entries')
  })

  test('changes freely but for symbol, type, assets, tick, lot and partitions', () => {
    const before = pairOf(parse(PAIR))
    const after = (path: string, value: unknown) =>
      validateChange(before, pairOf(changed(PAIR, path, value))).map(({ field }) => field)
    expect(after('spec.symbol', 'XBT_USDC')).toEqual(['spec.symbol'])
    expect(after('spec.baseAsset', 'XBT')).toEqual(['spec.baseAsset'])
    expect(after('spec.quoteAsset', 'USDT')).toEqual(['spec.quoteAsset'])
    expect(after('spec.tickSize', '0.1')).toEqual(['spec.tickSize'])
    expect(after('spec.lotSize', '0.1')).toEqual(['spec.lotSize'])
    expect(after('spec.engine.partitions', 8)).toEqual(['spec.engine.partitions'])
    expect(after('spec.tickSize', '0.010')).toEqual([])
    expect(after('spec.state', 'Halted')).toEqual([])
    expect(after('spec.engine.shards', 4)).toEqual([])
  })
})

describe('a Bank', () => {
  test('that is silent gets the documented defaults', () => {
    const parsed = parseBank(parse(BANK))
    expect(parsed).toMatchObject({
      value: {
        name: 'demo',
        spec: {
          displayName: 'demo',
          state: 'Active',
          callback: { url: 'http://127.0.0.1:3002', timeoutMs: 2_000, retries: 3 },
          pairs: [{ spreadBps: 15_000_000_000n, minAmount: 100_000_000n }],
          quotes: { ttlSeconds: 10, slippageBps: 5_000_000_000n },
          limits: { requestsPerSecond: 200, dailyAmount: null, dailyAmountPerCustomer: null, currency: 'AZN' },
          apiKeys: { rotateAfterDays: 90, overlapHours: 24 },
          allowedCidrs: [],
          deletionPolicy: 'Retain',
        },
      },
    })
  })

  test.each([
    [
      'a callback that is not http',
      'spec.callback.url',
      'ftp://x',
      'spec.callback.url: the callback must be an http or https URL',
    ],
    ['a callback with a password', 'spec.callback.url', 'http://a:b@x', 'spec.callback.url: the callback must be'],
    ['a callback that is no URL', 'spec.callback.url', 'nowhere', 'spec.callback.url: the callback must be'],
    [
      'a limit in a strange currency',
      'spec.limits',
      { dailyAmount: '1', currency: 'EUR' },
      'spec.limits.currency: daily amounts',
    ],
    [
      'an address without a range',
      'spec.allowedCidrs',
      ['10.0.0.1'],
      'spec.allowedCidrs[0]: an entry is not an address range',
    ],
    ['a range that is none', 'spec.allowedCidrs', ['10.0.0.0/8', '10.0.0.0/33'], 'spec.allowedCidrs[1]: an entry'],
    [
      'a smallest amount above the largest',
      'spec.pairs.0.minAmount',
      '100001',
      'spec.pairs[0].minAmount: minAmount must be',
    ],
    ['a spread of 100 %', 'spec.pairs.0.spreadBps', '10000', 'spec.pairs[0].spreadBps: spreadBps must be below 10000'],
    ['no pairs', 'spec.pairs', [], 'spec.pairs: must have at least 1 entry'],
    ['an unknown field', 'spec.callback.retry', 1, 'spec.callback.retry: is not a field'],
  ])('with %s is refused, field and remedy named', (_, path, value, words) => {
    expect(faultsOf(parseBank(changed(BANK, path, value))).join('\n')).toContain(words)
  })
})

describe('a folder of manifests', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bourse-manifests-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  const faultLines = (loaded: LoadedManifests): string => (loaded.ok ? '' : loaded.faults.map(formatFault).join('\n'))

  test('may hold several documents in a file, YAML endings of both kinds, and other files', async () => {
    await writeFile(join(folder, 'all.yml'), `${PAIR}\n---\n${BANK}\n---\n`)
    await writeFile(join(folder, 'notes.txt'), 'not a manifest')
    const loaded = await loadManifests(folder)
    expect(faultLines(loaded)).toBe('')
    expect(loaded).toMatchObject({ manifests: { pairs: [{ name: 'btc-usdc' }], banks: [{ name: 'demo' }] } })
  })

  test('tells the faults of all files together, each with its file, document and resource', async () => {
    await writeFile(join(folder, 'a.yaml'), PAIR.replace('"0.01"', '"0"'))
    await writeFile(join(folder, 'b.yaml'), `${BANK}\n---\n${BANK.replace('demo', 'other').replace('http:', 'ftp:')}`)
    await writeFile(join(folder, 'c.yaml'), 'kind: Pod\nmetadata: { name: x }')
    await writeFile(join(folder, 'd.yaml'), 'a: [1')
    await writeFile(join(folder, 'e.yaml'), 'kind: Bank\nkind: Bank')
    const lines = faultLines(await loadManifests(folder))
    expect(lines).toContain('a.yaml document 1 (TradingPair btc-usdc): spec.tickSize: tickSize must be above 0')
    expect(lines).toContain('b.yaml document 2 (Bank other): spec.callback.url')
    expect(lines).toContain('c.yaml document 1 (Pod x): kind: kind must be TradingPair or Bank')
    expect(lines).toContain('d.yaml document 1 (YAML)')
    expect(lines).toContain('e.yaml document 1 (YAML): document: Map keys must be unique')
  })

  test('with a name or a symbol twice is refused', async () => {
    await writeFile(join(folder, 'a.yaml'), PAIR)
    await writeFile(join(folder, 'b.yaml'), PAIR.replace('btc-usdc', 'btc-two'))
    await writeFile(join(folder, 'c.yaml'), `${BANK}\n---\n${BANK}`)
    const lines = faultLines(await loadManifests(folder))
    expect(lines).toContain('b.yaml document 1 (TradingPair btc-two): spec.symbol: another TradingPair has this symbol')
    expect(lines).toContain('c.yaml document 2 (Bank demo): metadata.name: another manifest')
  })

  test('that blows up through aliases is refused, not expanded', async () => {
    const bomb = [
      'a0: &a0 [x]',
      ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`),
    ]
    await writeFile(join(folder, 'bomb.yaml'), bomb.join('\n'))
    expect(faultLines(await loadManifests(folder))).toContain('Excessive alias count')
  })

  test('that is missing is a fault, not an exception', async () => {
    expect((await loadManifests(join(folder, 'nowhere'))).ok).toBe(false)
  })

  test('resolves the file of a tape beside the manifest', async () => {
    await writeFile(join(folder, 'a.yaml'), PAIR.replace('source: walk', 'source: tape, file: tapes/x.csv'))
    const loaded = await loadManifests(folder)
    expect(loaded).toMatchObject({
      manifests: { pairs: [{ spec: { prices: { source: { file: join(folder, 'tapes/x.csv') } } } }] },
    })
  })

  test('the samples are without fault: three pairs and the demo bank', async () => {
    const loaded = await loadManifests(join(import.meta.dirname, '../../../../crds/samples'))
    expect(faultLines(loaded)).toBe('')
    expect(loaded).toMatchObject({ manifests: { pairs: [{}, {}, {}], banks: [{ name: 'demo' }] } })
  })

  test('is read again after a change, faults included, and not after the watch was stopped', async () => {
    await writeFile(join(folder, 'a.yaml'), PAIR)
    const seen: LoadedManifests[] = []
    const watching = await watchManifests(
      folder,
      (loaded) => void seen.push(loaded),
      (error) => {
        throw error
      },
    )
    const last = (): LoadedManifests | undefined => seen.at(-1)
    await writeFile(join(folder, 'a.yaml'), PAIR.replace('state: Open', 'state: Halted'))
    // Half a file may be seen before, by who looks between two steps of the writer.
    const stateOf = (loaded = last()) => (loaded?.ok === true ? loaded.manifests.pairs[0]?.spec.state : undefined)
    await until(() => stateOf() === 'Halted')
    await writeFile(join(folder, 'a.yaml'), 'broken: [')
    await until(() => last()?.ok === false)
    await watching.stop()
    const count = seen.length
    await writeFile(join(folder, 'a.yaml'), PAIR)
    expect(seen).toHaveLength(count)
  })
})
