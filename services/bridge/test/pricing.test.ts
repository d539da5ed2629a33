import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseAmount, UNITS_PER_WHOLE } from '@bourse/common/money/amount.ts'
import { dealAt, executionPrice } from '../src/machine/pricing.ts'
import { entryLegs, fillLegs, fillFiat } from '../src/codec/legs.ts'
import type { BankLeg } from '../src/codec/legs.ts'
import type { Transaction } from '../src/codec/transaction.ts'
import { decodeTransaction, encodeTransaction } from '../src/codec/transaction.ts'
import { bytes16, demoRules } from './world.ts'

const pair = demoRules().pairs[0]!

const transactionOf = (change: Partial<Transaction>): Transaction => ({
  id: bytes16('id'),
  commandId: bytes16('command'),
  requestHash: bytes16('hash'),
  bank: 'demo',
  bankUserId: 'Ə user',
  idempotencyKey: 'k',
  type: 'BUY',
  quoteName: '',
  reference: '',
  symbol: 'AZNUSDT',
  fiatCurrency: 'AZN',
  cryptoCurrency: 'USDT',
  fiatAmount: 1n,
  cryptoAmount: 1n,
  price: 1n,
  tickerPrice: 1n,
  spreadEarned: 0n,
  priceDecimals: 4,
  cryptoDecimals: 2,
  number: 1n,
  createdAt: 1n,
  step: 4,
  reserved: 0n,
  authorizationCalled: true,
  executedPrice: 1n,
  executedQuantity: 1n,
  attempt: 0,
  holdAttempt: 0,
  retryAt: 0n,
  settled: false,
  fillBooked: false,
  code: 0,
  message: '',
  finishedAt: 0n,
  ledgerNumber: 0n,
  balancesAfter: [-1n, 2n],
  eventSequence: 0n,
  totalsAfter: [{ currency: 'AZN', amount: -(10n ** 20n) }],
  ...change,
})

const sums = (legs: readonly BankLeg[]): bigint[] => {
  const byCurrency = new Map<string, bigint>()
  for (const leg of legs) byCurrency.set(leg.currency, (byCurrency.get(leg.currency) ?? 0n) + leg.amount)
  return [...byCurrency.values()]
}

const side = fc.constantFrom('BUY', 'SELL')
const price = fc.bigInt(1n, 10n ** 14n)
const step = fc.constantFrom(1n, 10n ** 3n, 10n ** 4n, 10n ** 6n, 10n ** 8n, 7n)
const spread = fc.bigInt(0n, 999_999_999_999n)

describe('The price and the amounts', () => {
  test('of the contract: 1.6847 with 1.5 % is 1.7100, 100.00 gives 58.47.', () => {
    const deal = dealAt('BUY', parseAmount('1.6847'), parseAmount('100'), pair)
    expect(deal).toEqual({
      price: parseAmount('1.71'),
      tickerPrice: parseAmount('1.6847'),
      fiatAmount: parseAmount('100'),
      cryptoAmount: parseAmount('58.47'),
      spreadEarned: parseAmount('1.495591'),
    })
    expect(executionPrice('SELL', parseAmount('1.6847'), pair)).toBe(parseAmount('1.6594'))
  })

  test('are rounded in the house’s favour by less than a step, and the spread earned is never negative.', () => {
    fc.assert(
      fc.property(
        side,
        price,
        fc.bigInt(1n, 10n ** 18n),
        step,
        step,
        spread,
        (which, ticker, amount, tickSize, lotSize, spreadBps) => {
          const rules = { ...pair, tickSize, lotSize, spreadBps }
          const deal = dealAt(which, ticker, amount, rules)
          if (deal === null) return
          const whole = 10n ** 12n
          const exact = ticker * (which === 'BUY' ? whole + spreadBps : whole - spreadBps)
          const off = which === 'BUY' ? deal.price * whole - exact : exact - deal.price * whole
          expect(off >= 0n && off < tickSize * whole).toBe(true)
          expect(deal.price % tickSize).toBe(0n)
          expect(deal.spreadEarned >= 0n).toBe(true)
          const [paid, given] = [deal.fiatAmount * UNITS_PER_WHOLE, deal.cryptoAmount * deal.price]
          if (which === 'BUY') {
            expect(deal.cryptoAmount % lotSize).toBe(0n)
            expect(paid - given >= 0n && paid - given < lotSize * deal.price).toBe(true)
            expect(paid - deal.spreadEarned * UNITS_PER_WHOLE - deal.cryptoAmount * ticker).toBeGreaterThanOrEqual(0n)
          } else {
            expect(deal.fiatAmount % 1_000_000n).toBe(0n)
            expect(given - paid >= 0n && given - paid < 1_000_000n * UNITS_PER_WHOLE).toBe(true)
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('The legs', () => {
  test('sum to zero in each currency whatever was executed, and bring the omnibus account back to where it was.', () => {
    const amount = fc.bigInt(1n, 10n ** 16n)
    fc.assert(
      fc.property(
        side,
        amount,
        amount,
        amount,
        amount,
        amount,
        (type, fiatAmount, cryptoAmount, spreadEarned, executedPrice, executedQuantity) => {
          const transaction = transactionOf({
            type,
            fiatAmount,
            cryptoAmount,
            spreadEarned,
            executedPrice,
            executedQuantity,
          })
          const entries = entryLegs(transaction)
          const fill = fillLegs(transaction)
          expect(entries).toHaveLength(4)
          expect([...sums(entries), ...sums(fill)].every((sum) => sum === 0n)).toBe(true)
          const omnibus = [...entries, ...fill].filter((leg) => leg.kind === 'omnibus')
          expect(sums(omnibus).every((sum) => sum === 0n)).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('of a fill round its cost against the house.', () => {
    const odd = { executedPrice: 3n, executedQuantity: 50_000_000n }
    expect(fillFiat(transactionOf({ ...odd, type: 'BUY' }))).toBe(2n)
    expect(fillFiat(transactionOf({ ...odd, type: 'SELL' }))).toBe(1n)
  })
})

describe('A transaction as bytes', () => {
  test('comes back as it was.', () => {
    const transaction = transactionOf({ type: 'WITHDRAWAL', message: 'Ə'.repeat(100) })
    expect(decodeTransaction(encodeTransaction(transaction))).toEqual(transaction)
  })

  test('is refused when a byte is missing.', () => {
    const bytes = encodeTransaction(transactionOf({}))
    expect(() => decodeTransaction(bytes.subarray(0, bytes.length - 1))).toThrow('bytes wanted')
  })
})
