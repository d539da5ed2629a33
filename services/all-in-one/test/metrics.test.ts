import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { CATALOGUE, type SeriesName } from '@bourse/common/telemetry/catalogue/catalogue.ts'
import type { SeriesDefinition } from '@bourse/common/telemetry/catalogue/definition.ts'
import { newKey, until } from './support/calls.ts'
import { bankClient, codeOf } from './support/clients.ts'
import { LIMIT_MS } from './support/limits.ts'
import { insist } from './support/load.ts'
import { readSeries, type Series } from './support/series.ts'
import { readTrades } from './support/socket.ts'
import { bought, closed, opened, sold } from './support/sure.ts'
import { CUSTOMER, startWorld, type World } from './support/world.ts'

/** Shown only once a label has more values than its bound: never here. */
const NEVER_HERE: readonly SeriesName[] = ['bourse_series_clamped_total']

const names = (profile: 'all' | 'embedded'): SeriesName[] =>
  (Object.entries(CATALOGUE) as [SeriesName, SeriesDefinition][])
    .filter(([, definition]) => profile === 'all' || definition.profile !== 'distributed')
    .map(([name]) => name)

describe('the series of the platform of one process', () => {
  let world: World
  let socket: Awaited<ReturnType<typeof readTrades>>
  const seriesWhen = (isSo: (series: Series) => boolean): Promise<Series> =>
    until(() => readSeries(world.bourse.url), isSo)

  /** Trades of a trader and of a bank: opened, closed, refused, liquidated with a loss that the margin does not cover. */
  const trade = async (): Promise<void> => {
    const { trader, btc, bourse } = world
    socket = await readTrades(bourse.url, trader.cookie, 0)
    expect(codeOf(await trader.open({ asset: 'BTC_USDC', margin: '0.01', leverage: 2 }))).toBe('MARGIN_TOO_SMALL')
    const short = { asset: 'BTC_USDC', direction: 'SHORT', margin: '10', leverage: 2 }
    await closed(trader, (await opened(trader, short)).tradeId)
    await opened(trader, { asset: 'BTC_USDC', margin: '10', leverage: 100 })
    const bank = bankClient(bourse.url)
    await bank.quote(CUSTOMER, '10.00')
    await bought(bank, CUSTOMER, '100.00')
    await sold(bank, CUSTOMER, '1')
    const key = newKey()
    expect(codeOf(await insist(() => bank.buy(CUSTOMER, '100000.00', key)))).toBe('INSUFFICIENT_FUNDS')
    btc.set('50000')
  }

  beforeAll(async () => {
    world = await startWorld()
    await trade()
  }, LIMIT_MS)
  afterAll(async () => {
    await socket.close()
    await world.stop()
  })

  test(
    'are all those that the catalogue names, each with data, and no others',
    async () => {
      const wanted = names('embedded').filter((name) => !NEVER_HERE.includes(name))
      const missingIn = (series: Series): SeriesName[] => wanted.filter((name) => series.of(name).length === 0)
      const series = await seriesWhen(
        (found) => missingIn(found).length === 0 && found.sum('bourse_trading_deficits_total') > 0,
      ).catch(() => readSeries(world.bourse.url))
      expect(missingIn(series)).toEqual([])
      const known = new Set<string>(names('all'))
      const foreign = [...series.declared].filter((name) => !known.has(name) && !/^(nodejs|process)_/.test(name))
      expect(foreign).toEqual([])
      expect(NEVER_HERE.filter((name) => series.of(name).length > 0)).toEqual([])
      expect(series.samples.filter(({ value }) => Number.isNaN(value))).toEqual([])
    },
    LIMIT_MS,
  )

  test(
    'say what happened, and that the books are in balance',
    async () => {
      const series = await seriesWhen(({ sum }) => sum('bourse_trading_closes_total', { reason: 'liquidation' }) === 1)
      const { sum } = series
      // The world itself opened two longs and closed one of them.
      expect(sum('bourse_trading_opens_total', { direction: 'long' })).toBe(3)
      expect(sum('bourse_trading_opens_total', { direction: 'short' })).toBe(1)
      expect(sum('bourse_trading_closes_total', { reason: 'client' })).toBe(2)
      expect(sum('bourse_trading_refusals_total', { code: 'MARGIN_TOO_SMALL' })).toBe(1)
      expect(sum('bourse_trading_deficits_total')).toBeGreaterThan(0)
      expect(sum('bourse_trading_deficit_units_total')).toBeGreaterThan(0)
      expect(sum('bourse_orders_total', { operation: 'open', outcome: 'accepted' })).toBe(4)
      expect(sum('bourse_orders_total', { operation: 'close', outcome: 'accepted' })).toBe(2)
      expect(sum('bourse_orders_total', { outcome: 'failed' })).toBe(0)
      expect(sum('bourse_bridge_trades_total', { bank: 'demo', outcome: 'COMPLETED' })).toBe(2)
      expect(sum('bourse_bank_trades_total', { bank: 'demo', outcome: 'completed' })).toBe(2)
      expect(sum('bourse_bank_refusals_total', { bank: 'demo', code: 'INSUFFICIENT_FUNDS' })).toBe(1)
      expect(sum('bourse_bank_quotes_total', { bank: 'demo', outcome: 'given' })).toBe(1)
      expect(sum('bourse_bridge_calls_total', { operation: 'order', outcome: 'answered' })).toBe(2)
      expect(sum('bourse_ws_sockets')).toBe(1)
      expect(sum('bourse_partition_settlement_seconds_count')).toBeGreaterThan(0)
      expect(series.of('bourse_ledger_imbalance_units').length).toBeGreaterThan(0)
      expect(series.of('bourse_ledger_imbalance_units').filter(({ value }) => value !== 0)).toEqual([])
    },
    LIMIT_MS,
  )

  test(
    'show money at rest: nothing clears, nothing is held, and every system account stands where the books have it',
    async () => {
      await closed(world.trader, world.openId)
      const underWay = ({ sum, of }: Series) => {
        const clearing = new Map<string, number>()
        for (const { labels, value } of of('bourse_ledger_clearing_units'))
          clearing.set(labels['currency']!, (clearing.get(labels['currency']!) ?? 0) + value)
        return {
          holds: sum('bourse_ledger_holds'),
          openTrades: sum('bourse_trading_open_trades'),
          locked: sum('bourse_ledger_locked_units'),
          clearing: [...clearing.values()].filter((units) => units !== 0),
        }
      }
      const nothing = { holds: 0, openTrades: 0, locked: 0, clearing: [] }
      // Partitions are looked at one after the other: what goes from one to the next is seen in neither or in both.
      const series = await seriesWhen((found) => isDeepStrictEqual(underWay(found), nothing)).catch(() =>
        readSeries(world.bourse.url),
      )
      expect(underWay(series)).toEqual(nothing)
      expect(series.sum('bourse_ledger_system_units', { kind: 'fees', currency: 'USDC' })).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )

  test(
    'count nothing again when the journal is replayed',
    async () => {
      await socket.close()
      await world.bourse.kill()
      await world.bourse.start()
      const { sum } = await seriesWhen(({ sum: total }) => total('bourse_ledger_system_units', { kind: 'fees' }) > 0)
      expect(sum('bourse_partition_sequence')).toBeGreaterThan(0)
      expect(sum('bourse_trading_opens_total')).toBe(0)
      expect(sum('bourse_trading_closes_total')).toBe(0)
      expect(sum('bourse_bridge_trades_total')).toBe(0)
    },
    LIMIT_MS,
  )
})
