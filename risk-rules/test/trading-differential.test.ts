import { describe, expect, test } from '@jest/globals'
import { createReferenceTradingMachine } from '@bourse/risk-rules/reference/trading/machine.ts'
import type { Applied } from '@bourse/common/kernel/machine.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { decodeInstruction } from '@bourse/risk-rules/ledger/codec.ts'
import {
  closeReasons,
  decodeMarketAnswer,
  decodeOpenIdsAnswer,
  decodeTradeEvent,
  decodeTradesAnswer,
  encodeClose,
  encodeContinue,
  encodeFunding,
  encodeMarketQuery,
  encodeOpen,
  encodeOpenIdsQuery,
  encodeOutcomeOf,
  encodeSpec,
  encodeState,
  encodeTick,
  encodeTime,
  encodeTradeQuery,
  encodeTradesQuery,
  encodeUpdate,
  KEEP_AS_IT_IS,
  marketStates,
  tradingKinds,
} from '@bourse/risk-rules/trading/codec.ts'
import type { OpenTrade, SpecCommand } from '@bourse/risk-rules/trading/codec.ts'
import { createTradingMachine, TRADING_BEHAVIOUR_VERSION } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { codeOf, createRandom, idOf, LEDGER, spec, START, units } from './trading-kit.ts'
import type { Random } from './trading-kit.ts'

const SEEDS = 100
const STEPS = 300
const wasm = loadTradingModule()
const accounts = [0, 1, 2, 3].map((n) => idOf(`account ${n}`))
const seen = new Map<string, number>()

const count = (what: string): void => {
  seen.set(what, (seen.get(what) ?? 0) + 1)
}

/** A market with small limits, so that random commands meet them, and a coarse tick, so that ties are common. */
const specOf = (random: Random, base: SpecCommand): SpecCommand => ({
  ...base,
  minMargin: random.pick([0n, units('10')]),
  maxNotional: random.pick([0n, units('40000')]),
  maxNetNotional: random.pick([0n, units('30000'), units('90000')]),
  maxOpenTrades: random.pick([0, 2, 5]),
  maxLeverage: random.pick([20, 100]),
  openBps: random.pick([0n, units('5'), units('3.33333333')]),
  capacity: random.pick([0, 0, 7, 1_000]),
  closeBps: random.pick([0n, units('7.5')]),
  liquidationBps: random.pick([0n, units('50'), units('2000')]),
  spreadBps: random.pick([0n, units('2'), units('1.7')]),
  fundingRateBps: random.pick([units('1'), units('-3.1'), units('90'), units('-90'), units('2000')]),
  fundingCapBps: random.pick([units('75'), units('1000')]),
  maxAgeMs: random.pick([0n, 5_000n]),
  fundingIntervalSeconds: random.pick([60, 60, 0, 3_600]),
  state: random.chance(4) ? random.pick([1, 2]) : 0,
  tiers: random.pick([
    base.tiers,
    [{ floor: 0n, rate: units('0.005'), maxLeverage: 100 }],
    [
      { floor: 0n, rate: units('0.004'), maxLeverage: 100 },
      { floor: units('1000'), rate: units('0.01'), maxLeverage: 50 },
      { floor: units('20000.00000001'), rate: units('0.02500001'), maxLeverage: 30 },
    ],
  ]),
})

interface World {
  readonly random: Random
  now: bigint
  /** The feed's middle in ticks. */
  middle: bigint
  previous: readonly [bigint, bigint]
  quote: readonly [bigint, bigint, bigint]
  spec: SpecCommand
  nextId: number
  readonly sent: Uint8Array[]
  trades: readonly OpenTrade[]
  readonly all: Uint8Array[]
}

const nextFeed = (world: World): void => {
  const {
    random,
    spec: { tickSize },
  } = world
  const jump = random.chance(3) ? random.bigBelow(600n) - 300n : random.bigBelow(9n) - 4n
  world.middle = world.middle + jump < 40n ? 40n : world.middle + jump
  // Now and then exactly a trigger, or one tick beside it.
  if (random.chance(35) && world.trades.length > 0) {
    const trade = random.pick(world.trades)
    const trigger = random.pick([trade.liquidationPrice, trade.stopLoss, trade.takeProfit])
    const near = trigger / tickSize + random.pick([-1n, 0n, 1n])
    if (trigger > 0n && near > 0n && near < 100_000n) world.middle = near
  }
  const bid = world.middle * tickSize + (random.chance(10) ? random.bigBelow(tickSize) : 0n)
  const ask = bid + random.pick([0n, 0n, 1n, tickSize])
  world.previous = [world.quote[0], world.quote[1]]
  world.quote = [bid, ask, world.now]
}

const quoteOf = (world: World): { feedBid: bigint; feedAsk: bigint; quoteTime: bigint } => {
  const [feedBid, feedAsk, quoteTime] = world.quote
  if (world.random.chance(1)) return { feedBid: 0n, feedAsk: 0n, quoteTime: 0n }
  if (world.random.chance(1)) return { feedBid: feedAsk + 1n, feedAsk, quoteTime }
  return { feedBid, feedAsk, quoteTime: world.random.chance(3) ? quoteTime - random5(world) : quoteTime }
}
const random5 = ({ random }: World): bigint => random.pick([4_999n, 5_000n, 5_001n, 60_000n])

const openOf = (world: World): Uint8Array => {
  const {
    random,
    spec: { tickSize },
  } = world
  const direction = random.chance(2) ? 2 : random.below(2)
  const sign = direction === 0 ? 1n : -1n
  const near = (side: bigint): bigint =>
    random.chance(50)
      ? 0n
      : (world.middle + sign * side * (random.bigBelow(12n) - 1n)) * tickSize + (random.chance(3) ? 1n : 0n)
  const positive = (price: bigint): bigint => (price < 0n ? 0n : price)
  const leverage = random.chance(8) ? random.pick([0, 21, 51, 99, 101]) : random.pick([1, 2, 5, 10, 20, 30, 50, 100])
  const margin = random.pick([
    0n,
    units('1'),
    units('9.99999999'),
    units('10'),
    units('100'),
    random.bigBelow(units('1000')),
    random.bigBelow(units('5000')),
    random.bigBelow(1n << 62n),
  ])
  const id = random.chance(8) && world.nextId > 3 ? `id ${world.nextId - 1 - random.below(3)}` : `id ${world.nextId++}`
  return encodeOpen(
    {
      account: random.pick(accounts),
      ledgerPartition: random.chance(1) ? 7 : LEDGER,
      direction,
      leverage,
      margin,
      stopLoss: positive(near(-1n)),
      takeProfit: positive(near(1n)),
      worstPrice: random.chance(80) ? 0n : world.quote[random.below(2)]! + random.pick([-1n, 0n, 1n]) * tickSize,
      ...quoteOf(world),
      openBps: random.chance(5) ? 0n : world.spec.openBps,
    },
    { id: idOf(id), requestHash: idOf(random.chance(10) ? 'other' : `hash ${id}`) },
  )
}

const closeOf = (world: World): Uint8Array => {
  const { random, trades } = world
  const trade = trades.length > 0 && !random.chance(10) ? random.pick(trades) : null
  const keyed = random.chance(40)
  return encodeClose(
    {
      account: trade !== null && !random.chance(5) ? trade.account : random.pick(accounts),
      tradeNumber: trade?.tradeNumber ?? random.bigBelow(60n),
      worstPrice: random.chance(80) ? 0n : world.quote[0] + random.pick([-1n, 0n, 1n]) * world.spec.tickSize,
      ...quoteOf(world),
    },
    keyed ? { id: idOf(`id ${world.nextId++}`), requestHash: idOf('close') } : {},
  )
}

const updateOf = (world: World): Uint8Array => {
  const { random, trades } = world
  const trade = trades.length > 0 && !random.chance(8) ? random.pick(trades) : null
  const sign = (trade?.direction ?? random.below(2)) === 0 ? 1n : -1n
  const trigger = (side: bigint): bigint => {
    if (random.chance(25)) return KEEP_AS_IT_IS
    if (random.chance(20)) return 0n
    const price = (world.middle + sign * side * (random.bigBelow(12n) - 1n)) * world.spec.tickSize
    return (price < 0n ? 0n : price) + (random.chance(3) ? 1n : 0n)
  }
  const id = random.chance(10) && world.nextId > 3 ? `id ${world.nextId - 1 - random.below(3)}` : `id ${world.nextId++}`
  return encodeUpdate(
    {
      account: trade !== null && !random.chance(5) ? trade.account : random.pick(accounts),
      tradeNumber: trade?.tradeNumber ?? random.bigBelow(60n),
      stopLoss: random.chance(1) ? -2n : trigger(-1n),
      takeProfit: trigger(1n),
      ...quoteOf(world),
    },
    random.chance(40) ? { id: idOf(id), requestHash: idOf(random.chance(10) ? 'other' : `hash ${id}`) } : {},
  )
}

const tickOf = (world: World): Uint8Array => {
  nextFeed(world)
  const [previousBid, previousAsk] = world.random.chance(3) ? [0n, 0n] : world.previous
  return encodeTick({ ...quoteOf(world), previousBid, previousAsk })
}

const garbageOf = (world: World): Uint8Array => {
  const { random } = world
  const bytes = (world.sent.length > 0 ? random.pick(world.sent) : new Uint8Array(64)).slice()
  if (random.chance(50)) return bytes
  for (let i = random.below(4); i >= 0; i--)
    bytes[56 + random.below(Math.max(1, bytes.length - 56))] = random.below(256)
  return bytes
}

const commandOf = (world: World): Uint8Array => {
  const { random } = world
  const roll = random.below(100)
  if (roll < 30) return openOf(world)
  if (roll < 38) return closeOf(world)
  if (roll < 48) return updateOf(world)
  if (roll < 82) return tickOf(world)
  if (roll < 86) return encodeFunding({ dueTime: world.now, feedBid: world.quote[0], feedAsk: world.quote[1] })
  if (roll < 89) {
    world.spec = specOf(random, world.spec)
    return encodeSpec(world.spec, random.chance(20) ? { id: idOf(`id ${world.nextId++}`) } : {})
  }
  if (roll < 92) return encodeState(random.pick([0, 0, 0, 0, marketStates.ReduceOnly, marketStates.Halted, 3]))
  if (roll < 94) return encodeTime()
  if (roll < 95) return encodeContinue()
  return garbageOf(world)
}

const told = ({ outcomes, effects, settledIds }: Applied): string =>
  [
    ...outcomes.map((bytes) => Buffer.from(bytes).toString('hex')),
    ...effects.map(
      ({ to, commandIndex, bytes }) => `${String(to)} ${commandIndex} ${Buffer.from(bytes).toString('hex')}`,
    ),
    ...settledIds.map((id) => Buffer.from(id).toString('hex')),
  ].join('\n')

const sameAnswer = (left: TradingMachine, right: TradingMachine, question: Uint8Array): Uint8Array => {
  const [a, b] = [left.query(question), right.query(question)]
  if (Buffer.compare(a.bytes, b.bytes) !== 0 || a.pending !== b.pending)
    throw new Error('the answers to a question differ')
  return a.bytes
}

const openTrades = (reference: TradingMachine): OpenTrade[] =>
  accounts.flatMap((account) => decodeTradesAnswer(reference.query(encodeTradesQuery(account)).bytes).trades)

const run = (seed: number): void => {
  const random = createRandom(seed)
  const behaviour = 1 + (seed % TRADING_BEHAVIOUR_VERSION)
  const capacities = { tradesMax: random.pick([4, 12, 40]), idsMax: random.pick([40, 150, 150, 150]) }
  let reference = createReferenceTradingMachine(capacities)
  let machine = createTradingMachine({ wasm, ...capacities })
  const tickSize = random.pick([units('0.01'), units('1'), units('0.5')])
  const coarse = { ...spec, tickSize, lotSize: random.pick([1n, units('0.001')]) }
  const world: World = {
    random,
    now: START,
    middle: 1_000n,
    previous: [0n, 0n],
    quote: [1_000n * coarse.tickSize, 1_000n * coarse.tickSize, START],
    spec: coarse,
    nextId: 0,
    sent: [],
    trades: [],
    all: [],
  }
  for (let step = 0; step < STEPS; step++) {
    world.now += random.pick([0n, 1n, 10n, 400n, 2_000n, random.chance(3) ? 700_000n : 7_000n])
    if (random.chance(70)) world.quote = [world.quote[0], world.quote[1], world.now]
    const batch =
      step === 0
        ? [encodeSpec(world.spec), encodeTick({ ...quoteOf(world), previousBid: 0n, previousAsk: 0n })]
        : Array.from({ length: 1 + random.below(2) }, () => commandOf(world))
    world.sent.push(...batch.filter((bytes) => bytes.length > 56).slice(0, 1))
    const refused = random.chance(1) ? new Set([0]) : undefined
    const [feedBid, feedAsk, time] = world.quote
    for (const by of [0n, -1n, 1n, coarse.tickSize * (random.bigBelow(41n) - 20n) + random.bigBelow(3n) - 1n]) {
      const quote = [feedBid + by, feedAsk + by, time] as const
      const isSame = machine.wouldTrigger(...quote) === reference.wouldTrigger(...quote)
      if (!isSame) throw new Error(`seed ${seed} step ${step}: wouldTrigger differs at ${quote.join()}`)
    }
    const expected = reference.apply(batch, world.now, behaviour, refused)
    const found = machine.apply(batch, world.now, behaviour, refused)
    const place = `seed ${seed} step ${step}`
    if (told(found) !== told(expected)) expect({ place, told: told(found) }).toEqual({ place, told: told(expected) })
    if (machine.stateHash() !== reference.stateHash()) throw new Error(`${place}: the state hashes differ`)
    if (machine.nextDeadline() !== reference.nextDeadline()) throw new Error(`${place}: the deadlines differ`)
    for (const outcome of expected.outcomes) {
      count(codeOf(outcome))
      if (decodeOutcomeHeader(outcome).kind === tradingKinds.update) count(`update ${codeOf(outcome)}`)
    }
    for (const effect of expected.effects) {
      const { kind, memo, slip } = decodeInstruction(effect.bytes)
      if (kind !== 'SETTLE' && kind !== 'OPEN_ACCOUNT') continue
      const event = decodeTradeEvent(memo)
      count(event.type)
      if (event.type !== 'closed') continue
      count(`${event.trade.direction === 0 ? 'LONG' : 'SHORT'} ${Object.keys(closeReasons)[event.trade.reason]}`)
      count(event.trade.funding > 0n ? 'funding paid' : event.trade.funding < 0n ? 'funding received' : 'no funding')
      if (slip !== null) count(event.trade.deficit > 0n ? 'deficit' : 'liquidation fee')
    }
    if (step % 8 === 0) {
      world.trades = openTrades(reference)
      for (const account of accounts) sameAnswer(machine, reference, encodeTradesQuery(account))
      sameAnswer(machine, reference, encodeTradeQuery(random.bigBelow(30n)))
      sameAnswer(machine, reference, encodeOutcomeOf(idOf(`id ${random.below(world.nextId + 2)}`), idOf('close')))
      const market = decodeMarketAnswer(sameAnswer(machine, reference, encodeMarketQuery()))
      const { items } = decodeOpenIdsAnswer(machine.query(encodeOpenIdsQuery()).bytes)
      expect([market.openCount, market.marginSum]).toEqual([
        items.length,
        items.reduce((sum, { margin }) => sum + margin, 0n),
      ])
    }
    if (random.chance(2)) {
      const restored = createTradingMachine({ wasm, ...capacities })
      restored.restore(machine.snapshot())
      if (restored.stateHash() !== reference.stateHash())
        throw new Error(`${place}: a restored machine hashes otherwise`)
      machine = restored
      const twin = createReferenceTradingMachine(capacities)
      twin.restore(reference.snapshot())
      reference = twin
    }
  }
}

describe('the trading machine against its bigint reference', () => {
  test(`${SEEDS} seeded runs of ${STEPS} steps agree in outcomes, effects, answers and state hash, across restores`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) run(seed)
    const codes = [
      'OK',
      'UNAVAILABLE',
      'ENGINE_FAULT',
      'IDEMPOTENCY_CONFLICT',
      'CAPACITY_EXCEEDED',
      'INVALID_COMMAND',
      'LEVERAGE_TOO_HIGH',
      'MARGIN_TOO_SMALL',
      'NOTIONAL_TOO_HIGH',
      'TOO_MANY_TRADES',
      'EXPOSURE_LIMIT',
      'INVALID_STOP_LOSS',
      'INVALID_TAKE_PROFIT',
      'WOULD_LIQUIDATE',
      'PRICE_MOVED',
      'TRADE_NOT_FOUND',
      'TRADE_CLOSED',
      'MARKET_HALTED',
      'MARKET_REDUCE_ONLY',
      'PRICE_STALE',
      'LONG USER',
      'SHORT USER',
      'LONG STOP_LOSS',
      'SHORT STOP_LOSS',
      'LONG TAKE_PROFIT',
      'SHORT TAKE_PROFIT',
      'LONG LIQUIDATION',
      'SHORT LIQUIDATION',
      'funding paid',
      'funding received',
      'deficit',
      'liquidation fee',
      'opened',
      'closed',
      'updated',
      'update OK',
      'update INVALID_COMMAND',
      'update TRADE_NOT_FOUND',
      'update TRADE_CLOSED',
      'update MARKET_HALTED',
      'update PRICE_STALE',
      'update INVALID_STOP_LOSS',
      'update INVALID_TAKE_PROFIT',
      'update IDEMPOTENCY_CONFLICT',
    ]
    expect(codes.filter((code) => !seen.has(code))).toEqual([])
  }, 900_000)
})
