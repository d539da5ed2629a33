import { beforeAll, describe, expect, test } from '@jest/globals'
import { play } from './support/play.ts'
import { seenIn, type Seen } from './support/seen.ts'

const SEEDS = 40
const STEPS = 250
/** What is played is judged by what came about in it, not by how long it took. */
const PLAY_MS_MAX = 1_800_000

/** Every answer that a request of these kinds can get, but for what only a bug gives. */
const answers = {
  'open-account': ['OK', 'UNAVAILABLE'],
  'open-trade': [
    'OK',
    'ACCOUNT_NOT_FOUND',
    'CAPACITY_EXCEEDED',
    'EXPOSURE_LIMIT',
    'IDEMPOTENCY_CONFLICT',
    'INSUFFICIENT_FUNDS',
    'INVALID_STOP_LOSS',
    'INVALID_TAKE_PROFIT',
    'LEVERAGE_TOO_HIGH',
    'MARGIN_TOO_SMALL',
    'MARKET_HALTED',
    'MARKET_NOT_FOUND',
    'MARKET_REDUCE_ONLY',
    'NOTIONAL_TOO_HIGH',
    'PRICE_MOVED',
    'PRICE_STALE',
    'TOO_MANY_TRADES',
    'UNAVAILABLE',
    'WOULD_LIQUIDATE',
    'nothing',
  ],
  'update-trade': [
    'OK',
    'IDEMPOTENCY_CONFLICT',
    'INVALID_STOP_LOSS',
    'INVALID_TAKE_PROFIT',
    'MARKET_HALTED',
    'PRICE_STALE',
    'TRADE_CLOSED',
    'TRADE_NOT_FOUND',
    'UNAVAILABLE',
    'nothing',
  ],
  'close-trade': [
    'OK',
    'IDEMPOTENCY_CONFLICT',
    'MARKET_HALTED',
    'PRICE_MOVED',
    'PRICE_STALE',
    'TRADE_CLOSED',
    'TRADE_NOT_FOUND',
    'UNAVAILABLE',
    'nothing',
  ],
  'open-trades': ['OK', 'UNAVAILABLE'],
  balances: ['OK', 'ACCOUNT_NOT_FOUND', 'UNAVAILABLE'],
  adjust: ['OK', 'ACCOUNT_NOT_FOUND', 'AMOUNT_OVERFLOW', 'IDEMPOTENCY_CONFLICT', 'INSUFFICIENT_FUNDS', 'UNAVAILABLE'],
  fund: ['OK', 'IDEMPOTENCY_CONFLICT', 'UNAVAILABLE'],
  correct: ['OK', 'IDEMPOTENCY_CONFLICT', 'INSUFFICIENT_FUNDS', 'TRANSACTION_NOT_FOUND', 'UNAVAILABLE'],
  'market-state': ['OK', 'UNAVAILABLE'],
  quote: ['OK', 'BANK_SUSPENDED', 'INSUFFICIENT_LIQUIDITY', 'UNAVAILABLE', 'VALIDATION_ERROR', 'nothing'],
  'cancel-quote': ['OK', 'QUOTE_NOT_FOUND', 'QUOTE_USED', 'UNAVAILABLE'],
  'bank-trade': [
    'OK',
    'BANK_CONNECTION_ERROR',
    'BANK_DECLINED',
    'BANK_SUSPENDED',
    'IDEMPOTENCY_CONFLICT',
    'INSUFFICIENT_FUNDS',
    'INSUFFICIENT_LIQUIDITY',
    'LIMIT_EXCEEDED',
    'PENDING',
    'QUOTE_EXPIRED',
    'QUOTE_NOT_FOUND',
    'QUOTE_USED',
    'SLIPPAGE',
    'UNAVAILABLE',
    'VALIDATION_ERROR',
    'nothing',
  ],
  'bank-move': [
    'OK',
    'AMOUNT_OVERFLOW',
    'BANK_SUSPENDED',
    'IDEMPOTENCY_CONFLICT',
    'INSUFFICIENT_FUNDS',
    'PENDING',
    'UNAVAILABLE',
    'VALIDATION_ERROR',
    'nothing',
  ],
  'bank-accounts': ['OK', 'NOT_FOUND', 'UNAVAILABLE'],
  'bank-transaction': ['OK', 'NOT_FOUND'],
  'bank-transaction-by-key': ['OK', 'NOT_FOUND'],
  'bank-transactions': ['OK'],
  'bank-events': ['OK'],
} as const

/** What must come about besides. */
const things = [
  'trade USER',
  'trade STOP_LOSS',
  'trade TAKE_PROFIT',
  'trade LIQUIDATION',
  'trade still open',
  'liquidation fee',
  'deficit refunded in full',
  'deficit refunded in part',
  'deficit refunded not at all',
  'funding paid',
  'funding received',
  'BUY COMPLETED',
  'BUY FAILED',
  'SELL COMPLETED',
  'SELL FAILED',
  'DEPOSIT COMPLETED',
  'DEPOSIT FAILED',
  'WITHDRAWAL COMPLETED',
  'WITHDRAWAL FAILED',
  'bank says AUTHORIZED',
  'bank says REVERSED',
  'repeat after a clear answer',
  'repeat while waiting',
  'repeat after an unclear answer',
  'repeat much later',
]

let seen: Seen
const seeds = new Map<string, number>()
const troubles: string[] = []

beforeAll(async () => {
  seen = new Map()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const played = await play(seed, { profile: 'mixed', steps: STEPS, isClean: false })
    for (const [what, count] of await seenIn(played)) {
      seen.set(what, (seen.get(what) ?? 0) + count)
      seeds.set(what, (seeds.get(what) ?? 0) + 1)
    }
    troubles.push(...[...played.stuck, ...played.workload.findings().map(({ message }) => message)])
    played.platform.close()
  }
}, PLAY_MS_MAX)

describe(`in ${SEEDS} runs of ${STEPS} steps`, () => {
  test.each(Object.entries(answers))('%s gets every answer it can get', (kind, codes) => {
    expect(codes.filter((code) => !seen.has(`${kind} ${code}`))).toEqual([])
  })

  test('trades end in every way, money moves in every way, keys are repeated at every moment', () => {
    expect(things.filter((what) => !seen.has(what))).toEqual([])
  })

  test('what matters most comes about in most runs', () => {
    const common = ['open-trade OK', 'trade LIQUIDATION', 'trade USER', 'BUY COMPLETED', 'SELL COMPLETED']
    const rare = common.filter((what) => (seeds.get(what) ?? 0) < (SEEDS * 2) / 3)
    expect(rare).toEqual([])
  })

  test('every run comes to its end, and nobody is thrown at', () => {
    expect(troubles).toEqual([])
  })
})
