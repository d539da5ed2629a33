import { describe, expect, test } from '@jest/globals'
import { createNormaliser } from '../src/normaliser.ts'
import type { SourceQuote } from '../src/normaliser.ts'
import { whole } from './helpers.ts'

const MAX_JUMP_BPS = 2_000n * 100_000_000n
const make = () => createNormaliser({ symbol: 'BTC_USDC', maxJumpBps: MAX_JUMP_BPS, maxAgeMs: 5_000 })

let timeMs = 1_000_000
const quote = (price: bigint, more: Partial<SourceQuote> = {}): SourceQuote => {
  timeMs += 1
  return { feedBid: price, feedAsk: price, last: price, exchangeTimeMs: timeMs, receiveTimeMs: timeMs, ...more }
}
const outcomes = (quotes: readonly SourceQuote[]): string[] => {
  const normaliser = make()
  return quotes.map((each) => normaliser.accept(each)).map((each) => (each.ok ? 'believed' : each.reason))
}

describe('the normaliser', () => {
  test('numbers what it believes without gaps from the first sequence on, and counts what it refuses by reason', () => {
    const normaliser = createNormaliser({ symbol: 'X_Y', maxJumpBps: MAX_JUMP_BPS, maxAgeMs: null, firstSequence: 70 })
    const good = quote(whole(100))
    expect(normaliser.accept(good)).toEqual({ ok: true, quote: { symbol: 'X_Y', ...good, sequence: 70 } })
    normaliser.accept(quote(0n))
    expect(normaliser.accept(quote(whole(100)))).toMatchObject({ quote: { sequence: 71 } })
    expect(normaliser.rejected()).toMatchObject({ 'not-positive': 1, crossed: 0 })
  })

  test.each([
    ['a bid of zero', { feedBid: 0n }, 'not-positive'],
    ['a negative ask', { feedAsk: -1n }, 'not-positive'],
    ['a last of zero', { last: 0n }, 'not-positive'],
    ['a bid one unit above the ask', { feedBid: whole(100) + 1n }, 'crossed'],
    ['an ask more than twice the bid', { feedBid: whole(49) }, 'absurd'],
    ['a last above one billion', { last: whole(1_000_000_001) }, 'absurd'],
  ])('refuses %s', (_, more, reason) => {
    expect(outcomes([quote(whole(100), more)])).toEqual([reason])
  })

  test('takes a bid equal to the ask and a price of one unit', () => {
    expect(outcomes([quote(1n)])).toEqual(['believed'])
  })

  test('drops a quote older than the last, not one of the same moment', () => {
    const first = quote(whole(100))
    expect(outcomes([first, first, quote(whole(100), { exchangeTimeMs: first.exchangeTimeMs - 1 })])).toEqual([
      'believed',
      'believed',
      'out-of-order',
    ])
  })

  test('refuses a quote that is too old when it arrives, or far ahead of it', () => {
    const at = (ageMs: number): SourceQuote =>
      quote(whole(100), { exchangeTimeMs: timeMs - ageMs, receiveTimeMs: timeMs })
    expect(outcomes([at(5_000)])).toEqual(['believed'])
    expect(outcomes([at(5_001)])).toEqual(['stale'])
    expect(outcomes([at(-10_000)])).toEqual(['believed'])
    expect(outcomes([at(-10_001)])).toEqual(['future'])
  })

  test('goes on when our clock was set back', () => {
    const before = quote(whole(100))
    const back = before.receiveTimeMs - 3_600_000
    expect(outcomes([before, { ...before, exchangeTimeMs: back, receiveTimeMs: back }])).toEqual([
      'believed',
      'believed',
    ])
  })

  test('believes a move of exactly maxJumpBps, either way, and not one unit more', () => {
    const start = quote(whole(100))
    expect(outcomes([start, quote(whole(120))])).toEqual(['believed', 'believed'])
    expect(outcomes([start, quote(whole(80))])).toEqual(['believed', 'believed'])
    expect(outcomes([start, quote(whole(120) + 1n)])).toEqual(['believed', 'jump'])
    expect(outcomes([start, quote(whole(80) - 1n)])).toEqual(['believed', 'jump'])
  })

  test('believes a jump with the third consecutive quote that agrees, and goes on from there', () => {
    expect(
      outcomes([whole(100), whole(150), whole(151), whole(152), whole(160), whole(100)].map((price) => quote(price))),
    ).toEqual(['believed', 'jump', 'jump', 'believed', 'believed', 'jump'])
  })

  test('starts the count anew when a quote of the old price comes between, or when quotes disagree', () => {
    expect(outcomes([100, 150, 150, 100, 150, 150, 150].map((price) => quote(whole(price))))).toEqual([
      'believed',
      'jump',
      'jump',
      'believed',
      'jump',
      'jump',
      'believed',
    ])
    expect(outcomes([100, 150, 200, 300, 300, 300].map((price) => quote(whole(price))))).toEqual([
      'believed',
      'jump',
      'jump',
      'jump',
      'jump',
      'believed',
    ])
  })

  test('lets a quote refused for another reason count neither for nor against a jump', () => {
    const crossed = quote(whole(150), { feedBid: whole(151) })
    const [first, second, third, fourth] = [100, 150, 150, 150].map((price) => quote(whole(price)))
    expect(outcomes([first!, second!, crossed, third!, crossed, fourth!])).toEqual([
      'believed',
      'jump',
      'crossed',
      'jump',
      'crossed',
      'believed',
    ])
  })

  test('does not let creeping quotes pass as agreeing: each must agree with all that wait', () => {
    expect(outcomes([100, 150, 179, 214].map((price) => quote(whole(price))))).toEqual([
      'believed',
      'jump',
      'jump',
      'jump',
    ])
  })
})
