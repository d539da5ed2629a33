import { describe, expect, test } from '@jest/globals'
import { commandOrigins, decodeHeader, NO_ID } from '@bourse/common/kernel/command.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { insurancePartitionOf, systemAccount } from '@bourse/risk-rules/ledger/accounts.ts'
import { decodeSpec, tradingKinds, type SpecCommand } from '@bourse/risk-rules/trading/codec.ts'
import { specCommand } from '../src/host/spec.ts'
import { BTC, specOf, topology, type SpecParts } from './support.ts'

const units = parseAmount
const market = { symbol: BTC, market: 7, partitions: 4 }
const sent = (parts: SpecParts, index = 2): SpecCommand =>
  decodeSpec(specCommand(specOf(BTC, parts), topology, market, index))

describe('the SPEC command of a partition', () => {
  test('says everything the manifest says, in the machine’s units', () => {
    const spec = sent({
      state: 'ReduceOnly',
      fees: { openBps: '5', closeBps: '6.5', liquidationBps: '50' },
      spreadBps: '2',
      funding: { intervalSeconds: 3_600, rateBps: '-1.25', capBps: '75' },
      prices: { maxAgeSeconds: 9 },
      limits: { maxOpenTrades: 11, maxNotional: '1000', maxNetNotional: '5000', minMargin: '3' },
      engine: { partitions: 4, capacity: 123 },
    })
    expect(spec).toEqual({
      tickSize: units('0.01'),
      lotSize: units('0.00001'),
      minMargin: units('3'),
      maxNotional: units('1000'),
      maxNetNotional: units('1250'),
      maxOpenTrades: 11,
      maxLeverage: 100,
      openBps: units('5'),
      closeBps: units('6.5'),
      liquidationBps: units('50'),
      spreadBps: units('2'),
      fundingRateBps: units('-1.25'),
      fundingCapBps: units('75'),
      maxAgeMs: 9_000n,
      fundingIntervalSeconds: 3_600,
      state: 1,
      quoteCurrency: 'USDC',
      house: systemAccount('house:BTC_USDC'),
      fees: systemAccount('fees'),
      clearing: systemAccount('clearing'),
      insurance: systemAccount('insurance:BTC_USDC'),
      insurancePartition: partitionNumber('ledger', insurancePartitionOf(BTC, 2)),
      marketNumber: 7,
      partitionIndex: 2,
      capacity: 123,
      tiers: [
        { floor: 0n, rate: units('0.004'), maxLeverage: 100 },
        { floor: units('250000'), rate: units('0.01'), maxLeverage: 50 },
      ],
    })
  })

  test('a limit the manifest is silent about is none', () => {
    const { minMargin, maxNotional, maxNetNotional, maxOpenTrades } = sent({})
    expect([minMargin, maxNotional, maxNetNotional, maxOpenTrades]).toEqual([0n, 0n, 0n, 0])
  })

  test('the net notional of all partitions together is never above the pair’s', () => {
    const shares = [0, 1, 2, 3].map((index) => sent({ limits: { maxNetNotional: '0.00000007' } }, index).maxNetNotional)
    expect(shares).toEqual([1n, 1n, 1n, 1n])
  })

  test('it has no id, so that going back to an earlier spec takes effect', () => {
    const header = decodeHeader(specCommand(specOf(BTC), topology, market, 0))
    expect(header).toMatchObject({ kind: tradingKinds.spec, origin: commandOrigins.client, id: NO_ID })
  })
})
