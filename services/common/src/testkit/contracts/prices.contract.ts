import { expect } from '@jest/globals'
import type { FeedQuote, Prices } from '../../ports/prices.ts'
import { withPriceFaults } from '../faults/ports.ts'
import { describeContract, until, type Opened, type Subject } from './scenario.ts'

const quote = (sequence: number, symbol = 'BTC/USDC'): FeedQuote => ({
  symbol,
  sequence,
  feedBid: 6_000_000_000_000n + BigInt(sequence),
  feedAsk: 2n ** 62n + BigInt(sequence),
  last: 6_000_000_000_001n,
  exchangeTimeMs: 1_780_000_000_000 + sequence,
  receiveTimeMs: 1_780_000_000_001 + sequence,
})
const sequences = (quotes: readonly FeedQuote[]): number[] => quotes.map(({ sequence }) => sequence)
const noting =
  (seen: FeedQuote[]) =>
  (found: FeedQuote): void =>
    void seen.push(found)

/** The Prices contract. Under `forgets` it holds that what comes is right and in order, not that it comes. */
export const pricesContract = (subject: Subject<Opened<Prices>>): void =>
  describeContract(subject, withPriceFaults, (define) => {
    define(
      'P1 subscribers get the quotes of their symbol, whole, in order of sequence',
      async ({ port }) => {
        const seen: FeedQuote[] = []
        port.subscribe('BTC/USDC', noting(seen))
        port.publish(quote(1, 'ETH/USDC'))
        for (const sequence of [1, 2, 5, 9]) port.publish(quote(sequence))
        await until(() => seen.length === 4)
        expect(seen).toEqual([1, 2, 5, 9].map((sequence) => quote(sequence)))
      },
      ['forgets'],
    )

    define('P1 a quote that is not newer is dropped', async ({ port, harness }) => {
      const seen: FeedQuote[] = []
      port.subscribe('BTC/USDC', noting(seen))
      for (const sequence of [5, 3, 5, 4, 6, 1]) port.publish(quote(sequence))
      harness.port.publish(quote(7))
      await until(() => seen.at(-1)?.sequence === 7)
      const order = sequences(seen)
      expect(order).toEqual([...new Set(order)].sort((a, b) => a - b))
    })

    define('P1 a quote published from within a handler overtakes nobody', async ({ port, harness }) => {
      const seen: FeedQuote[] = []
      port.subscribe('BTC/USDC', ({ sequence }) => {
        if (sequence === 1) harness.port.publish(quote(2))
      })
      port.subscribe('BTC/USDC', noting(seen))
      port.publish(quote(1))
      harness.port.publish(quote(3))
      await until(() => seen.at(-1)?.sequence === 3)
      const order = sequences(seen)
      expect(order).toEqual([...new Set(order)].sort((a, b) => a - b))
    })

    define(
      'P2 latest is the last published quote, or null',
      async ({ port }) => {
        expect(port.latest('BTC/USDC')).toBeNull()
        port.publish(quote(1))
        port.publish(quote(2))
        port.publish(quote(1))
        await until(() => port.latest('BTC/USDC')?.sequence === 2)
        expect(port.latest('BTC/USDC')).toEqual(quote(2))
        expect(port.latest('ETH/USDC')).toBeNull()
      },
      ['forgets'],
    )

    define(
      'P3 a new subscriber gets the latest quote first, and nothing more after it has left',
      async ({ port, harness }) => {
        harness.port.publish(quote(1))
        harness.port.publish(quote(2))
        await until(() => harness.port.latest('BTC/USDC')?.sequence === 2)
        const seen: FeedQuote[] = []
        const leave = port.subscribe('BTC/USDC', noting(seen))
        await until(() => seen.length === 1)
        expect(sequences(seen)).toEqual([2])
        leave()
        leave()
        harness.port.publish(quote(3))
        await until(() => harness.port.latest('BTC/USDC')?.sequence === 3)
        expect(sequences(seen)).toEqual([2])
      },
    )

    define('P4 a failing subscriber harms no other', async ({ port, harness }) => {
      const seen: FeedQuote[] = []
      port.subscribe('BTC/USDC', () => {
        throw new Error('a bug of the subscriber')
      })
      port.subscribe('BTC/USDC', noting(seen))
      port.publish(quote(1))
      harness.port.publish(quote(2))
      await until(() => seen.at(-1)?.sequence === 2)
    })

    define('P5 after forgetting, whatever is known is a published quote', async ({ port, harness }) => {
      for (let sequence = 1; sequence <= 50; sequence++) {
        port.publish(quote(sequence))
        const latest = port.latest('BTC/USDC')
        if (latest !== null) expect(latest).toEqual(quote(latest.sequence))
      }
      harness.port.publish(quote(51))
      await until(() => harness.port.latest('BTC/USDC')?.sequence === 51)
    })
  })
