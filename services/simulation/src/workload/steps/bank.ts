import { parseAmount, UNITS_PER_WHOLE } from '@bourse/common/money/amount.ts'
import { floorTo, mulDivFloor } from '@bourse/common/money/rounding.ts'
import type { Bank, BankPair, BankSpec } from '@bourse/common/resources/bank.ts'
import type { Request } from '../../history/history.ts'
import type { KnownQuote } from '../knowledge.ts'
import { pickRecent, race, send, type Step, type StepRun } from './run.ts'

type TradeRequest = Extract<Request, { readonly kind: 'bank-trade' }>

const CENT = UNITS_PER_WHOLE / 100n

/** A bank, one of its pairs and one of its customers. */
interface Place {
  readonly bank: Bank
  readonly pair: BankPair
  readonly customer: string
}

const anyPlace = ({ random, platform, style }: StepRun): Place => {
  const bank = random.pick(platform.banks())
  return { bank, pair: random.pick(bank.spec.pairs), customer: `customer-${random.below(style.customers)}` }
}

const share = ({ random }: StepRun, amount: bigint, least: number, most: number): bigint =>
  mulDivFloor(amount, BigInt(random.between(least, most)), 1_000n)

const atLeast = (amount: bigint, least: bigint): bigint => (amount < least ? least : amount)

/** What of a currency to trade: mostly within what the customer owns and the limits, on the step. */
const drawAmount = (run: StepRun, owned: bigint, step: bigint, limits: readonly bigint[]): bigint => {
  const { random } = run
  const drawn = random.below(100)
  const some = owned > 0n ? owned : 20n * UNITS_PER_WHOLE
  if (drawn < 66) return atLeast(floorTo(share(run, some, 5, 250), step), step)
  if (drawn < 78) return atLeast(floorTo(share(run, some, 500, 1_000), step), step)
  if (drawn < 86) return floorTo(share(run, some, 1_001, 2_500), step) + step
  if (drawn < 90) return share(run, some, 10, 100) + 1n
  return atLeast(floorTo(random.pick(limits), step) + step * BigInt(random.between(-1, 1)), step)
}

/** With what a customer has besides, more than an account can hold. */
const HUGE = parseAmount('999999999998')
/** A customer without anything would really get it, and no sell could ever be paid out any more. */
const HUGE_BESIDES_LEAST = 50n * UNITS_PER_WHOLE

const ownedOf = ({ knowledge }: StepRun, { bank, customer }: Place, currency: string): bigint =>
  knowledge.owned(bank.name, customer, currency)

const drawDeposit = (run: StepRun, place: Place): bigint => {
  const { random } = run
  const isRich = ownedOf(run, place, place.pair.quoteAsset) >= HUGE_BESIDES_LEAST
  return isRich && random.below(60) === 0 ? HUGE : BigInt(random.between(4_000, 400_000)) * CENT
}

const depositRequest = (run: StepRun, place: Place): Request => ({
  kind: 'bank-move',
  bank: place.bank.name,
  customer: place.customer,
  type: 'DEPOSIT',
  amount: drawDeposit(run, place),
  currency: place.pair.quoteAsset,
  reference: 'salary',
})

const tradeRequest = (run: StepRun, place: Place): Omit<TradeRequest, 'quoteId'> => {
  const { random } = run
  const { bank, pair, customer } = place
  const side = ownedOf(run, place, pair.baseAsset) > 0n && random.chance(40) ? 'SELL' : 'BUY'
  const currency = side === 'BUY' ? pair.quoteAsset : pair.baseAsset
  const limits =
    side === 'BUY' ? [pair.minAmount, pair.maxAmount, bank.spec.limits.dailyAmountPerCustomer ?? CENT] : [pair.lotSize]
  return {
    kind: 'bank-trade',
    bank: bank.name,
    customer,
    side,
    amount: drawAmount(run, ownedOf(run, place, currency), side === 'BUY' ? CENT : pair.lotSize, limits),
    currency: random.chance(2) ? 'ZZZ' : currency,
  }
}

/** A customer has fiat before most of what it does: a deposit comes first. */
const endowed = async (run: StepRun): Promise<Place> => {
  const place = anyPlace(run)
  if (ownedOf(run, place, place.pair.quoteAsset) <= 0n && run.random.chance(90)) {
    await send(run, depositRequest(run, place))
  }
  return place
}

const trade: Step = async (run) => {
  await send(run, { ...tradeRequest(run, await endowed(run)), quoteId: null })
}

const quoteRequest = (run: StepRun, place: Place): Request => {
  const { kind: _kind, ...asked } = tradeRequest(run, place)
  return { kind: 'quote', ...asked }
}

const quote: Step = async (run) => {
  await send(run, quoteRequest(run, await endowed(run)))
}

/** The trade that a quote was asked for; or one that differs, of which the quote says no. */
const quotedTrade = (run: StepRun, { request, quote: { quoteId } }: KnownQuote): TradeRequest => {
  const { random } = run
  const { kind: _kind, ...asked } = request
  const right: TradeRequest = { kind: 'bank-trade', ...asked, quoteId }
  if (!random.chance(9)) return right
  return random.pick<TradeRequest>([
    { ...right, customer: `${right.customer}0` },
    { ...right, amount: right.amount + UNITS_PER_WHOLE },
    { ...right, bank: random.pick(run.platform.banks()).name },
    { ...right, quoteId: `q_${'0'.repeat(32)}` },
    { ...right, side: right.side === 'BUY' ? 'SELL' : 'BUY' },
  ])
}

/** Trades on a quote that was got before: fresh, expired, used, or moved away from. */
const useQuote: Step = async (run) => {
  const { random } = run
  const known = pickRecent(random, run.knowledge.quotes(), 80)
  if (known === null) return quote(run)
  const count = random.chance(25) ? random.between(2, 4) : 1
  return race(
    run,
    Array.from({ length: count }, () => quotedTrade(run, known)),
  )
}

/** A quote and at once the trade on it, with the exchange's price moving in between for some. */
const quoteAndTrade: Step = async (run) => {
  const { random, clients, platform, knowledge } = run
  const place = await endowed(run)
  await send(run, quoteRequest(run, place))
  const known = knowledge.quotes().at(-1)
  if (known === undefined) return undefined
  await clients.pause(random.pick([0, 5, 50, 400]), `step ${run.step}: the customer thinks`)
  if (random.chance(35)) moveExchange(run, place.pair.symbol, 60_000)
  if (random.chance(10))
    await send(run, { kind: 'cancel-quote', bank: known.request.bank, quoteId: known.quote.quoteId })
  const count = platform.banks().length > 0 && random.chance(30) ? random.between(2, 4) : 1
  return race(
    run,
    Array.from({ length: count }, () => quotedTrade(run, known)),
  )
}

const cancel: Step = async (run) => {
  const { random } = run
  const known = pickRecent(random, run.knowledge.quotes(), 70)
  if (known === null) return quote(run)
  const bank = random.chance(10) ? random.pick(run.platform.banks()).name : known.request.bank
  const requests: Request[] = [{ kind: 'cancel-quote', bank, quoteId: known.quote.quoteId }]
  if (random.chance(40)) requests.push(quotedTrade(run, known))
  return race(run, requests)
}

/** Deposits and withdrawals, a few beyond what there is or malformed. */
const move: Step = async (run) => {
  const { random } = run
  const place = anyPlace(run)
  const deposit = depositRequest(run, place)
  if (deposit.kind !== 'bank-move' || random.chance(55)) {
    await send(run, deposit)
    return
  }
  const owned = ownedOf(run, place, place.pair.quoteAsset)
  const amount = drawAmount(run, owned, CENT, [CENT])
  const currency = random.chance(6) ? place.pair.baseAsset : place.pair.quoteAsset
  await send(run, { ...deposit, type: 'WITHDRAWAL', amount, currency, reference: 'rent' })
}

/** Several trades of one customer at once that together need more than there is. */
const racing: Step = async (run) => {
  const place = await endowed(run)
  const count = run.random.between(2, 5)
  const requests = Array.from({ length: count }, (): Request => ({ ...tradeRequest(run, place), quoteId: null }))
  return race(run, requests)
}

/** Moves what a symbol costs by at most so many hundredths of a bp. */
const moveExchange = ({ random, platform }: StepRun, symbol: string, most: number): void => {
  const moved = mulDivFloor(platform.exchangePrice(symbol), BigInt(1_000_000 + random.between(-most, most)), 1_000_000n)
  if (moved > 0n) platform.setExchangePrice(symbol, floorTo(moved, 10_000n) + 10_000n)
}

const exchangePrice: Step = (run) => {
  const { pair } = anyPlace(run)
  moveExchange(run, pair.symbol, run.random.pick([1_000, 5_000, 40_000]))
  return Promise.resolve()
}

const readRequest = (run: StepRun, { bank: { name: bank }, customer }: Place): Request => {
  const { random, knowledge, platform } = run
  const reader = random.chance(20) ? random.pick(platform.banks()).name : bank
  const transactionId = pickRecent(random, knowledge.transactions(bank), 50)
  const keys = knowledge.sent().filter(({ request }) => 'bank' in request && request.bank === bank)
  const key = pickRecent(random, keys, 50)?.key ?? null
  const readings: readonly (Request | null)[] = [
    { kind: 'bank-accounts', bank, customer },
    { kind: 'bank-accounts', bank, customer },
    transactionId === null ? null : { kind: 'bank-transaction', bank: reader, transactionId },
    key === null ? null : { kind: 'bank-transaction-by-key', bank: reader, idempotencyKey: key },
    { kind: 'bank-transactions', bank, customer: random.chance(50) ? customer : null, cursor: null },
    { kind: 'bank-events', bank, after: random.below(20) },
  ]
  return random.pick(readings.filter((request) => request !== null))
}

const read: Step = async (run) => {
  await send(run, readRequest(run, anyPlace(run)))
}

const changedSpec = ({ random }: StepRun, spec: BankSpec): BankSpec => {
  const changes: readonly (() => Partial<BankSpec>)[] = [
    () => ({ state: 'Suspended' }),
    () => ({ state: 'Suspended' }),
    () => ({
      quotes: { ttlSeconds: random.pick([1, 3, 10]), slippageBps: parseAmount(random.pick(['0', '10', '80'])) },
    }),
    () => ({
      limits: {
        ...spec.limits,
        dailyAmount: parseAmount(random.pick(['2000', '20000', '10000000'])),
        dailyAmountPerCustomer: parseAmount(random.pick(['500', '4000', '100000'])),
      },
    }),
    () => ({ pairs: spec.pairs.map((pair) => ({ ...pair, spreadBps: parseAmount(random.pick(['0', '40', '150'])) })) }),
  ]
  return { ...spec, ...random.pick(changes)() }
}

/** A bank's manifest is changed; a suspended bank is made active again, and its limits are mostly lifted. */
const respecify: Step = async (run) => {
  const { random, platform, clients } = run
  const { name } = anyPlace(run).bank
  const specNow = (): BankSpec | undefined => platform.banks().find((bank) => bank.name === name)?.spec
  const before = specNow()
  if (before === undefined) return
  platform.changeBank(name, changedSpec(run, before))
  await clients.pause(random.between(20, 4_000), `step ${run.step}: the bank's manifest once more`)
  const now = specNow()
  if (now === undefined) return
  const limits = random.chance(60) ? { ...now.limits, dailyAmount: null, dailyAmountPerCustomer: null } : now.limits
  platform.changeBank(name, { ...now, state: 'Active', limits })
}

/** Steps of banks and of their exchange, with how often each comes. */
export const bankSteps: readonly (readonly [Step, number])[] = [
  [trade, 26],
  [move, 10],
  [quote, 6],
  [useQuote, 9],
  [quoteAndTrade, 12],
  [cancel, 3],
  [racing, 5],
  [exchangePrice, 9],
  [read, 9],
  [respecify, 2],
]
