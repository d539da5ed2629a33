import { parseAmount } from '@bourse/common/money/amount.ts'
import { mulDivFloor } from '@bourse/common/money/rounding.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Request, Trader } from '../../history/history.ts'
import { decidingPrice } from '../prices.ts'
import { grantOf } from '../style.ts'
import type { KnownTrade } from '../knowledge.ts'
import { drawOpen, drawUpdate } from './draw-open.ts'
import { pickOrNull, pickRecent, race, readyPrice, send, sendAs, type Step, type StepRun } from './run.ts'

const anyPair = ({ platform, random }: StepRun): TradingPairSpec => random.pick(platform.pairs())

const anyTrader = ({ random, style }: StepRun): Trader => random.below(style.traders)

const pairOf = ({ platform }: StepRun, asset: string): TradingPairSpec | undefined =>
  platform.pairs().find(({ symbol }) => symbol === asset)

/** Opens a trader's account in the currency of the markets. */
const openAccount = async (run: StepRun, trader: Trader): Promise<void> => {
  const currency = anyPair(run).quoteAsset
  await send(run, { kind: 'open-account', trader, currency, grant: grantOf(run.style, trader) })
}

/** An open trade, in most cases after its trader has an account. */
const open: Step = async (run) => {
  const trader = anyTrader(run)
  if (!run.knowledge.hasAccount(trader) && run.random.chance(93)) await openAccount(run, trader)
  const pair = anyPair(run)
  await readyPrice(run, pair)
  const request = drawOpen(run, pair, trader)
  await send(run, run.random.chance(1) ? { ...request, asset: 'NOSUCH_USDC' } : request)
}

const account: Step = (run) => openAccount(run, anyTrader(run))

const NO_TRADES = ['trade_1', 'trade_99999999999999999999', 'nothing', 'trade_72057594037927937'] as const

/** Which trade to close: mostly one that is open as far as was heard. */
const tradeToClose = ({ random, knowledge }: StepRun): KnownTrade | null =>
  random.chance(12) ? pickOrNull(random, knowledge.closedTrades()) : pickRecent(random, knowledge.openTrades(), 30)

const closeRequest = (run: StepRun, { trader, trade }: KnownTrade): Request => {
  const { random } = run
  const pair = pairOf(run, trade.asset)
  const worst = pair === undefined ? null : run.prices.mid(pair) + pair.tickSize * BigInt(random.between(-400, 400))
  return {
    kind: 'close-trade',
    trader: random.chance(4) ? anyTrader(run) : trader,
    tradeId: trade.tradeId,
    worstPrice: random.chance(15) && worst !== null && worst > 0n ? worst : null,
  }
}

const close: Step = async (run) => {
  const known = tradeToClose(run)
  if (known === null) {
    if (!run.random.chance(15)) return open(run)
    await send(run, {
      kind: 'close-trade',
      trader: anyTrader(run),
      tradeId: run.random.pick(NO_TRADES),
      worstPrice: null,
    })
    return undefined
  }
  const pair = pairOf(run, known.trade.asset)
  if (pair !== undefined) await readyPrice(run, pair)
  await send(run, closeRequest(run, known))
  return undefined
}

/** Several at once: opens that together need more than there is, closes of one trade, a close beside its own stop. */
const racing: Step = async (run) => {
  const { random } = run
  const known = random.chance(55) ? pickRecent(random, run.knowledge.openTrades(), 60) : null
  const count = random.between(2, 5)
  if (known === null) {
    const trader = anyTrader(run)
    const pair = anyPair(run)
    await readyPrice(run, pair)
    return race(
      run,
      Array.from({ length: count }, () => drawOpen(run, pair, trader)),
    )
  }
  const pair = pairOf(run, known.trade.asset)
  if (pair !== undefined) await readyPrice(run, pair)
  if (pair !== undefined && random.chance(40)) {
    run.prices.moveTo(pair, random, decidingPrice(known, pair.tickSize, random))
  }
  return race(
    run,
    Array.from({ length: count }, () => closeRequest(run, known)),
  )
}

/** A trade that exists nowhere is updated, too. */
const updateOfNothing = (run: StepRun): Request => ({
  kind: 'update-trade',
  trader: anyTrader(run),
  tradeId: run.random.pick(NO_TRADES),
  stopLossPrice: null,
  takeProfitPrice: undefined,
})

/** The price goes to a stop or target that a trade no longer has: nothing may come of it but what other trades owe. */
const tempt = ({ random, prices }: StepRun, pair: TradingPairSpec, { trade }: KnownTrade): void => {
  const former = random.pick([trade.stopLossPrice, trade.stopLossPrice, trade.takeProfitPrice])
  if (former !== null) prices.moveTo(pair, random, former)
}

/** A trade gets another stop or target, and mostly the price then meets the one that it had. */
const update: Step = async (run) => {
  const { random } = run
  const known = tradeToClose(run)
  const pair = known === null ? undefined : pairOf(run, known.trade.asset)
  if (known === null || pair === undefined) {
    if (!random.chance(15)) return open(run)
    await send(run, updateOfNothing(run))
    return undefined
  }
  await readyPrice(run, pair)
  const answer = await send(run, drawUpdate(run, pair, known))
  if (answer?.ok === true && random.chance(60)) tempt(run, pair, known)
  return undefined
}

/** Updates of one trade at once, beside its close and beside the price that decides about it. */
const racingUpdates: Step = async (run) => {
  const { random } = run
  const known = pickRecent(random, run.knowledge.openTrades(), 60)
  const pair = known === null ? undefined : pairOf(run, known.trade.asset)
  if (known === null || pair === undefined) return open(run)
  await readyPrice(run, pair)
  if (random.chance(40)) run.prices.moveTo(pair, random, decidingPrice(known, pair.tickSize, random))
  return race(
    run,
    Array.from({ length: random.between(2, 5) }, () =>
      random.chance(25) ? closeRequest(run, known) : drawUpdate(run, pair, known),
    ),
  )
}

const read: Step = async (run) => {
  const trader = run.random.chance(4) ? run.style.traders + 1 : anyTrader(run)
  await send(run, { kind: run.random.pick(['open-trades', 'balances'] as const), trader })
}

/** The price walks, a few quotes at a time. */
const walk: Step = async (run) => {
  const { random, prices, clients } = run
  const pair = anyPair(run)
  for (let count = random.between(1, 4); count > 0; count--) {
    prices.walk(pair, random, random.pick([300, 3_000, 12_000]))
    await clients.pause(random.between(0, 40), `step ${run.step}: the next quote`)
  }
  if (random.chance(12)) prices.bad(pair, random)
}

/** The price goes to where it decides about a trade: just before, just at, just past, or far through it. */
const aimed: Step = async (run) => {
  const { random, prices } = run
  const known = pickOrNull(random, run.knowledge.openTrades())
  const pair = known === null ? undefined : pairOf(run, known.trade.asset)
  if (known === null || pair === undefined) return walk(run)
  prices.moveTo(pair, random, decidingPrice(known, pair.tickSize, random))
  return undefined
}

/** How long before a price gets stale the first of several closes is sent, ms. */
const EDGE_MS = 14

/** How often the price is published anew because another came before it was old: at the end nobody else publishes. */
const STALE_TRIES = 5

/** Publishes a price and waits until it is about to get stale; false when another came meanwhile. */
const isOld = async ({ random, prices, clients, platform, step }: StepRun, pair: TradingPairSpec): Promise<boolean> => {
  prices.moveTo(pair, random, prices.mid(pair))
  const published = platform.lastQuote(pair.symbol)
  await clients.pause(pair.prices.maxAgeSeconds * 1_000 - EDGE_MS, `step ${step}: the price gets old`)
  return platform.lastQuote(pair.symbol) === published
}

/** Closes that meet the moment at which the price gets stale: none is carried out, for none accepts any price. */
const staleEdge: Step = async (run) => {
  const { random, prices, clients, knowledge, step } = run
  const known = pickOrNull(random, knowledge.openTrades())
  const pair = known === null ? undefined : pairOf(run, known.trade.asset)
  if (known === null || pair === undefined) return walk(run)
  for (let tries = 0; tries < STALE_TRIES && !(await isOld(run, pair)); tries++);
  const worstPrice = known.trade.direction === 'LONG' ? prices.mid(pair) * 4n : pair.tickSize
  const request: Request = { kind: 'close-trade', trader: known.trader, tradeId: known.trade.tradeId, worstPrice }
  const closes: Promise<unknown>[] = []
  for (let sent = 0; sent <= EDGE_MS; sent++) {
    closes.push(sendAs(run, request, null))
    await clients.pause(1, `step ${step}: and older`)
  }
  await Promise.all(closes)
  return undefined
}

/** A jump for all trades of a market, and mostly back. */
const jump: Step = async (run) => {
  const { random, prices, clients } = run
  const pair = anyPair(run)
  const before = prices.mid(pair)
  prices.walk(pair, random, random.pick([40_000, 120_000, 400_000]))
  if (random.chance(40)) return
  await clients.pause(random.between(1, 400), `step ${run.step}: the price comes back`)
  prices.moveTo(pair, random, before)
}

/** With what a trader has besides, more than an account can hold. */
const HUGE = parseAmount('999999999999')
/** A trader without anything would really get it, and could win nothing more. */
const HUGE_BESIDES_LEAST = parseAmount('250000')
const richTraders = ({ style, knowledge }: StepRun): Trader[] =>
  style.grants.flatMap((grant, trader) => (grant >= HUGE_BESIDES_LEAST && knowledge.hasAccount(trader) ? [trader] : []))

const NAMES = ['settlement', 'a correction of the desk', 'gift'] as const

/** Money that administration moves: to and from traders, into houses and insurance (often less than it will need). */
const money: Step = async (run) => {
  const { random, knowledge } = run
  const pair = anyPair(run)
  const booked = random.chance(25) ? pickRecent(random, knowledge.bookings(), 60) : null
  if (booked !== null) {
    const request = { kind: 'correct', transactionId: random.chance(5) ? '16777216:999999' : booked } as const
    return race(run, random.chance(25) ? [request, request] : [request])
  }
  if (random.chance(50)) {
    const target = random.pick(['house', 'insurance', 'insurance'] as const)
    const amount = parseAmount(random.pick(['0.05', '3', '40.1', '900', '25000']))
    await send(run, { kind: 'fund', target, asset: pair.symbol, amount: amount + BigInt(random.below(7)) })
    return undefined
  }
  const trader = anyTrader(run)
  const usual = parseAmount(random.pick(['1', '75.5', '1000', '20000'])) + BigInt(random.below(3))
  const rich = random.chance(25) ? pickOrNull(random, richTraders(run)) : null
  await send(run, {
    kind: 'adjust',
    trader: rich ?? trader,
    currency: pair.quoteAsset,
    amount: rich !== null ? HUGE : random.chance(60) ? usual : -usual,
    reference: random.pick(NAMES),
  })
  return undefined
}

/** A market halts and mostly reopens, by administration. */
const halt: Step = async (run) => {
  const { random, clients } = run
  const { symbol } = anyPair(run)
  await send(run, { kind: 'market-state', asset: symbol, state: random.chance(75) ? 'Halted' : 'Open' })
  if (random.chance(10)) return
  await clients.pause(random.between(20, 4_000), `step ${run.step}: the market reopens`)
  await send(run, { kind: 'market-state', asset: symbol, state: 'Open' })
}

const bps = (text: string): bigint => parseAmount(text)

/** Tiers that keep less back: open trades keep the ones they were opened under. */
const changedMargin = (random: SeededRandom, margin: TradingPairSpec['margin']): TradingPairSpec['margin'] => {
  const kept = random.pick([300n, 700n, 999n])
  const tiers = margin.tiers.map((tier) => ({
    ...tier,
    maintenanceRate: mulDivFloor(tier.maintenanceRate, kept, 1_000n),
  }))
  return { ...margin, tiers }
}

/** What a changed manifest may say. */
const changedPair = ({ random }: StepRun, pair: TradingPairSpec): TradingPairSpec => {
  const changes: readonly (() => Partial<TradingPairSpec>)[] = [
    () => ({ state: 'ReduceOnly' }),
    () => ({ state: 'ReduceOnly' }),
    () => ({ spreadBps: bps(random.pick(['0', '1.5', '12', '60'])) }),
    () => ({
      fees: {
        openBps: bps(random.pick(['0', '5', '7.25'])),
        closeBps: bps(random.pick(['0', '5', '9'])),
        liquidationBps: bps(random.pick(['0', '50', '120'])),
      },
    }),
    () => ({ funding: { ...pair.funding, rateBps: bps(random.pick(['-40', '0', '1', '75', '300'])) } }),
    () => ({
      funding: {
        ...pair.funding,
        intervalSeconds: random.pick([60, 300, 3_600]),
        capBps: bps(random.pick(['5', '75'])),
      },
    }),
    () => ({ margin: changedMargin(random, pair.margin) }),
    () => ({ margin: changedMargin(random, pair.margin) }),
    () => ({
      limits: {
        ...pair.limits,
        maxOpenTrades: random.pick([1, 2, 4, 50]),
        maxNetNotional: parseAmount(random.pick(['2000', '50000', '20000000'])),
      },
    }),
  ]
  return { ...pair, ...random.pick(changes)() }
}

/** A manifest is changed, and a state other than Open mostly changed back. */
const respecify: Step = async (run) => {
  const { random, platform, clients } = run
  const { symbol } = anyPair(run)
  const before = pairOf(run, symbol)
  if (before === undefined) return
  platform.changePair(changedPair(run, before))
  await clients.pause(random.between(20, 5_000), `step ${run.step}: the manifest once more`)
  const now = pairOf(run, symbol)
  if (now !== undefined && now.state !== 'Open') platform.changePair({ ...now, state: 'Open' })
}

/** Steps of traders, of the market and of administration, with how often each comes. */
export const traderSteps: readonly (readonly [Step, number])[] = [
  [open, 30],
  [close, 12],
  [racing, 7],
  [account, 2],
  [read, 7],
  [walk, 10],
  [aimed, 13],
  [jump, 4],
  [staleEdge, 1],
  [money, 6],
  [halt, 2],
  [respecify, 3],
  [update, 12],
  [racingUpdates, 4],
]
