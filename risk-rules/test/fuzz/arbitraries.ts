import fc from 'fast-check'
import { commandOrigins, encodeCommand, FLAG_WANTS_OUTCOME, KIND_TIME } from '@bourse/common/kernel/command.ts'
import type { CommandOrigin } from '@bourse/common/kernel/command.ts'
import { accountKinds } from '../../src/ledger/accounts.ts'
import type { AccountKind } from '../../src/ledger/accounts.ts'
import { ledgerKinds } from '../../src/ledger/codec.ts'
import type { Instruction, LedgerKind, Leg } from '../../src/ledger/codec.ts'
import {
  encodeClose,
  encodeContinue,
  encodeFunding,
  encodeOpen,
  encodeSpec,
  encodeState,
  encodeTick,
  encodeTime,
  encodeUpdate,
  KEEP_AS_IT_IS,
} from '../../src/trading/codec.ts'
import type { SpecCommand, TierSpec } from '../../src/trading/codec.ts'
import { idOf, LEDGER, spec, START, units } from '../trading-kit.ts'

/** Arbitrary values of everything that the ledger and trading machines are told. */

export const u16 = fc.nat({ max: 0xffff })
export const u32 = fc.nat({ max: 0xffff_ffff })
export const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
export const i64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
export const i128 = fc.bigInt({ min: -(1n << 127n), max: (1n << 127n) - 1n })
/** Ids of which some come again. */
export const ids = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc.nat(6).map((number) => idOf(`id ${number}`)),
  fc.constant(new Uint8Array(16)),
)
export const headers = fc.record({
  id: ids,
  requestHash: fc.nat(2).map((number) => idOf(`hash ${number}`)),
  flags: fc.constantFrom(0, FLAG_WANTS_OUTCOME, 0xff),
  sender: fc.oneof(fc.constant(0), u32),
  origin: fc.constantFrom<CommandOrigin>(...Object.values(commandOrigins)),
})

export const currencies = fc.oneof(
  fc.constantFrom('USDC', 'BTC', 'A', 'ABCDEFGH'),
  fc.stringMatching(/^[A-Z0-9]{1,8}$/),
)
const owners = fc.nat(5).map((number) => idOf(`owner ${number}`))
const amounts = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 10n ** 20n - 1n, 10n ** 20n, -(10n ** 20n), 1n << 64n, (1n << 127n) - 1n, -(1n << 127n)),
  fc.bigInt({ min: -1_000n, max: 1_000n }),
  i128,
)
export const legs: fc.Arbitrary<Leg> = fc.record({
  owner: owners,
  currency: currencies,
  kind: fc.constantFrom(...(Object.keys(accountKinds) as AccountKind[])),
  amount: amounts,
})
const slips = fc
  .tuple(u32, fc.uint8Array({ maxLength: 40 }))
  .map(([target, body]) => ({ target: target === 0 ? 1 : target, command: encodeCommand({ kind: 2 }, body) }))

/** Any instruction the codec writes; most are no sense to the ledger. */
export const instructions: fc.Arbitrary<Instruction> = fc.record(
  {
    kind: fc.constantFrom(...(Object.keys(ledgerKinds) as LedgerKind[])),
    transactionType: u16,
    holds: fc.array(fc.record({ id: ids, index: fc.oneof(fc.nat(2), u32) }), { maxLength: 8 }),
    legs: fc.array(legs, { maxLength: 16 }),
    reference: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    memo: fc.uint8Array({ maxLength: 64 }),
    slip: slips,
  },
  { requiredKeys: ['kind'] },
)

/** Instructions that often make sense: a leg and its opposite, a lock, an opening. */
export const sensible: fc.Arbitrary<Instruction> = fc
  .tuple(
    fc.constantFrom('HOLD', 'POST', 'OPEN_ACCOUNT', 'SETTLE', 'RELEASE'),
    owners,
    fc.bigInt({ min: 0n, max: 500n }),
    ids,
  )
  .map(([kind, owner, amount, id]): Instruction => {
    const customer: Leg = { owner, currency: 'USDC', kind: 'customer', amount }
    const other: Leg = { owner: idOf('promotion'), currency: 'USDC', kind: 'promotion', amount: -amount }
    if (kind === 'HOLD') return { kind, legs: [customer] }
    if (kind === 'OPEN_ACCOUNT')
      return { kind, transactionType: 1, legs: amount === 0n ? [customer] : [customer, other] }
    if (kind === 'RELEASE') return { kind, holds: [{ id, index: 0 }] }
    if (kind === 'SETTLE')
      return { kind, transactionType: 3, holds: [{ id, index: 0 }], legs: amount === 0n ? [] : [customer, other] }
    return { kind: 'POST', transactionType: 9, legs: [customer, other] }
  })

const prices = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    -1n,
    units('60000'),
    units('59000'),
    units('70000'),
    units('0.01'),
    10n ** 17n,
    10n ** 17n + 1n,
  ),
  fc.bigInt({ min: 1n, max: 20_000_000n }).map((ticks) => ticks * 1_000_000n),
  i64,
)
const moments = fc.oneof(fc.constantFrom(START, START - 1n, START + 5_000n, START + 28_800_000n, 0n, -1n), i64)
const rates = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, units('5'), units('10000'), units('10000') + 1n, units('20000')),
  i64,
)
const sizes = fc.oneof(fc.constantFrom(0n, 1n, -1n, units('0.01'), units('1'), 10n ** 16n, 10n ** 16n + 1n), i64)
const small = fc.oneof(fc.nat(3), fc.constantFrom(20, 100, 1_000, 1_001), u32)

const tier: fc.Arbitrary<TierSpec> = fc.record({
  floor: fc.oneof(fc.constantFrom(0n, units('250000')), i64),
  rate: fc.oneof(fc.constantFrom(0n, units('0.004'), units('0.01'), units('1')), i64),
  maxLeverage: small,
})
/** Any SPEC the codec writes. */
export const specs: fc.Arbitrary<SpecCommand> = fc.record({
  tickSize: sizes,
  lotSize: sizes,
  minMargin: sizes,
  maxNotional: sizes,
  maxNetNotional: sizes,
  maxOpenTrades: small,
  maxLeverage: small,
  openBps: rates,
  closeBps: rates,
  liquidationBps: rates,
  spreadBps: rates,
  fundingRateBps: rates,
  fundingCapBps: rates,
  maxAgeMs: sizes,
  fundingIntervalSeconds: small,
  state: fc.oneof(fc.nat(3), u32),
  quoteCurrency: fc.constantFrom('USDC', '', 'usdc', 'ABCDEFGH'),
  house: ids,
  fees: ids,
  clearing: ids,
  insurance: ids,
  insurancePartition: fc.oneof(fc.constant(spec.insurancePartition), u32),
  marketNumber: fc.oneof(fc.constant(1), u32),
  partitionIndex: fc.oneof(fc.constant(0), u32),
  capacity: small,
  tiers: fc.array(tier, { maxLength: 16 }),
})
/** The sample SPEC with one field replaced. */
const nearlySpec = fc
  .tuple(specs, fc.constantFrom(...(Object.keys(spec) as (keyof SpecCommand)[])))
  .map(([other, field]): SpecCommand => ({ ...spec, [field]: other[field] }))

const quotes = fc.record({ feedBid: prices, feedAsk: prices, quoteTime: moments })
const flat = prices.map((price) => ({ feedBid: price, feedAsk: price, quoteTime: START }))
const accounts = fc.nat(2).map((number) => idOf(`account ${number}`))

export const opens = fc.record({
  account: accounts,
  ledgerPartition: fc.oneof({ weight: 4, arbitrary: fc.constant(LEDGER) }, { weight: 1, arbitrary: u32 }),
  direction: fc.oneof(fc.nat(2), u32),
  leverage: small,
  margin: fc.oneof(fc.constantFrom(units('1'), units('100'), units('5000'), 0n, -1n), i64),
  stopLoss: fc.oneof(fc.constant(0n), prices),
  takeProfit: fc.oneof(fc.constant(0n), prices),
  worstPrice: fc.oneof(fc.constant(0n), prices),
  openBps: fc.oneof({ weight: 4, arbitrary: fc.constant(spec.openBps) }, { weight: 1, arbitrary: rates }),
})
export const closes = fc.record({
  account: accounts,
  tradeNumber: fc.oneof(fc.bigInt({ min: 0n, max: 9n }), u64),
  worstPrice: fc.oneof(fc.constant(0n), prices),
})

const triggers = fc.oneof(fc.constantFrom(KEEP_AS_IT_IS, 0n, units('59500'), units('60500')), prices)
export const updates = fc.record({
  account: accounts,
  tradeNumber: fc.oneof(fc.bigInt({ min: 0n, max: 4n }), u64),
  stopLoss: triggers,
  takeProfit: triggers,
})

/** Commands of trading: sensible ones, edges and whatever the codec writes. */
export const tradingCommands: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .tuple(opens, fc.oneof(flat, quotes), headers)
    .map(([open, quote, header]) => encodeOpen({ ...open, ...quote }, header)),
  fc
    .tuple(closes, fc.oneof(flat, quotes), headers)
    .map(([close, quote, header]) => encodeClose({ ...close, ...quote }, header)),
  fc
    .tuple(updates, fc.oneof(flat, quotes), headers)
    .map(([update, quote, header]) => encodeUpdate({ ...update, ...quote }, header)),
  fc
    .tuple(fc.oneof(flat, quotes), prices, prices, headers)
    .map(([quote, previousBid, previousAsk, header]) => encodeTick({ ...quote, previousBid, previousAsk }, header)),
  fc
    .tuple(moments, prices, prices, headers)
    .map(([dueTime, feedBid, feedAsk, header]) => encodeFunding({ dueTime, feedBid, feedAsk }, header)),
  fc.tuple(fc.oneof(nearlySpec, specs), headers).map(([value, header]) => encodeSpec(value, header)),
  fc.tuple(fc.oneof(fc.nat(3), u32), headers).map(([state, header]) => encodeState(state, header)),
  headers.map((header) => encodeContinue(header)),
  headers.map((header) => encodeTime(header)),
  fc
    .tuple(headers, fc.oneof(fc.nat(12), fc.constant(KIND_TIME), u16), fc.uint8Array({ maxLength: 200 }))
    .map(([header, kind, body]) => encodeCommand({ ...header, kind }, body)),
)
