import {
  closeReasons,
  directions,
  type ClosedTrade,
  type OpenTrade,
  type SpecCommand,
} from '@bourse/risk-rules/trading/codec.ts'
import { feeAt, isLiquidationPrice, settle, withAmounts, type Position, type Tier } from '../arithmetic/cfd.ts'
import { hex } from '../evidence/bytes.ts'
import type { Instruction, Leg } from '../evidence/instruction.ts'
import { holdName } from '../evidence/instruction.ts'
import { transactionTypes, type AccountKind } from '@bourse/risk-rules/ledger/accounts.ts'

/** An open trade as the auditor knows it. Ids in hex, money in units. */
export interface Trade extends Position {
  readonly number: bigint
  readonly account: string
  readonly openId: string
  readonly ledgerPartition: number
  readonly leverage: number
  readonly stopLoss: bigint
  readonly takeProfit: bigint
  readonly openFee: bigint
  readonly openedAt: bigint
  readonly tiers: readonly Tier[]
  /** Sequence of the record that opened it. */
  readonly openedIn: bigint
}

/** How a trade came to its end. */
export interface End {
  readonly reason: number
  readonly exitPrice: bigint
  readonly closedAt: bigint
  readonly pnl: bigint
  readonly funding: bigint
  readonly fee: bigint
  readonly returned: bigint
  readonly deficit: bigint
  /** F at the close. */
  readonly fundingAt: bigint
  /** Sequence of the record that closed it. */
  readonly closedIn: bigint
}

/** A market's rules as journaled, with the amounts of its tiers. */
export interface Terms extends SpecCommand {
  readonly tiersWithAmounts: readonly Tier[]
}

/** Terms of a journaled spec. */
export const termsOf = (spec: SpecCommand): Terms => ({ ...spec, tiersWithAmounts: withAmounts(spec.tiers) })

/** What a close at `price` is by the auditor's arithmetic. */
export const endOf = (
  trade: Trade,
  terms: Terms,
  close: {
    readonly price: bigint
    readonly reason: number
    readonly funding: bigint
    readonly now: bigint
    readonly sequence: bigint
  },
): End => {
  const bps = close.reason === closeReasons.LIQUIDATION ? terms.liquidationBps : terms.closeBps
  return {
    reason: close.reason,
    exitPrice: close.price,
    closedAt: close.now,
    fundingAt: close.funding,
    closedIn: close.sequence,
    ...settle(trade, close.price, close.funding, bps),
  }
}

/** The fields of `told` that differ from what they should be, as text; empty when all agree. */
export const differences = (
  told: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
): string =>
  Object.entries(expected)
    .filter(([name, value]) => told[name] !== value)
    .map(([name, value]) => `${name} ${String(told[name])}, not ${String(value)}`)
    .join('; ')

const sharedFields = (trade: Trade) => ({
  tradeNumber: trade.number,
  quantity: trade.quantity,
  entryPrice: trade.entryPrice,
  openFee: trade.openFee,
  openedAt: trade.openedAt,
  margin: trade.margin,
  stopLoss: trade.stopLoss,
  takeProfit: trade.takeProfit,
  direction: trade.isLong ? directions.LONG : directions.SHORT,
  leverage: trade.leverage,
  account: trade.account,
  openId: trade.openId,
  ledgerPartition: trade.ledgerPartition,
})

const withTexts = (told: OpenTrade | ClosedTrade) => ({ ...told, account: hex(told.account), openId: hex(told.openId) })

/** What is wrong in how an open trade is told, with F of that moment; empty when nothing is. */
export const faultsOfOpen = (told: OpenTrade, trade: Trade, funding: bigint, tick: bigint): string => {
  const wrong = differences(withTexts(told), { ...sharedFields(trade), fundingAtOpen: trade.fundingAtOpen })
  if (wrong !== '') return wrong
  return isLiquidationPrice(trade, told.liquidationPrice, funding, tick)
    ? ''
    : `liquidationPrice ${told.liquidationPrice} is not the one`
}

/** What is wrong in how a closed trade is told; empty when nothing is. */
export const faultsOfClosed = (told: ClosedTrade, trade: Trade, end: End, tick: bigint): string => {
  const { pnl, funding, returned, deficit, reason, exitPrice, closedAt, fee } = end
  const result = {
    pnl,
    funding,
    returned,
    deficit,
    reason,
    exitPrice,
    closedAt,
    closeFee: fee,
    fees: trade.openFee + fee,
  }
  const wrong = differences(withTexts(told), { ...sharedFields(trade), ...result })
  if (wrong !== '') return wrong
  return isLiquidationPrice(trade, told.liquidationPrice, end.fundingAt, tick)
    ? ''
    : `liquidationPrice ${told.liquidationPrice} is not the one`
}

/** The reference of all a trade's transactions: market, partition, number. */
export const referenceOf = (terms: Pick<Terms, 'marketNumber' | 'partitionIndex'>, number: bigint): string => {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32LE(terms.marketNumber, 0)
  bytes.writeUInt32LE(terms.partitionIndex, 4)
  bytes.writeBigUInt64LE(number, 8)
  return bytes.toString('hex')
}

const leg = (terms: Terms, kind: AccountKind, owner: string, amount: bigint): Leg => ({
  kind,
  owner,
  currency: terms.quoteCurrency,
  amount,
})
const NOTHING = '0'.repeat(32)

/** An opened trade pays its fee out of the fee's hold. */
export const openFeeOf = (trade: Trade, terms: Terms): Instruction => ({
  kind: 'SETTLE',
  transactionType: transactionTypes.TRADE_OPEN_FEE,
  reference: referenceOf(terms, trade.number),
  holds: [holdName(trade.openId, 1)],
  legs: [leg(terms, 'customer', trade.account, -trade.openFee), leg(terms, 'fees', hex(terms.fees), trade.openFee)],
  slip: null,
})

/** A refused opening gives both holds back. */
export const releaseOf = (openId: string): Instruction => ({
  kind: 'RELEASE',
  transactionType: 0,
  reference: NOTHING,
  holds: [holdName(openId, 0), holdName(openId, 1)],
  legs: [],
  slip: null,
})

const furtherOf = (trade: Trade, end: End, terms: Terms): Instruction['slip'] => {
  const reference = referenceOf(terms, trade.number)
  if (end.deficit > 0n) {
    const legs = [
      leg(terms, 'insurance', hex(terms.insurance), end.deficit),
      leg(terms, 'clearing', hex(terms.clearing), 0n),
      leg(terms, 'house', hex(terms.house), 0n),
    ]
    const slip = { target: trade.ledgerPartition, instruction: null }
    const instruction = {
      kind: 'INSURANCE_REFUND',
      transactionType: transactionTypes.INSURANCE_REFUND,
      reference,
      holds: [],
      legs,
      slip,
    } as const
    return { target: terms.insurancePartition, instruction }
  }
  if (end.reason !== closeReasons.LIQUIDATION || end.fee === 0n) return null
  const legs = [
    leg(terms, 'clearing', hex(terms.clearing), -end.fee),
    leg(terms, 'insurance', hex(terms.insurance), end.fee),
  ]
  const instruction = {
    kind: 'POST',
    transactionType: transactionTypes.LIQUIDATION_FEE,
    reference,
    holds: [],
    legs,
    slip: null,
  } as const
  return { target: terms.insurancePartition, instruction }
}

/**
 * The money of a close: the margin's hold is closed, pnl and funding are settled with the house, which bears a deficit at
 * once; the fee goes to fees, on a liquidation through clearing to the insurance.
 */
export const closeOf = (trade: Trade, end: End, terms: Terms): Instruction => {
  const change = end.returned - trade.margin
  const isLiquidation = end.reason === closeReasons.LIQUIDATION
  return {
    kind: 'SETTLE',
    transactionType: transactionTypes.TRADE_CLOSE,
    reference: referenceOf(terms, trade.number),
    holds: [holdName(trade.openId, 0)],
    legs: [
      leg(terms, 'customer', trade.account, change),
      leg(terms, 'house', hex(terms.house), -change - end.fee),
      isLiquidation
        ? leg(terms, 'clearing', hex(terms.clearing), end.fee)
        : leg(terms, 'fees', hex(terms.fees), end.fee),
    ],
    slip: furtherOf(trade, end, terms),
  }
}

/** The open fee of a quantity at its entry. */
export const openFeeFor = (terms: Terms, quantity: bigint, entryPrice: bigint): bigint =>
  feeAt(quantity, entryPrice, terms.openBps)
