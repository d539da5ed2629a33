import { beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { ManifestRecord } from '../../src/ports/directory.ts'
import { createManifestSet, SpecRefused, type ManifestSetDeps } from '../../src/resources/manifest-set.ts'
import { parseStored } from '../../src/resources/stored.ts'
import { manifestDefaults } from '../../src/resources/trading-pair.ts'
import { inRoot } from '../../tooling/paths.mjs'

type Sample = { kind: ManifestRecord['kind']; metadata: { name: string }; spec: Record<string, unknown> }
const sample = (file: string): Sample => parse(readFileSync(inRoot(`crds/samples/${file}`), 'utf8')) as Sample

/** A sample as it is stored, under a name, with fields of its spec replaced. */
const record = (file: string, name: string, spec: object = {}, generation = 1): ManifestRecord => {
  const { kind, ...rest } = sample(file)
  const document = JSON.stringify({ kind, ...rest, metadata: { name }, spec: { ...rest.spec, ...spec } })
  return { kind, name, generation, document, fence: 1 }
}
const pair = (name: string, symbol: string, spec: object = {}, generation = 1): ManifestRecord =>
  record('btc-usdc.yaml', name, { symbol, ...spec }, generation)
const bank = (name: string, spec: object = {}, generation = 1): ManifestRecord =>
  record('bank-demo.yaml', name, spec, generation)

describe('stored manifests', () => {
  test('that can not be read are left out with the reason, and hurt no other', () => {
    const broken = { kind: 'TradingPair', name: 'broken', generation: 2, document: '{', fence: 1 } as const
    const renamed = { ...bank('one'), name: 'other' }
    const { pairs, banks, generations, unread } = parseStored(
      [bank('good', {}, 7), renamed, broken, pair('btc', 'BTC_USDC', { tickSize: 'x' }), pair('eth', 'ETH_USDC')],
      manifestDefaults,
    )
    expect(pairs.map(({ name }) => name)).toEqual(['eth'])
    expect(banks.map(({ name }) => name)).toEqual(['good'])
    expect(generations?.get('Bank/good')).toBe(7)
    expect(unread?.map(({ name, generation }) => [name, generation])).toEqual([
      ['other', 1],
      ['broken', 2],
      ['btc', 1],
    ])
    expect(unread?.[0]?.reason).toContain('stored as Bank other')
    expect(unread?.[2]?.reason).toContain('spec.tickSize')
  })

  test('of one symbol leave it to the pair that had it, whatever their names', () => {
    const late = pair('b', 'BTC_USDC')
    const before = parseStored([late], manifestDefaults)
    const both = [pair('a', 'BTC_USDC'), late]
    expect(parseStored(both, manifestDefaults).pairs.map(({ name }) => name)).toEqual(['a'])
    const after = parseStored(both, manifestDefaults, before)
    expect(after.pairs.map(({ name }) => name)).toEqual(['b'])
    expect(after.unread).toMatchObject([{ name: 'a', reason: expect.stringContaining('symbol') }])
  })
})

describe('a set of manifests', () => {
  const served = new Set<string>()
  const told: string[] = []
  let refusing: Record<string, SpecRefused> = {}
  beforeEach(() => {
    served.clear()
    told.length = 0
    refusing = {}
  })
  const apply = ({ kind, name, spec: { state } }: { kind: string; name: string; spec: { state: string } }) => {
    const refusal = refusing[name]
    if (refusal !== undefined) return Promise.reject(refusal)
    told.push(`${kind} ${name} ${state}`)
    return Promise.resolve()
  }
  const read = (...records: readonly ManifestRecord[]) => parseStored(records, manifestDefaults)
  const open = (records: readonly ManifestRecord[], more: Partial<ManifestSetDeps> = {}) => {
    const manifests = read(...records)
    for (const { spec } of manifests.pairs) served.add(spec.symbol)
    return createManifestSet({
      manifests,
      isServed: (symbol) => served.has(symbol),
      applyPair: apply,
      applyBank: apply,
      withCallback: (one) => one,
      addMarket: ({ spec }) => {
        served.add(spec.symbol)
        return Promise.resolve()
      },
      logger: pino({ level: 'silent' }),
      ...more,
    })
  }
  const changed = (...records: readonly ManifestRecord[]) => ({ ok: true, manifests: read(...records) }) as const

  test('that is live takes new pairs and banks, and names those that are gone no more', async () => {
    const dropped: string[] = []
    const set = open([pair('btc', 'BTC_USDC'), bank('one')], { dropMarket: ({ name }) => void dropped.push(name) })
    await set.change(changed(pair('eth', 'ETH_USDC'), bank('two')))
    expect(told.sort()).toEqual(['Bank two Active', 'TradingPair btc ReduceOnly', 'TradingPair eth Open'])
    expect(set.pairs().map(({ name }) => name)).toEqual(['eth'])
    expect(set.banks().map(({ name }) => name)).toEqual(['two'])
    expect(dropped).toEqual(['btc'])
    expect(set.progress().map(({ name, state }) => [name, state])).toEqual([
      ['eth', 'InForce'],
      ['two', 'InForce'],
    ])
  })

  test('tells the others of what one partition does not take, and tells that again', async () => {
    const set = open([pair('btc', 'BTC_USDC'), bank('one')])
    refusing = { btc: new SpecRefused('it is being moved', { isForNow: true }) }
    const next = changed(pair('btc', 'BTC_USDC', { state: 'Halted' }, 2), bank('one', { state: 'Suspended' }, 5))
    await expect(set.change(next)).rejects.toBeInstanceOf(SpecRefused)
    expect(told).toEqual(['Bank one Suspended'])
    expect(set.progress()).toEqual([
      { kind: 'TradingPair', name: 'btc', generation: 2, state: 'Pending', reason: 'it is being moved' },
      { kind: 'Bank', name: 'one', generation: 5, state: 'InForce', reason: null },
    ])
    refusing = { btc: new SpecRefused('no') }
    await expect(set.change(next)).rejects.toThrow('no')
    expect(set.progress()[0]).toMatchObject({ state: 'Refused', reason: 'no' })
    refusing = {}
    await set.change(next)
    expect(told).toEqual(['Bank one Suspended', 'TradingPair btc Halted'])
    expect(set.progress()[0]).toMatchObject({ generation: 2, state: 'InForce', reason: null })
  })

  test('keeps what stood before where a change is not allowed or can not be read', async () => {
    const set = open([pair('btc', 'BTC_USDC'), bank('one')])
    const broken = { ...bank('one', {}, 9), document: '[]' }
    await set.change(changed(pair('btc', 'BTC_USDC', { tickSize: '0.1' }, 2), broken))
    expect(told).toEqual([])
    expect(set.pairs()[0]?.spec.tickSize).toBe(1_000_000n)
    expect(set.banks().map(({ name }) => name)).toEqual(['one'])
    expect(set.progress()).toMatchObject([
      { name: 'btc', generation: 2, state: 'Refused', reason: expect.stringContaining('spec.tickSize') },
      { name: 'one', generation: 9, state: 'Refused' },
    ])
  })

  test('gives a symbol to another pair only once the one before has let go of it', async () => {
    const order: string[] = []
    const set = open([pair('old', 'BTC_USDC')], {
      applyPair: async ({ name }) => {
        if (name === 'old') await new Promise((resolve) => setTimeout(resolve, 20))
        order.push(name)
      },
    })
    await set.change(changed(pair('new', 'BTC_USDC')))
    expect(order).toEqual(['old', 'new'])
  })

  test('of a folder leaves new ones to the next start', async () => {
    const manifests = read(pair('btc', 'BTC_USDC'))
    served.add('BTC_USDC')
    const set = createManifestSet({
      manifests,
      isServed: (symbol) => served.has(symbol),
      ...{ applyPair: apply, applyBank: apply, withCallback: (one) => one },
      logger: pino({ level: 'silent' }),
    })
    const change = set.change(changed(pair('eth', 'ETH_USDC'), bank('one')))
    await expect(change).rejects.toThrow('restart to serve it')
    expect(set.pairs().map(({ name, spec }) => [name, spec.state])).toEqual([['btc', 'ReduceOnly']])
    expect(set.banks()).toEqual([])
  })
})
