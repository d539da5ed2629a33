import { describe, expect, test } from '@jest/globals'
import type { TradeMessage } from '@bourse/client/stream.ts'
import { barsChange, dayChangeBps } from '../../src/trader/bars.ts'
import { chartLines, TRADES_DRAWN_MAX } from '../../src/trader/chart-lines.ts'
import { emailFault, newPasswordFault, passwordFault } from '../../src/trader/credentials.ts'
import { healthOf } from '../../src/trader/health.ts'
import { hindranceOf, type Conditions } from '../../src/trader/readiness.ts'
import { createTraderState } from '../../src/trader/state.ts'
import { messageOfEvent } from '../../src/trader/trader.ts'
import { worthOf } from '../../src/trader/wallet.ts'
import { closedTrade, deskTrade, market, openTrade } from './support/samples.ts'

describe('why an order cannot be sent', () => {
  const ready: Conditions = {
    connection: 'open',
    signedIn: 'signed-in',
    account: 'open',
    marketState: 'Open',
    freshness: 'fresh',
  }

  test('nothing stands in the way of a fresh price, an open market and an account', () => {
    for (const action of ['open', 'close', 'update'] as const) expect(hindranceOf(action, ready)).toBeNull()
  })

  test.each([
    ['session', { signedIn: 'anonymous' }],
    ['session', { signedIn: 'expired' }],
    ['session', { signedIn: 'unknown' }],
    ['connection', { connection: 'waiting' }],
    ['connection', { connection: 'connecting' }],
    ['account', { account: 'none' }],
    ['account', { account: 'loading' }],
    ['account', { account: 'failed' }],
    ['halted', { marketState: 'Halted' }],
    ['price', { freshness: 'stale' }],
    ['price', { freshness: 'none' }],
  ] as const)('%s: %j stops opening, closing and setting a stop alike', (name, change) => {
    for (const action of ['open', 'close', 'update'] as const)
      expect(hindranceOf(action, { ...ready, ...change })?.name).toBe(name)
  })

  test('a market that only reduces stops opening and nothing else', () => {
    const reducing: Conditions = { ...ready, marketState: 'ReduceOnly' }
    expect(hindranceOf('open', reducing)?.name).toBe('reduce-only')
    expect(hindranceOf('close', reducing)).toBeNull()
    expect(hindranceOf('update', reducing)).toBeNull()
  })

  test('who is not signed in or has no account is told the way', () => {
    expect(hindranceOf('open', { ...ready, signedIn: 'expired', connection: 'waiting' })?.act).toBe('sign-in')
    expect(hindranceOf('open', { ...ready, account: 'none' })?.act).toBe('open-account')
  })
})

describe('credentials', () => {
  test('a password is counted in bytes of its normal form, as the server counts', () => {
    expect(newPasswordFault('1234567')).toContain('7 of at least 8')
    expect(newPasswordFault('12345678')).toBeNull()
    expect(newPasswordFault('éééé')).toBeNull()
    expect(newPasswordFault('ﬁ'.repeat(3))).toContain('6 of at least 8')
    expect(newPasswordFault('x'.repeat(129))).toContain('129 of at most 128')
    expect(passwordFault('old')).toBeNull()
  })

  test('an e-mail has a name, an at and a dotted domain', () => {
    expect(emailFault(' Name@Example.com ')).toBeNull()
    for (const text of ['', 'name', 'name@example', '@example.com', 'a b@example.com', 'a@@example.com'])
      expect(emailFault(text)).not.toBeNull()
  })
})

describe('margin health', () => {
  test.each([
    [10_000, 'good', 100],
    [5_000, 'good', 50],
    [4_999, 'watch', 49],
    [2_000, 'watch', 20],
    [1_999, 'danger', 19],
    [0, 'gone', 0],
  ] as const)('%i basis points of the way left is %s at %i %%', (bps, state, percent) => {
    expect(healthOf(bps, true)).toMatchObject({ state, percent })
  })

  test('says so when nothing liquidates it, and when there is no price', () => {
    expect(healthOf(null, false)).toMatchObject({ state: 'good', percent: 100 })
    expect(healthOf(null, true)).toMatchObject({ state: 'none' })
  })
})

describe('bars', () => {
  const bar = (minute: number, close = '1') => ({
    openTime: new Date(Date.UTC(2026, 10, 21, 0, minute)).toISOString(),
    open: '1',
    high: '2',
    low: '1',
    close,
  })
  const before = [bar(1), bar(2), bar(3)]

  test('that only grew or went on are drawn at their end alone', () => {
    expect(barsChange(before, before)).toEqual({ kind: 'none' })
    expect(barsChange(before, [...before])).toEqual({ kind: 'none' })
    expect(barsChange(before, [bar(1), bar(2), bar(3, '2')])).toEqual({ kind: 'tail', bars: [bar(3, '2')] })
    expect(barsChange(before, [bar(2), bar(3, '2'), bar(4)])).toEqual({ kind: 'tail', bars: [bar(3, '2'), bar(4)] })
  })

  test('that are others are drawn anew', () => {
    expect(barsChange([], before)).toEqual({ kind: 'all' })
    expect(barsChange(before, [bar(7), bar(8)])).toEqual({ kind: 'all' })
    expect(barsChange(before, [bar(1), bar(2, '9'), bar(3)])).toEqual({ kind: 'all' })
    expect(barsChange(before, [])).toEqual({ kind: 'all' })
  })

  test('the change of a day is from its open', () => {
    expect(dayChangeBps({ open: '100', close: '98.5' })).toBe(-150)
    expect(dayChangeBps(undefined)).toBeNull()
  })
})

describe('lines across the chart', () => {
  test('are those of this market, of the newest trades, and of the ticket', () => {
    const planned = { entryPrice: null, liquidationPrice: '45000', stopLossPrice: null, takeProfitPrice: '52000' }
    const lines = chartLines('BTC_USDC', [openTrade, { ...openTrade, asset: 'ETH_USDC' }], planned)
    expect(lines.map(({ kind, price, planned: isPlanned }) => [kind, price, isPlanned])).toEqual([
      ['entry', '50000', false],
      ['liquidation', '45180.72', false],
      ['stop', '49000', false],
      ['liquidation', '45000', true],
      ['target', '52000', true],
    ])
  })

  test('are not more than can be told apart, and the oldest trades go first', () => {
    const trades = Array.from({ length: 9 }, (_, index) => ({
      ...openTrade,
      openedAt: `2026-11-21T10:0${index}:00.000Z`,
      entryPrice: `${50_000 + index}`,
    }))
    const entries = chartLines('BTC_USDC', trades, null).filter(({ kind }) => kind === 'entry')
    expect(entries).toHaveLength(TRADES_DRAWN_MAX)
    expect(entries[0]?.price).toBe('50008')
  })
})

describe('what is said of an event', () => {
  const said = (event: Partial<TradeMessage>) =>
    messageOfEvent({ channel: 'trades', sequence: 1, time: '', ...event } as TradeMessage, () => market)

  test('a liquidation is grave, and says what was left', () => {
    const data = closedTrade({
      reason: 'LIQUIDATION',
      pnl: '-950',
      fees: '55',
      funding: '0',
      returned: '0',
      exitPrice: '45180.72',
    })
    const message = said({ type: 'trade.closed', data })
    expect(message).toMatchObject({ name: 'liquidated', tone: 'danger', title: 'Long 10× BTC/USDC was liquidated' })
    expect(message.words).toContain('At 45,180.72: −1,005.00\u00a0USDC in all, 0.00\u00a0USDC came back.')
  })

  test('opened, changed, closed and stopped have words of their own', () => {
    expect(said({ type: 'trade.opened', data: openTrade })).toMatchObject({ name: 'opened', tone: 'good' })
    expect(said({ type: 'trade.updated', data: openTrade })).toMatchObject({ name: 'updated' })
    expect(said({ type: 'trade.closed', data: closedTrade() }).title).toBe('Long 10× BTC/USDC: closed by you')
    expect(said({ type: 'trade.closed', data: closedTrade({ reason: 'STOP_LOSS' }) }).tone).toBe('warn')
  })
})

describe('messages', () => {
  test('that went well pass, others stay, and only the newest are shown', () => {
    const passing: number[] = []
    const state = createTraderState((id) => passing.push(id))
    for (const tone of ['good', 'danger', 'info', 'warn'] as const)
      state.say({ name: tone, tone, title: tone, words: '' })
    expect(state.messages.getSnapshot().map(({ tone }) => tone)).toEqual(['danger', 'info', 'warn'])
    expect(passing).toEqual([1, 3])
    state.unsay(3)
    expect(state.messages.getSnapshot().map(({ tone }) => tone)).toEqual(['danger', 'warn'])
    state.levels('BTC_USDC').set({ stop: '1', target: '' })
    state.forget()
    expect(state.messages.getSnapshot()).toEqual([])
    expect(state.levels('BTC_USDC').getSnapshot().stop).toBe('')
  })
})

describe('what an account is worth', () => {
  const account = { balances: [{ asset: 'USDC', available: '5000', locked: '1005' }], trades: [deskTrade] }

  test('is what is available and locked with gains less funding, exactly', () => {
    const [worth] = worthOf(account, () => ({ bid: '50100', ask: '50110' }))
    expect(worth).toMatchObject({ margins: '1000', otherHolds: '5', unrealized: '19.5', equity: '6024.5' })
  })

  test('is not guessed without a price or before funding is known', () => {
    expect(worthOf(account, () => null)[0]).toMatchObject({ unrealized: null, equity: null })
    const opened = { ...account, trades: [{ ...deskTrade, funding: null }] }
    expect(worthOf(opened, () => ({ bid: '50100', ask: '50110' }))[0]?.equity).toBeNull()
  })
})
