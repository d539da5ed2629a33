import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { assetOfPartition } from '../src/codec/asset.ts'
import { createTradeCount } from '../src/metrics/record.ts'
import { BTC, codeOf, keyed, openPlatform, topology, userAt, valueOf, type Platform } from './support.ts'

let platform: Platform
const ann = userAt(0)
/** The partition of BTC_USDC that has the trades of ann. */
const PARTITION = partitionNumber('trading', 0, 1)
beforeEach(async () => {
  platform = await openPlatform()
  await platform.fund(ann, '1000')
})
afterEach(() => platform.end())

/** The lines of a counter that every record of the partition was told to once. */
const counted = async (): Promise<(series: string) => string[]> => {
  await platform.settled()
  const metrics = createMetrics()
  const count = createTradeCount(metrics, assetOfPartition(topology.markets))(PARTITION)
  for (const record of await platform.records(PARTITION)) count(record)
  const { text } = await metrics.expose()
  return (series) =>
    text.split('\n').filter((line) => line.startsWith(`bourse_trading_${series}{`) && !line.endsWith(' 0'))
}

test('opens are counted by direction, closes by reason, those of a tick too, and a repeat of a key not again', async () => {
  const margin = { margin: parseAmount('10'), leverage: 10 }
  const opened = valueOf(await platform.open(ann, { ...margin, identity: keyed('open') }))
  valueOf(await platform.open(ann, { ...margin, identity: keyed('open') }))
  valueOf(await platform.open(ann, { ...margin, direction: 'SHORT', stopLossPrice: parseAmount('101') }))
  valueOf(await platform.open(ann, { ...margin, takeProfitPrice: parseAmount('102') }))
  valueOf(await platform.open(ann, { ...margin, direction: 'SHORT', leverage: 50 }))
  valueOf(await platform.close(ann, opened.tradeId, { identity: keyed('close') }))
  valueOf(await platform.close(ann, opened.tradeId, { identity: keyed('close') }))
  await platform.quote(BTC, '105')
  const lines = await counted()
  const of = (labels: string): string => `{symbol="BTC_USDC",${labels}}`
  expect(lines('opens_total')).toEqual([
    `bourse_trading_opens_total${of('direction="long"')} 2`,
    `bourse_trading_opens_total${of('direction="short"')} 2`,
  ])
  expect(lines('closes_total').sort()).toEqual([
    `bourse_trading_closes_total${of('reason="client"')} 1`,
    `bourse_trading_closes_total${of('reason="liquidation"')} 1`,
    `bourse_trading_closes_total${of('reason="stop_loss"')} 1`,
    `bourse_trading_closes_total${of('reason="take_profit"')} 1`,
  ])
})

test('a deficit is counted with its money: what the loss was beyond the margin', async () => {
  valueOf(await platform.open(ann, { margin: parseAmount('10'), leverage: 100 }))
  // 1,000 of notional fall by 5 %: 50 are lost, and the margin is 10.
  await platform.quote(BTC, '95')
  const lines = await counted()
  expect(lines('deficits_total')).toEqual(['bourse_trading_deficits_total{symbol="BTC_USDC"} 1'])
  expect(lines('deficit_units_total')).toEqual([
    `bourse_trading_deficit_units_total{symbol="BTC_USDC"} ${Number(parseAmount('40'))}`,
  ])
})

test('an update is counted when it is refused: it opens and closes nothing', async () => {
  const { tradeId } = valueOf(await platform.open(ann, { margin: parseAmount('10'), leverage: 10 }))
  const stopLossPrice = parseAmount('95')
  valueOf(await platform.update(ann, tradeId, { stopLossPrice, identity: keyed('update') }))
  valueOf(await platform.update(ann, tradeId, { stopLossPrice, identity: keyed('update') }))
  expect(codeOf(await platform.update(ann, tradeId, { stopLossPrice: parseAmount('100') }))).toBe('INVALID_STOP_LOSS')
  const lines = await counted()
  expect(lines('refusals_total')).toEqual([
    'bourse_trading_refusals_total{symbol="BTC_USDC",code="INVALID_STOP_LOSS"} 1',
  ])
  expect([lines('opens_total').length, lines('closes_total')]).toEqual([1, []])
})

test('refusals are counted by code', async () => {
  const refused = { margin: parseAmount('10'), leverage: 101 }
  expect(codeOf(await platform.open(ann, refused))).toBe('LEVERAGE_TOO_HIGH')
  expect(codeOf(await platform.open(ann, refused))).toBe('LEVERAGE_TOO_HIGH')
  const lines = await counted()
  expect(lines('refusals_total')).toEqual([
    'bourse_trading_refusals_total{symbol="BTC_USDC",code="LEVERAGE_TOO_HIGH"} 2',
  ])
  expect(lines('opens_total')).toEqual([])
})
