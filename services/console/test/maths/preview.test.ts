import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { floorTo } from '@bourse/common/money/rounding.ts'
import { checkOpen } from '@bourse/risk-rules/reference/trading/checks.ts'
import {
  feeOf,
  isLiquidated,
  liquidationPriceOf,
  settlementOf,
  tiersOf,
  type RuleTrade,
} from '@bourse/risk-rules/reference/trading/rules.ts'
import { emptyState } from '@bourse/risk-rules/reference/trading/state.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import { directions } from '@bourse/risk-rules/trading/numbers.ts'
import type { Market } from '@bourse/client/shapes.ts'
import { createRiskPreview, type OpenPreview, type PreviewOrder, type PreviewQuote } from '../../src/maths/preview.ts'
import { specOf } from '../../src/maths/rules.ts'
import { decimalOf, market, markets } from './support.ts'

const wasm = loadTradingModule()
const units = (text: string | null): bigint => (text === null ? 0n : parseAmount(text))

/** The same answer by the reference arithmetic: plain bigint, straight from the contract's sentences. */
const byReference = (rules: Market, order: PreviewOrder, quote: PreviewQuote): OpenPreview => {
  const spec = specOf(rules)
  const tiers = tiersOf(spec.tiers)
  const [bid, ask] = [units(quote.bid), units(quote.ask)]
  const open = {
    account: new Uint8Array(16),
    ledgerPartition: 0x1000000,
    direction: directions[order.direction],
    leverage: order.leverage,
    margin: units(order.margin),
    stopLoss: units(order.stopLossPrice),
    takeProfit: units(order.takeProfitPrice),
    worstPrice: 0n,
    feedBid: bid,
    feedAsk: ask,
    quoteTime: 1n,
    openBps: spec.openBps,
  }
  const quantity = checkOpen(emptyState(), spec, tiers, open, { bid, ask })
  if (typeof quantity === 'string') return { ok: false, code: quantity }
  const entryPrice = order.direction === 'LONG' ? ask : bid
  const trade: RuleTrade = { ...open, quantity, entryPrice, fundingAtOpen: 0n, tiers }
  const openFee = feeOf(quantity, entryPrice, spec.openBps)
  const at = (price: bigint, reason: 'STOP_LOSS' | 'TAKE_PROFIT') => {
    const liquidated = isLiquidated(trade, price, 0n)
    const closed = settlementOf(trade, price, 0n, liquidated ? spec.liquidationBps : spec.closeBps)
    return {
      exitPrice: formatAmount(price),
      pnl: formatAmount(closed.pnl),
      fees: formatAmount(openFee + closed.fee),
      returned: formatAmount(closed.returned),
      reason: liquidated ? ('LIQUIDATION' as const) : reason,
    }
  }
  const liquidation = liquidationPriceOf(trade, 0n, spec.tickSize)
  const notional = (quantity * entryPrice).toString().padStart(17, '0')
  const fraction = notional.slice(-16).replace(/0+$/, '')
  return {
    ok: true,
    quantity: formatAmount(quantity),
    notional: `${notional.slice(0, -16)}${fraction === '' ? '' : `.${fraction}`}`,
    entryPrice: formatAmount(entryPrice),
    openFee: formatAmount(openFee),
    feeHold: formatAmount(feeOf(open.margin * BigInt(order.leverage), 100_000_000n, spec.openBps)),
    liquidationPrice: liquidation === 0n ? null : formatAmount(liquidation),
    atStop: order.stopLossPrice === null ? null : at(open.stopLoss, 'STOP_LOSS'),
    atTarget: order.takeProfitPrice === null ? null : at(open.takeProfit, 'TAKE_PROFIT'),
    atLiquidation: liquidation === 0n ? null : at(liquidation, 'STOP_LOSS'),
  }
}

const WHOLE = 100_000_000n

/** A market, a quote on its ticks, and an order around it: good ones, and ones that each check refuses. */
const situations = markets.chain((rules) => {
  const tick = parseAmount(rules.tickSize)
  const onTick = (text: string): string => formatAmount(floorTo(parseAmount(text), tick) + tick)
  const price = decimalOf(WHOLE, 100_000n * WHOLE).map(onTick)
  return fc.record({
    rules: fc.constant(rules),
    bid: price,
    spreadTicks: fc.bigInt({ min: 0n, max: 30n }),
    direction: fc.constantFrom('LONG' as const, 'SHORT' as const),
    margin: fc.oneof(decimalOf(WHOLE / 2n, 5_000n * WHOLE), decimalOf(WHOLE, 300_000n * WHOLE)),
    leverage: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 120 })),
    stopBps: fc.option(fc.integer({ min: -50, max: 3_000 })),
    targetBps: fc.option(fc.integer({ min: -50, max: 20_000 })),
    offTick: fc.integer({ min: 0, max: 20 }).map((chance) => chance === 0),
  })
})

describe('a preview', () => {
  test('is to the unit what the reference arithmetic says, accepted or refused, on a machine that has seen others', () => {
    const preview = createRiskPreview(wasm)
    const seen = { accepted: 0, liquidatedAtStop: 0, codes: new Set<string>() }
    fc.assert(
      fc.property(situations, ({ rules, bid, spreadTicks, direction, stopBps, targetBps, offTick, ...sizes }) => {
        const tick = parseAmount(rules.tickSize)
        const quote = { bid, ask: formatAmount(parseAmount(bid) + spreadTicks * tick) }
        const away = (bps: number | null, sign: bigint): string | null => {
          if (bps === null) return null
          const price = floorTo((parseAmount(bid) * (10_000n + sign * BigInt(bps))) / 10_000n, tick)
          return price <= 0n ? null : formatAmount(offTick && tick > 1n ? price + 1n : price)
        }
        const losing = direction === 'LONG' ? -1n : 1n
        const order = {
          ...sizes,
          direction,
          stopLossPrice: away(stopBps, losing),
          takeProfitPrice: away(targetBps, -losing),
        }
        const answer = preview.open(rules, order, quote)
        expect(answer).toEqual(byReference(rules, order, quote))
        if (!answer.ok) seen.codes.add(answer.code)
        else seen.accepted += 1
        if (answer.ok && answer.atStop?.reason === 'LIQUIDATION') seen.liquidatedAtStop += 1
      }),
      { numRuns: 1_500, seed: 8 },
    )
    expect(seen.accepted).toBeGreaterThan(300)
    expect(seen.liquidatedAtStop).toBeGreaterThan(20)
    expect([...seen.codes].sort()).toEqual([
      'INVALID_STOP_LOSS',
      'INVALID_TAKE_PROFIT',
      'LEVERAGE_TOO_HIGH',
      'MARGIN_TOO_SMALL',
      'NOTIONAL_TOO_HIGH',
      'WOULD_LIQUIDATE',
    ])
  })

  const order: PreviewOrder = {
    direction: 'LONG',
    margin: '100',
    leverage: 50,
    stopLossPrice: null,
    takeProfitPrice: null,
  }
  const quote: PreviewQuote = { bid: '59990', ask: '60010' }

  test.each<[string, Partial<PreviewOrder>, Partial<PreviewQuote>, string]>([
    ['margin that is no number', { margin: '1e3' }, {}, 'VALIDATION_ERROR'],
    ['no margin', { margin: '0' }, {}, 'VALIDATION_ERROR'],
    ['margin beyond what the platform reads', { margin: '90000000001' }, {}, 'VALIDATION_ERROR'],
    ['half a leverage', { leverage: 1.5 }, {}, 'VALIDATION_ERROR'],
    ['a stop at zero', { stopLossPrice: '0' }, {}, 'VALIDATION_ERROR'],
    ['no price yet', {}, { ask: '' }, 'PRICE_STALE'],
  ])('of %s is refused as the platform would', (_, changes, prices, code) => {
    const answer = createRiskPreview(wasm).open(market(), { ...order, ...changes }, { ...quote, ...prices })
    expect(answer).toEqual({ ok: false, code })
  })

  test('follows the market: halted, closing only, other fees', () => {
    const preview = createRiskPreview(wasm)
    const codeIn = (state: Market['state']): string => {
      const answer = preview.open(market({ state }), order, quote)
      return answer.ok ? 'OK' : answer.code
    }
    expect([codeIn('Halted'), codeIn('ReduceOnly'), codeIn('Open')]).toEqual([
      'MARKET_HALTED',
      'MARKET_REDUCE_ONLY',
      'OK',
    ])
    const dear = preview.open(market({ fees: { openBps: '10', closeBps: '5', liquidationBps: '50' } }), order, quote)
    expect(dear).toMatchObject({ ok: true, openFee: '4.9994331', feeHold: '5' })
  })

  test('of a small trade is not changed by the largest one seen before it', () => {
    const preview = createRiskPreview(wasm)
    const cheap = market({
      tickSize: '0.00000001',
      lotSize: '1',
      limits: { maxOpenTrades: null, maxNotional: null, minMargin: '0' },
    })
    const far = { ...order, margin: '1', leverage: 1, takeProfitPrice: '900000' }
    const before = preview.open(cheap, far, { bid: '0.5', ask: '0.5' })
    const large = preview.open(cheap, { ...order, margin: '1000', leverage: 2 }, { bid: '0.0000001', ask: '0.0000001' })
    expect(large).toMatchObject({ ok: true, quantity: '20000000000' })
    expect(before).toMatchObject({ ok: true, atTarget: { exitPrice: '900000' } })
    expect(preview.open(cheap, far, { bid: '0.5', ask: '0.5' })).toEqual(before)
  })

  test('goes on past the number of trades that one trial market takes', () => {
    const preview = createRiskPreview(wasm)
    const asked = { ...order, stopLossPrice: '59500', takeProfitPrice: '63000' }
    const first = preview.open(market(), asked, quote)
    for (let count = 0; count < 800; count++) preview.open(market(), asked, quote)
    expect(preview.open(market(), asked, quote)).toEqual(first)
  })
})
