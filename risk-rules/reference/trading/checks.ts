import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import { divFloor, floorTo } from '@bourse/common/money/rounding.ts'
import type { CloseCommand, OpenCommand, SpecCommand, UpdateCommand } from '../../src/trading/commands.ts'
import { KEEP_AS_IT_IS } from '../../src/trading/commands.ts'
import {
  BPS_MAX_UNITS,
  directions,
  FUNDING_MAX_UNITS,
  LEVERAGE_MAX,
  marketStates,
  NOTIONAL_MAX_UNITS,
  PRICE_MAX_UNITS,
  QUANTITY_MAX_UNITS,
  RATE_ONE,
  TICK_SIZE_MAX_UNITS,
  TIERS_MAX,
  TIME_MAX_MS,
  VALUE_MAX,
} from '../../src/trading/numbers.ts'
import { sameBytes } from '../id-table.ts'
import { isLiquidated, quoteOfFeed } from './rules.ts'
import type { Tier } from './rules.ts'
import { netQuantityOf } from './state.ts'
import type { State, Trade } from './state.ts'

const E8 = 100_000_000n
const within = (value: bigint, low: bigint, high: bigint): boolean => value >= low && value <= high
const isLedger = (partition: number): boolean => partition >>> 24 === 1
const abs = (value: bigint): bigint => (value < 0n ? -value : value)

/** Whether the feed is two prices that can be. */
export const isFeed = (feedBid: bigint, feedAsk: bigint): boolean =>
  feedBid > 0n && feedAsk >= feedBid && feedAsk <= PRICE_MAX_UNITS

/** Whether it is a time in ms that can be. */
export const isTime = (time: bigint): boolean => time > 0n && time <= TIME_MAX_MS

/** Whether the tiers keep the contract's rules. */
const areTiers = (spec: SpecCommand): boolean => {
  const { tiers } = spec
  if (tiers.length < 1 || tiers.length > TIERS_MAX || tiers[0]!.floor !== 0n) return false
  return tiers.every((tier, index) => {
    const before = tiers[index - 1]
    const rises = before === undefined || (tier.floor > before.floor && tier.rate >= before.rate)
    const falls = before === undefined || tier.maxLeverage <= before.maxLeverage
    const kept = tier.rate >= 0n && within(BigInt(tier.maxLeverage), 1n, BigInt(LEVERAGE_MAX))
    return rises && falls && kept && tier.rate * BigInt(tier.maxLeverage) < RATE_ONE
  })
}

/** Whether a SPEC is sound by itself and changes nothing that may not change. `currency` are its raw 8 bytes. */
export const isSpec = (spec: SpecCommand, currency: Uint8Array, before: SpecCommand | null): boolean => {
  const bps = [spec.openBps, spec.closeBps, spec.liquidationBps, spec.fundingCapBps]
  const limits = [spec.minMargin, spec.maxNotional, spec.maxNetNotional, spec.maxAgeMs]
  const sound =
    within(spec.tickSize, 1n, TICK_SIZE_MAX_UNITS) &&
    within(spec.lotSize, 1n, QUANTITY_MAX_UNITS) &&
    limits.every((limit) => limit >= 0n) &&
    bps.every((rate) => within(rate, 0n, BPS_MAX_UNITS)) &&
    within(spec.spreadBps, 0n, 2n * BPS_MAX_UNITS - 1n) &&
    within(spec.fundingRateBps, -BPS_MAX_UNITS, BPS_MAX_UNITS) &&
    within(BigInt(spec.maxLeverage), 1n, BigInt(LEVERAGE_MAX)) &&
    spec.state <= marketStates.Halted &&
    isLedger(spec.insurancePartition) &&
    /^[A-Z0-9]+\0*$/.test(Buffer.from(currency).toString('latin1')) &&
    areTiers(spec)
  const kept =
    before === null ||
    (before.tickSize === spec.tickSize &&
      before.lotSize === spec.lotSize &&
      before.quoteCurrency === spec.quoteCurrency &&
      before.marketNumber === spec.marketNumber &&
      before.partitionIndex === spec.partitionIndex)
  return sound && kept
}

/** The quote of a command, or why there is none to trade on. */
export const quoteFor = (
  state: State,
  spec: SpecCommand,
  command: { readonly feedBid: bigint; readonly feedAsk: bigint; readonly quoteTime: bigint },
  now: bigint,
): { readonly bid: bigint; readonly ask: bigint } | RefusalCode => {
  const { feedBid, feedAsk, quoteTime } = command
  if (feedBid === 0n || feedAsk === 0n || quoteTime === 0n) return 'PRICE_STALE'
  if (!isFeed(feedBid, feedAsk) || !isTime(quoteTime)) return 'INVALID_COMMAND'
  if (spec.maxAgeMs !== 0n && now - quoteTime > spec.maxAgeMs) return 'PRICE_STALE'
  const quote = quoteOfFeed(feedBid, feedAsk, spec.spreadBps, spec.tickSize)
  if (quote.ask * state.quantityMax > VALUE_MAX) return 'AMOUNT_OVERFLOW'
  return quote
}

const beyondWorst = (buys: boolean, price: bigint, worst: bigint): boolean =>
  worst !== 0n && (buys ? price > worst : price < worst)

/** Whether an OPEN's values can be meant at all. */
export const isOpen = (open: OpenCommand): boolean =>
  isLedger(open.ledgerPartition) &&
  open.direction <= directions.SHORT &&
  open.leverage >= 1 &&
  open.margin > 0n &&
  open.stopLoss >= 0n &&
  open.takeProfit >= 0n &&
  open.worstPrice >= 0n

/** A stop (0 = none) lies on the losing side of the closing price, on the tick. */
const wrongStop = (spec: SpecCommand, long: boolean, stop: bigint, closing: bigint): RefusalCode | null => {
  if (stop === 0n) return null
  const loses = long ? stop < closing : stop > closing
  return loses && stop % spec.tickSize === 0n ? null : 'INVALID_STOP_LOSS'
}

/** A target (0 = none) lies on the winning side of the closing price, on the tick. */
const wrongTarget = (spec: SpecCommand, long: boolean, target: bigint, closing: bigint): RefusalCode | null => {
  if (target === 0n) return null
  const wins = long ? target > closing : target < closing
  return wins && target % spec.tickSize === 0n ? null : 'INVALID_TAKE_PROFIT'
}

/** The account's open trade that a command names, or why there is none. */
export const ownTradeOf = (
  { trades, lastNumber }: State,
  { account, tradeNumber }: { readonly account: Uint8Array; readonly tradeNumber: bigint },
): Trade | RefusalCode => {
  if (tradeNumber === 0n || tradeNumber > lastNumber) return 'TRADE_NOT_FOUND'
  const trade = trades.get(tradeNumber)
  if (trade === undefined) return 'TRADE_CLOSED'
  return sameBytes(trade.account, account) ? trade : 'TRADE_NOT_FOUND'
}

/** Whether an UPDATE's values can be meant at all: it asks for something, and for no price below zero. */
export const isUpdate = ({ stopLoss, takeProfit }: UpdateCommand): boolean => {
  const asks = stopLoss !== KEEP_AS_IT_IS || takeProfit !== KEEP_AS_IT_IS
  return asks && stopLoss >= KEEP_AS_IT_IS && takeProfit >= KEEP_AS_IT_IS
}

/** Why an UPDATE may not set what it sets, or null; what it keeps or takes away is not judged. */
export const checkUpdate = (
  state: State,
  spec: SpecCommand,
  trade: Trade,
  update: UpdateCommand,
  now: bigint,
): RefusalCode | null => {
  const { stopLoss, takeProfit } = update
  if (stopLoss <= 0n && takeProfit <= 0n) return null
  if (state.marketState === marketStates.Halted) return 'MARKET_HALTED'
  const quote = quoteFor(state, spec, update, now)
  if (typeof quote === 'string') return quote
  const long = trade.direction === directions.LONG
  const closing = long ? quote.bid : quote.ask
  const stop = stopLoss > 0n ? wrongStop(spec, long, stopLoss, closing) : null
  return stop ?? (takeProfit > 0n ? wrongTarget(spec, long, takeProfit, closing) : null)
}

/** The contract's checks of an opening in their order: the code of the first that fails, or the quantity. */
export const checkOpen = (
  state: State,
  spec: SpecCommand,
  tiers: readonly Tier[],
  open: OpenCommand,
  quote: { readonly bid: bigint; readonly ask: bigint },
): bigint | RefusalCode => {
  const long = open.direction === directions.LONG
  const entry = long ? quote.ask : quote.bid
  const closing = long ? quote.bid : quote.ask
  if (entry === 0n) return 'PRICE_STALE'
  const notional = open.margin * BigInt(open.leverage)
  const tier = tiers.findLast(({ floor }) => floor <= notional)!
  if (open.leverage > tier.maxLeverage || open.leverage > spec.maxLeverage) return 'LEVERAGE_TOO_HIGH'
  if (open.margin < spec.minMargin) return 'MARGIN_TOO_SMALL'

  const quantity = floorTo(divFloor(notional * E8, entry), spec.lotSize)
  if (quantity === 0n) return 'MARGIN_TOO_SMALL'

  const value = quantity * entry
  const tooMuch = quantity > QUANTITY_MAX_UNITS || value > NOTIONAL_MAX_UNITS * E8
  const fundingTooFar = 2n * quantity * abs(state.funding) > VALUE_MAX || quantity * quote.ask > VALUE_MAX
  if (tooMuch || fundingTooFar || (spec.maxNotional !== 0n && value > spec.maxNotional * E8)) return 'NOTIONAL_TOO_HIGH'
  const own = (): number => [...state.trades.values()].filter(({ account }) => sameBytes(account, open.account)).length
  if (spec.maxOpenTrades !== 0 && own() >= spec.maxOpenTrades) return 'TOO_MANY_TRADES'
  const net = netQuantityOf(state)
  const before = abs(net)
  const after = abs(net + (long ? quantity : -quantity))
  const overNet = spec.maxNetNotional !== 0n && after * entry > spec.maxNetNotional * E8
  if (after > before && (overNet || after > QUANTITY_MAX_UNITS)) return 'EXPOSURE_LIMIT'

  const wrong = wrongStop(spec, long, open.stopLoss, closing) ?? wrongTarget(spec, long, open.takeProfit, closing)
  if (wrong !== null) return wrong
  const trade = { ...open, quantity, entryPrice: entry, fundingAtOpen: state.funding, tiers }
  if (isLiquidated(trade, closing, state.funding)) return 'WOULD_LIQUIDATE'
  return beyondWorst(long, entry, open.worstPrice) ? 'PRICE_MOVED' : quantity
}

/** Whether a close at `price` is worse than the customer takes. */
export const isWorse = (trade: Trade, close: CloseCommand, price: bigint): boolean =>
  beyondWorst(trade.direction === directions.SHORT, price, close.worstPrice)

/** How far F may go: 2 × |F| × the largest quantity stays within VALUE_MAX. */
export const fundingLimitOf = (state: State): bigint => {
  const byQuantity = state.quantityMax === 0n ? FUNDING_MAX_UNITS : VALUE_MAX / (2n * state.quantityMax)
  return byQuantity < FUNDING_MAX_UNITS ? byQuantity : FUNDING_MAX_UNITS
}
