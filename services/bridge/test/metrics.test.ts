import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { codeOfNumber, refusalNumbers } from '@bourse/common/errors/codes.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { fuzzed } from '@bourse/common/testkit/fuzz.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import type { BankCallbacks } from '../src/adapters/bank-callbacks.ts'
import type { LiquidityProvider } from '../src/adapters/liquidity-provider.ts'
import { decodeBacklog, encodeBacklog } from '../src/codec/backlog.ts'
import { endedIn } from '../src/codec/ended.ts'
import { decodeReply, encodeReply } from '../src/codec/reply.ts'
import { isFinal } from '../src/codec/transaction.ts'
import { createBacklogShow } from '../src/metrics/backlog.ts'
import { measuredCalls } from '../src/metrics/calls.ts'
import { createEndedTradeCount } from '../src/metrics/record.ts'
import { replies, text, u32 } from './fuzz/arbitraries.ts'
import { createWorld, moveOf, tradeOf } from './world.ts'

const CODES = Object.values(refusalNumbers)
const header = { kind: 2, id: new Uint8Array(16) }

describe('the ends of transactions', () => {
  test('are read where they lie as a whole decoding would read them', () => {
    fc.assert(
      fc.property(replies, (reply) => {
        const transactions = reply.transactions.map((one) => ({ ...one, code: CODES[one.code % CODES.length]! }))
        const outcome = encodeReply(header, { ...reply, transactions })
        const decoded = decodeReply(outcome)
          .transactions.filter(isFinal)
          .map(({ bank, type, code }) => ({ bank, type, code: codeOfNumber(code) }))
        expect(endedIn(outcome)).toEqual(decoded)
      }),
      fuzzed(),
    )
  })

  test('are counted once for each trade, by bank, side and outcome; deposits are none', async () => {
    const world = createWorld()
    world.move(moveOf({ amount: parseAmount('1000.00') }))
    world.trade(tradeOf())
    world.authorization('acknowledged')
    world.fill('filled', '1.6847', '58.48')
    world.trade(tradeOf({ idempotencyKey: 'key-2' }))
    world.authorization('declined')
    const metrics = createMetrics()
    const count = createEndedTradeCount(metrics)()
    for (const record of world.records) count(record)
    const lines = (await metrics.expose()).text.split('\n')
    expect(
      lines.filter((line) => line.startsWith('bourse_bridge_trades_total{') && !line.endsWith(' 0')).sort(),
    ).toEqual([
      'bourse_bridge_trades_total{bank="demo",side="buy",outcome="BANK_DECLINED"} 1',
      'bourse_bridge_trades_total{bank="demo",side="buy",outcome="COMPLETED"} 1',
    ])
  })
})

describe('the backlog', () => {
  test('comes back as it was encoded', () => {
    const backlogs = fc.array(
      fc.record({
        bank: text,
        inFlight: u32,
        oldestAt: fc.bigInt({ min: 0n, max: 1n << 50n }),
        eventsWaiting: u32,
        reversalsWaiting: u32,
      }),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(backlogs, (banks) => expect(decodeBacklog(encodeBacklog(header, banks))).toEqual(banks)),
      fuzzed(),
    )
  })

  test('shows what is under way, the age of the oldest, and what a bank has not acknowledged', async () => {
    const world = createWorld()
    world.move(moveOf({ amount: parseAmount('1000.00') }))
    world.trade(tradeOf())
    const metrics = createMetrics()
    const show = createBacklogShow(metrics, createManualClock(Number(world.now()) + 90_000))
    const title = 'bridge/0'
    await show.show({ partition: 0, title, query: async (question) => world.machine().query(question).bytes })
    const { text: shown } = await metrics.expose()
    expect(shown).toContain(`bourse_bridge_pending_trades{partition="${title}"} 1`)
    expect(shown).toContain(`bourse_bridge_oldest_pending_seconds{partition="${title}"} 90`)
    // The deposit's event is on its way.
    expect(shown).toContain('bourse_bridge_webhooks_waiting{bank="demo"} 1')
    show.forget(title)
    expect((await metrics.expose()).text).not.toContain('bourse_bridge_pending_trades{')
  })
})

test('calls are counted by how clear their answer was, with their time; what was given up is not counted', async () => {
  const clock = createManualClock(0)
  const metrics = createMetrics()
  const orders = ['filled', 'rejected', 'unknown'] as const
  let placed = 0
  const liquidity = {
    ticker: async () => {
      await clock.sleep(300)
      return { kind: 'unavailable', reason: 'it is down' }
    },
    place: () => Promise.resolve({ kind: orders[placed++] }),
    ask: () => Promise.resolve({ kind: 'rejected', reason: '' }),
  } as unknown as LiquidityProvider
  const callbacks = {
    authorize: () => Promise.resolve('declined'),
    reverse: () => Promise.reject(new Error('given up')),
    deliver: () => Promise.resolve(false),
  } as unknown as BankCallbacks
  const measured = measuredCalls({ liquidity, callbacks }, metrics, clock)
  const asked = measured.liquidity.ticker('AZNUSDT')
  await clock.advance(300)
  await asked
  for (const _ of orders) await measured.liquidity.place({} as never)
  await measured.liquidity.ask('tx_1')
  await measured.callbacks.authorize({} as never, {} as never, new AbortController().signal)
  await measured.callbacks.deliver({} as never, 'demo', '', new AbortController().signal)
  await expect(measured.callbacks.reverse({} as never, '', new AbortController().signal)).rejects.toThrow('given up')
  const { text: shown } = await metrics.expose()
  const risen = shown
    .split('\n')
    .filter((line) => line.startsWith('bourse_bridge_calls_total{') && !line.endsWith(' 0'))
  expect(risen.map((line) => line.slice('bourse_bridge_calls_total'.length)).sort()).toEqual([
    '{target="bank",operation="authorization",outcome="declined"} 1',
    '{target="bank",operation="webhook",outcome="failed"} 1',
    '{target="exchange",operation="order",outcome="answered"} 1',
    '{target="exchange",operation="order",outcome="declined"} 1',
    '{target="exchange",operation="order",outcome="failed"} 1',
    '{target="exchange",operation="order_status",outcome="answered"} 1',
    '{target="exchange",operation="ticker",outcome="failed"} 1',
  ])
  expect(shown).toContain('bourse_bridge_call_duration_seconds_sum{target="exchange",operation="ticker"} 0.3')
})
