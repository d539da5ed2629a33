import { describe, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import {
  closeReasons,
  directions,
  type ClosedTrade,
  type CloseReasonName,
  type OpenTrade,
} from '@bourse/risk-rules/trading/codec.ts'
import { closedTradeFields, closedTradeJson, openTradeFields, openTradeJson } from '../src/codec/present.ts'

const units = parseAmount
const partition = partitionNumber('trading', 3, 2)
const open: OpenTrade = {
  tradeNumber: 77n,
  quantity: units('2.3324'),
  entryPrice: units('100.03'),
  liquidationPrice: units('86.08'),
  openFee: units('0.11665499'),
  openedAt: 1_767_081_600_123n,
  margin: units('33.33'),
  stopLoss: units('95'),
  takeProfit: 0n,
  direction: directions.LONG,
  leverage: 7,
  account: new Uint8Array(16).fill(1),
  openId: new Uint8Array(16).fill(2),
  fundingAtOpen: units('-0.5'),
  ledgerPartition: partitionNumber('ledger', 1),
}
const closed: ClosedTrade = {
  ...open,
  exitPrice: units('100.02'),
  pnl: units('-0.023324'),
  fees: units('0.23329832'),
  returned: units('33.19003267'),
  closedAt: 1_767_081_661_000n,
  funding: units('-0.00000001'),
  deficit: 0n,
  closeFee: units('0.11664333'),
  reason: closeReasons.USER,
}

describe('trades as clients know them', () => {
  test('an open trade: its public id, null for what it has not, and what funding costs so far', () => {
    const { account: _a, openId: _o, ledgerPartition: _l, fundingAtOpen: _f, tradeNumber: _t, ...same } = open
    const { openedAt, stopLoss, takeProfit: _none, ...rest } = same
    expect(openTradeFields('ETH_USDC', partition, open, units('0.25'))).toEqual({
      ...rest,
      tradeId: 'trade_144959613005987917',
      asset: 'ETH_USDC',
      direction: 'LONG',
      stopLossPrice: stopLoss,
      takeProfitPrice: null,
      openedAtMs: Number(openedAt),
      fundingCost: units('1.7493'),
    })
  })

  test('funding is paid by the one side and received by the other, rounded up either way', () => {
    const costs = (direction: number, today: string): bigint =>
      openTradeFields('ETH_USDC', partition, { ...open, direction, quantity: 15_000_000n }, units(today)).fundingCost
    expect(costs(directions.LONG, '-0.49999999')).toBe(1n)
    expect(costs(directions.SHORT, '-0.49999999')).toBe(0n)
    expect(costs(directions.LONG, '-0.50000010')).toBe(-1n)
    expect(costs(directions.SHORT, '-0.50000010')).toBe(2n)
  })

  test('on the wire: decimal strings with the digits there are, ISO times, and nothing of the inside', () => {
    const shared = {
      tradeId: 'trade_144959613005987917',
      asset: 'ETH_USDC',
      direction: 'SHORT',
      margin: '33.33',
      leverage: 7,
      quantity: '2.3324',
      entryPrice: '100.03',
      liquidationPrice: null,
      stopLossPrice: '95',
      takeProfitPrice: null,
      openedAt: '2025-12-30T08:00:00.123Z',
    }
    const change = { direction: directions.SHORT, liquidationPrice: 0n }
    expect(openTradeJson(openTradeFields('ETH_USDC', partition, { ...open, ...change }, 0n))).toEqual(shared)
    expect(closedTradeJson(closedTradeFields('ETH_USDC', partition, { ...closed, ...change }))).toEqual({
      ...shared,
      exitPrice: '100.02',
      pnl: '-0.023324',
      fees: '0.23329832',
      funding: '-0.00000001',
      returned: '33.19003267',
      reason: 'USER',
      closedAt: '2025-12-30T08:01:01.000Z',
    })
  })

  test('each reason has its word, and a number that is none is a bug', () => {
    const reasonOf = (reason: number): CloseReasonName =>
      closedTradeFields('ETH_USDC', partition, { ...closed, reason }).reason
    expect([0, 1, 2, 3].map(reasonOf)).toEqual(['USER', 'STOP_LOSS', 'TAKE_PROFIT', 'LIQUIDATION'])
    expect(() => reasonOf(4)).toThrow('4 is none of USER, STOP_LOSS, TAKE_PROFIT, LIQUIDATION')
    expect(() => openTradeFields('ETH_USDC', partition, { ...open, direction: 2 }, 0n)).toThrow(RangeError)
  })
})
