import { transactionTypes, type AccountKind } from '@bourse/risk-rules/ledger/accounts.ts'
import { closeReasons } from '@bourse/risk-rules/trading/codec.ts'
import { hex } from '../../evidence/bytes.ts'
import { holdName, type Instruction, type Leg } from '../../evidence/instruction.ts'
import type { End, Terms, Trade } from './trade.ts'

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

/** Other stops move nothing: the ledger hears of them with the opening of an account that is there. */
export const newsOf = (trade: Trade, terms: Terms): Instruction => ({
  kind: 'OPEN_ACCOUNT',
  transactionType: 0,
  reference: referenceOf(terms, trade.number),
  holds: [],
  legs: [leg(terms, 'customer', trade.account, 0n)],
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
