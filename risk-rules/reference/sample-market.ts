import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { systemAccount } from '../src/ledger/accounts.ts'
import type { SpecCommand } from '../src/trading/codec.ts'

/** First moment of the sample market, ms: a Tuesday at 08:00 UTC, an instant of funding. */
export const SAMPLE_START_MS = 1_767_081_600_000n

/** The sample pair of the contract, BTC against USDC, as a trading partition hears of it. */
export const sampleSpec: SpecCommand = {
  tickSize: parseAmount('0.01'),
  lotSize: parseAmount('0.00001'),
  minMargin: parseAmount('1'),
  maxNotional: parseAmount('1000000'),
  maxNetNotional: parseAmount('5000000'),
  maxOpenTrades: 200,
  maxLeverage: 100,
  openBps: parseAmount('5'),
  closeBps: parseAmount('5'),
  liquidationBps: parseAmount('50'),
  spreadBps: 0n,
  fundingRateBps: parseAmount('1'),
  fundingCapBps: parseAmount('75'),
  maxAgeMs: 5_000n,
  fundingIntervalSeconds: 28_800,
  state: 0,
  quoteCurrency: 'USDC',
  house: systemAccount('house:BTC_USDC'),
  fees: systemAccount('fees'),
  clearing: systemAccount('clearing'),
  insurance: systemAccount('insurance:BTC_USDC'),
  insurancePartition: partitionNumber('ledger', 5),
  marketNumber: 1,
  partitionIndex: 0,
  capacity: 0,
  tiers: [
    { floor: 0n, rate: parseAmount('0.004'), maxLeverage: 100 },
    { floor: parseAmount('250000'), rate: parseAmount('0.01'), maxLeverage: 50 },
  ],
}
