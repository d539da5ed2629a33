import { BourseRefusal } from '@bourse/client/refusal.ts'
import type { BourseClient } from '@bourse/client/client.ts'
import type { BourseStream, PriceMessage, StreamState, TradeMessage, TradesOptions } from '@bourse/client/stream.ts'
import type { Balances, Price, ValuedTrade } from '@bourse/client/shapes.ts'
import type { DeskClock } from '../../src/session/clock.ts'
import { market } from '../maths/support.ts'

/** A clock that stands still until told to move; frames are drawn when told to. */
export const createFakeClock = () => {
  let nowMs = Date.parse('2026-03-01T12:00:00.000Z')
  const plans = new Set<{ readonly atMs: number; readonly task: () => void }>()
  const frames = new Set<() => void>()
  /** Lets promises that are ready go on. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
  const clock: DeskClock = {
    nowMs: () => nowMs,
    schedule: (delayMs, task) => {
      const plan = { atMs: nowMs + delayMs, task }
      plans.add(plan)
      return () => void plans.delete(plan)
    },
    frame: (task) => {
      frames.add(task)
      return () => void frames.delete(task)
    },
  }
  return {
    clock,
    settle,
    draw: (): void => {
      const due = [...frames]
      frames.clear()
      for (const task of due) task()
    },
    pass: async (ms: number): Promise<void> => {
      const endMs = nowMs + ms
      await settle()
      for (;;) {
        const next = [...plans].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
        if (next === undefined) break
        plans.delete(next)
        nowMs = Math.max(nowMs, next.atMs)
        next.task()
        await settle()
      }
      nowMs = endMs
    },
  }
}

/** A stream whose messages the test sends. */
export const createFakeStream = () => {
  const prices = new Map<string, Set<(message: PriceMessage) => void>>()
  const states = new Set<(state: StreamState) => void>()
  let reader: TradesOptions | null = null
  let state: StreamState = { state: 'open' }
  let sequence = 0
  const counts = { reconnects: 0, stops: 0 }
  const stream: BourseStream = {
    prices: (asset, listener) => {
      const listeners = prices.get(asset) ?? new Set()
      prices.set(asset, listeners)
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    trades: (options) => {
      if (reader !== null) throw new Error('two readers')
      reader = options
      return () => void (reader = null)
    },
    onState: (listener) => {
      states.add(listener)
      listener(state)
      return () => void states.delete(listener)
    },
    reconnect: () => void (counts.reconnects += 1),
    stop: () => void (counts.stops += 1),
  }
  return {
    stream,
    counts,
    reader: () => reader,
    isFollowed: (asset: string): boolean => (prices.get(asset)?.size ?? 0) > 0,
    price: (data: Price): void => {
      for (const listener of prices.get(data.asset) ?? [])
        listener({ channel: `prices:${data.asset}`, sequence: data.sequence, data })
    },
    trade: (type: TradeMessage['type'], data: TradeMessage['data']): void => {
      sequence += 1
      reader?.onEvent({ channel: 'trades', sequence, time: '2026-03-01T12:00:00.000Z', type, data } as TradeMessage)
    },
    become: (next: StreamState): void => {
      state = next
      for (const listener of states) listener(next)
    },
  }
}

/** A trade of GET_BALANCE. */
export const valued = (tradeId: string, changes: Partial<ValuedTrade> = {}): ValuedTrade => ({
  tradeId,
  asset: 'BTC_USDC',
  direction: 'LONG',
  margin: '100',
  leverage: 10,
  quantity: '0.01666',
  entryPrice: '60000',
  liquidationPrice: '54240',
  stopLossPrice: null,
  takeProfitPrice: null,
  openedAt: `2026-03-01T11:00:0${tradeId.slice(1)}.000Z`,
  pnl: '1',
  fees: '0.5',
  funding: '0',
  ...changes,
})

/** A price of BTC_USDC. */
export const price = (sequence: number, changes: Partial<Price> = {}): Price => ({
  asset: 'BTC_USDC',
  bid: '59990',
  ask: '60010',
  last: '60000',
  time: '2026-03-01T12:00:00.000Z',
  sequence,
  ...changes,
})

/** The refusal of a call. */
export const refused = (code: string): BourseRefusal => new BourseRefusal({ status: 400, code, message: code })

/** A server whose answers the test sets; every call is counted. */
export const createFakeServer = (dateOf: () => number) => {
  const answers = {
    me: (): unknown => ({ success: true, data: { id: 'u1', email: 'a@b.c' } }),
    markets: (): unknown => ({ markets: [market()] }),
    candles: (): unknown => ({ asset: 'BTC_USDC', interval: '1m', candles: [] }),
    signIn: (): unknown => ({ success: true, data: { id: 'u1', email: 'a@b.c' } }),
    signOut: (): unknown => ({ success: true }),
    balance: async (): Promise<Balances> => ({ balances: [], trades: [] }),
    command: async (): Promise<unknown> => ({}),
  }
  const calls: string[] = []
  const response = () => new Response(null, { headers: { date: new Date(dateOf()).toUTCString() } })
  const answer = async (path: string): Promise<{ data: unknown; response: Response }> => {
    calls.push(path)
    const kinds = {
      '/api/v1/auth/me': answers.me,
      '/api/v1/markets': answers.markets,
      '/api/v1/candles': answers.candles,
      '/api/v1/auth/signin': answers.signIn,
      '/api/v1/auth/signup': answers.signIn,
      '/api/v1/auth/logout': answers.signOut,
    } as const
    const kind = kinds[path as keyof typeof kinds]
    return { data: kind(), response: response() }
  }
  const command = (name: string) => (): Promise<unknown> => {
    calls.push(name)
    return answers.command()
  }
  const client = {
    GET: answer,
    POST: answer,
    engine: {
      balance: () => {
        calls.push('balance')
        return answers.balance()
      },
      createTrade: command('createTrade'),
      closeTrade: command('closeTrade'),
      updateTrade: command('updateTrade'),
      createAccount: command('createAccount'),
    },
  } as unknown as BourseClient
  const countOf = (name: string): number => calls.filter((call) => call === name).length
  return { client, answers, calls, countOf }
}
