import { decodeFunding, decodeFundingOutcome } from '@bourse/risk-rules/trading/codec.ts'
import { fundingMove } from '../../arithmetic/cfd.ts'
import type { Entry } from '../../evidence/journals.ts'
import { trusted, type Desk, type Market } from './desk.ts'
import type { Terms } from './trade.ts'

const instantAfter = (time: bigint, intervalSeconds: number): bigint => {
  const interval = BigInt(intervalSeconds) * 1_000n
  return interval === 0n ? 0n : time - (time % interval) + interval
}

/** The instants of funding begin with the first tick. */
export const beginFunding = (market: Market, terms: Terms, firstTickAt: bigint): void => {
  market.firstTickAt = firstTickAt
  market.nextFunding = instantAfter(firstTickAt, terms.fundingIntervalSeconds)
}

/** A new interval counts from now on; an instant that is due already keeps its time. */
export const changeFundingInterval = (market: Market, before: Terms | null, after: Terms, now: bigint): void => {
  const { firstTickAt, nextFunding } = market
  if (after.fundingIntervalSeconds === 0) {
    market.nextFunding = 0n
    return
  }
  const isDueNow = nextFunding !== 0n && nextFunding <= now
  const isNew = before?.fundingIntervalSeconds !== after.fundingIntervalSeconds
  if (isNew && firstTickAt !== 0n && !isDueNow)
    market.nextFunding = instantAfter(now > firstTickAt ? now : firstTickAt, after.fundingIntervalSeconds)
}

/** Applies every instant due at or before `time`; gives how many there were. */
export const fund = (market: Market, terms: Terms, time: bigint, feedBid: bigint, feedAsk: bigint): bigint => {
  let instants = 0n
  while (market.nextFunding !== 0n && market.nextFunding <= time) {
    market.funding += fundingMove(feedBid, feedAsk, terms.fundingRateBps, terms.fundingCapBps)
    market.nextFunding = instantAfter(market.nextFunding, terms.fundingIntervalSeconds)
    instants += 1n
  }
  return instants
}

/** FUNDING: what was told of F is what the instants make of it, and none is applied before its time. */
export const followFunding = (desk: Desk, entry: Entry): void => {
  const { market, complain } = desk
  if (trusted.has(entry.code)) return
  const { terms } = market
  if (terms === null) return void desk.isTold(entry, ['MARKET_NOT_FOUND'], 'funding')
  if (!desk.isTold(entry, ['OK'], 'funding')) return
  const due = decodeFunding(entry.input)
  const instants = fund(market, terms, due.dueTime, due.feedBid, due.feedAsk)
  const told = decodeFundingOutcome(entry.outcome)
  if (told.funding !== market.funding || told.nextFunding !== market.nextFunding || told.instants !== instants)
    complain(
      'funding',
      `${desk.where(entry)}: F ${told.funding} after ${told.instants} instants, next ${told.nextFunding}; it is ` +
        `${market.funding} after ${instants}, next ${market.nextFunding}`,
    )
  if (due.dueTime > entry.now)
    complain('funding', `${desk.where(entry)}: funding of ${due.dueTime} is applied before its time`)
}
