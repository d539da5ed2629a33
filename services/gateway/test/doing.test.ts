import { describe, expect, test } from '@jest/globals'
import { refuse, type RefusalCode } from '@bourse/common/errors/codes.ts'
import { httpStatusOf } from '@bourse/common/errors/http.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { OWN_FAILURE_CODES } from '../../observability/src/objectives/objectives.ts'
import { ApiError } from '../src/http/api-error.ts'
import { createBankTelemetry } from '../src/metrics/banks.ts'
import { doingOf } from '../src/metrics/doing.ts'
import { createOrderTelemetry } from '../src/metrics/orders.ts'

/** Answers of 5xx that are not the platform's doing: an exchange's, a bank's, a price feed's. */
const OTHERS: readonly RefusalCode[] = ['INSUFFICIENT_LIQUIDITY', 'BANK_CONNECTION_ERROR', 'PRICE_STALE']

describe('whose doing a refusal is', () => {
  test('every 5xx is the platform’s own but those of others, and the objectives count no code that is not', () => {
    const codes = Object.keys(doingOf) as RefusalCode[]
    const wrong = codes.filter(
      (code) => httpStatusOf[code] >= 500 && doingOf[code] !== (OTHERS.includes(code) ? 'refused' : 'failed'),
    )
    expect(wrong).toEqual([])
    expect(OWN_FAILURE_CODES.filter((code) => doingOf[code] !== 'failed')).toEqual([])
  })

  test('orders are counted by it, with the time since they came, a bug as the platform’s failure', async () => {
    const metrics = createMetrics()
    const clock = createManualClock(0)
    const orders = createOrderTelemetry(metrics, clock)
    const startedMs = clock.monotonicMs()
    await clock.advance(30)
    const answer = (code: RefusalCode) => () => Promise.resolve({ result: refuse(code, '') })
    await orders.measure('CREATE_TRADE', startedMs, () => Promise.resolve({ result: { ok: true, value: 1 } }))
    await orders.measure('CREATE_TRADE', startedMs, answer('PRICE_MOVED'))
    await orders.measure('CREATE_TRADE', startedMs, answer('UNAVAILABLE'))
    await orders.measure('GET_BALANCE', startedMs, answer('UNAVAILABLE'))
    const bug = orders.measure('CLOSE_TRADE', startedMs, () => Promise.reject(new Error('a bug')))
    await expect(bug).rejects.toThrow('a bug')
    const invalid = orders.measure('CLOSE_TRADE', startedMs, () =>
      Promise.reject(new ApiError('VALIDATION_ERROR', 'no amount')),
    )
    await expect(invalid).rejects.toThrow('no amount')
    await orders.measure('UPDATE_TRADE', startedMs, answer('INVALID_STOP_LOSS'))
    const { text } = await metrics.expose()
    const of = (operation: string, outcome: string): string =>
      `bourse_orders_total{operation="${operation}",outcome="${outcome}"}`
    for (const outcome of ['accepted', 'refused', 'failed']) expect(text).toContain(`${of('open', outcome)} 1\n`)
    expect(text).toContain(`${of('update', 'refused')} 1\n`)
    expect(text).toContain(`${of('update', 'failed')} 0\n`)
    expect(text).toContain(`${of('close', 'accepted')} 0\n`)
    expect(text).toContain(`${of('close', 'refused')} 1\n`)
    expect(text).toContain(`${of('close', 'failed')} 1\n`)
    expect(text).toContain('bourse_order_duration_seconds_sum{operation="open"} 0.09\n')
    expect(text).toContain('bourse_order_duration_seconds_count{operation="close"} 2\n')
  })

  test('trades of banks are counted by how they ended: a bank or exchange that is down is not our failure', async () => {
    const metrics = createMetrics()
    const clock = createManualClock(0)
    const banks = createBankTelemetry(metrics, clock)
    const final = (status: string, errorCode: string | null) => () =>
      Promise.resolve({ ok: true, value: { kind: 'final', transaction: { status, errorCode } } } as never)
    await banks.trade('demo', 'BUY', 0, final('COMPLETED', null))
    for (const code of ['INSUFFICIENT_LIQUIDITY', 'BANK_CONNECTION_ERROR', 'LIMIT_EXCEEDED'])
      await banks.trade('demo', 'BUY', 0, final('FAILED', code))
    await banks.trade('demo', 'SELL', 0, final('FAILED', 'ENGINE_FAULT'))
    await banks.trade('demo', 'SELL', 0, () => Promise.resolve(refuse('UNAVAILABLE', '')))
    await banks.trade('demo', 'SELL', 0, () =>
      Promise.resolve({ ok: true, value: { kind: 'pending', transactionId: 'tx_1' } }),
    )
    await expect(banks.trade('demo', 'SELL', 0, () => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug')
    const { text } = await metrics.expose()
    const of = (side: string, outcome: string): string =>
      `bourse_bank_trades_total{bank="demo",side="${side}",outcome="${outcome}"}`
    expect(text).toContain(`${of('buy', 'completed')} 1\n`)
    expect(text).toContain(`${of('buy', 'refused')} 3\n`)
    expect(text).toContain(`${of('sell', 'failed')} 3\n`)
    expect(text).toContain(`${of('sell', 'pending')} 1\n`)
    expect(text).toContain('bourse_bank_trade_duration_seconds_count{side="sell"} 4\n')
  })
})
