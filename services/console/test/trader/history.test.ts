import { describe, expect, test } from '@jest/globals'
import { parse } from 'csv-parse/sync'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import type { ListedClosedTrade } from '@bourse/client/shapes.ts'
import { createClosedTrades, type ClosedPage } from '../../src/trader/closed-trades.ts'
import { csvOf, EVERYTHING, filtered } from '../../src/trader/history.ts'
import { netOf, totalsOf } from '../../src/trader/totals.ts'
import { closedTrade } from './support/samples.ts'

const numbered = (number: number, change: Partial<ListedClosedTrade> = {}): ListedClosedTrade =>
  closedTrade({
    tradeId: `trade_${number}`,
    openedAt: new Date(Date.UTC(2026, 10, 21, 10, number)).toISOString(),
    ...change,
  })

const idsOf = (trades: readonly ListedClosedTrade[]): string[] => trades.map(({ tradeId }) => tradeId)

describe('what trades came to', () => {
  test('is exact to the last unit', () => {
    const totals = totalsOf([closedTrade({ pnl: '0.00000001', fees: '0.1', funding: '-0.2' }), closedTrade()])
    expect(totals).toEqual({
      count: 2,
      liquidations: 0,
      pnl: '100.00000001',
      fees: '10.15',
      funding: '0.3',
      net: '89.55000001',
    })
  })

  test('is never more than margin and fees, however far the price jumped', () => {
    const gapped = closedTrade({ pnl: '-1500', fees: '5', funding: '0.5', returned: '0', reason: 'LIQUIDATION' })
    expect(netOf(gapped)).toBe('-1005')
    expect(netOf(closedTrade({ pnl: '-999.5', fees: '5', funding: '0.5', returned: '0' }))).toBe('-1005')
  })
})

describe('filters', () => {
  test('let through what fits all of them', () => {
    const trades = [
      numbered(1, { reason: 'LIQUIDATION' }),
      numbered(2, { asset: 'ETH_USDC' }),
      numbered(3, { direction: 'SHORT', reason: 'LIQUIDATION' }),
    ]
    expect(idsOf(filtered(trades, EVERYTHING))).toHaveLength(3)
    expect(idsOf(filtered(trades, { ...EVERYTHING, reason: 'LIQUIDATION' }))).toEqual(['trade_1', 'trade_3'])
    expect(idsOf(filtered(trades, { ...EVERYTHING, asset: 'ETH_USDC' }))).toEqual(['trade_2'])
    expect(filtered(trades, { asset: 'ETH_USDC', direction: 'SHORT', reason: null })).toEqual([])
  })
})

/** The file as another program reads it. */
const rowsOf = (text: string): readonly Record<string, string>[] => {
  const [head = [], ...rows]: string[][] = parse(text)
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])))
}

describe('the file', () => {
  test('is read back by another program with the very digits and times of the server', () => {
    const trade = closedTrade({ stopLossPrice: null, pnl: '-0.00000001' })
    const rows = rowsOf(csvOf([trade]))
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      tradeId: 'trade_1',
      pnl: '-0.00000001',
      stopLossPrice: '',
      net: netOf(trade),
      closedAt: '2026-11-21T11:00:00.000Z',
    })
  })

  test('keeps fields with separators, quotes and line ends whole', () => {
    const trade = closedTrade({ tradeId: 'a,"b"\nc' })
    expect(rowsOf(csvOf([trade]))[0]?.['tradeId']).toBe('a,"b"\nc')
  })
})

describe('reading page by page', () => {
  const pages: Readonly<Record<string, ClosedPage>> = {
    first: { trades: [numbered(9), numbered(8)], nextCursor: 'second' },
    second: { trades: [numbered(8), numbered(5)], nextCursor: null },
  }
  const reader = () => createClosedTrades(async (cursor) => pages[cursor ?? 'first']!)

  test('gives every trade once, newest opened first, and knows when it is all', async () => {
    const closed = reader()
    await closed.more()
    expect(closed.state.getSnapshot()).toMatchObject({ isRead: true, hasMore: true })
    await closed.more()
    expect(idsOf(closed.state.getSnapshot().trades)).toEqual(['trade_9', 'trade_8', 'trade_5'])
    expect(closed.state.getSnapshot().hasMore).toBe(false)
  })

  test('puts a trade that closes into its place, unless its page is still to come', async () => {
    const closed = reader()
    await closed.more()
    closed.add(numbered(10))
    closed.add(numbered(3))
    closed.add(numbered(9))
    expect(idsOf(closed.state.getSnapshot().trades)).toEqual(['trade_10', 'trade_9', 'trade_8'])
    await closed.more()
    closed.add(numbered(3))
    expect(idsOf(closed.state.getSnapshot().trades)).toEqual(['trade_10', 'trade_9', 'trade_8', 'trade_5', 'trade_3'])
  })

  test('says why a page could not be read, keeps the others, and goes on from there', async () => {
    let broken = true
    const closed = createClosedTrades(async (cursor) => {
      if (cursor !== null && broken) throw new BourseRefusal({ status: 503, code: 'UNAVAILABLE', message: 'later' })
      return pages[cursor ?? 'first']!
    })
    await closed.more()
    await closed.more()
    expect(closed.state.getSnapshot()).toMatchObject({ failure: { code: 'UNAVAILABLE' }, reading: false })
    expect(closed.state.getSnapshot().trades).toHaveLength(2)
    broken = false
    await closed.more()
    expect(closed.state.getSnapshot()).toMatchObject({ failure: null, hasMore: false })
  })

  test('an answer to what was forgotten meanwhile is not shown', async () => {
    const answers: ((page: ClosedPage) => void)[] = []
    const closed = createClosedTrades(() => new Promise((resolve) => answers.push(resolve)))
    const old = closed.more()
    const fresh = closed.again()
    answers[1]?.({ trades: [numbered(2)], nextCursor: null })
    answers[0]?.({ trades: [numbered(1)], nextCursor: null })
    await Promise.all([old, fresh])
    expect(idsOf(closed.state.getSnapshot().trades)).toEqual(['trade_2'])
  })
})
