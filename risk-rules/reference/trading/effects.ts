import { isCommand, NO_ID } from '@bourse/common/kernel/command.ts'
import { encodeLedgerCommand } from '../../src/ledger/codec.ts'
import type { Instruction, Leg } from '../../src/ledger/codec.ts'
import { transactionTypes } from '../../src/ledger/accounts.ts'
import type { AccountKind } from '../../src/ledger/accounts.ts'
import type { SpecCommand } from '../../src/trading/commands.ts'
import { closeReasons, tradeEventTypes } from '../../src/trading/numbers.ts'
import {
  closedTradeLayout,
  EVENT_HEADER_BYTES,
  openTradeLayout,
  tradeReferenceLayout,
} from '../../src/trading/outcomes.ts'
import type { ClosedTrade, OpenTrade } from '../../src/trading/outcomes.ts'
import { viewOf } from '../../src/trading/struct.ts'

/** An effect before its command index is known. */
export interface LedgerEffect {
  readonly to: number
  readonly bytes: Uint8Array
}

const ledgerCommand = (to: number, instruction: Instruction): LedgerEffect => {
  const bytes = encodeLedgerCommand({ id: NO_ID }, instruction)
  if (!isCommand(bytes)) throw new RangeError('an effect is a whole command')
  return { to, bytes }
}

const referenceOf = (spec: SpecCommand, tradeNumber: bigint): Uint8Array =>
  tradeReferenceLayout.encode({ marketNumber: spec.marketNumber, partitionIndex: spec.partitionIndex, tradeNumber })

const leg = (spec: SpecCommand, kind: AccountKind, owner: Uint8Array, amount: bigint): Leg => ({
  owner,
  kind,
  currency: spec.quoteCurrency,
  amount,
})

const memoOf = (type: number, record: Uint8Array): Uint8Array => {
  const memo = new Uint8Array(EVENT_HEADER_BYTES + record.length)
  viewOf(memo).setUint32(0, type, true)
  memo.set(record, EVENT_HEADER_BYTES)
  return memo
}

/** A refused opening gives both holds back. */
export const releaseOf = (id: Uint8Array, ledgerPartition: number): LedgerEffect =>
  ledgerCommand(ledgerPartition, {
    kind: 'RELEASE',
    holds: [
      { id, index: 0 },
      { id, index: 1 },
    ],
  })

/** An opened trade closes the fee's hold and pays the fee. */
export const openedOf = (spec: SpecCommand, trade: OpenTrade): LedgerEffect =>
  ledgerCommand(trade.ledgerPartition, {
    kind: 'SETTLE',
    transactionType: transactionTypes.TRADE_OPEN_FEE,
    reference: referenceOf(spec, trade.tradeNumber),
    holds: [{ id: trade.openId, index: 1 }],
    legs: [leg(spec, 'customer', trade.account, -trade.openFee), leg(spec, 'fees', spec.fees, trade.openFee)],
    memo: memoOf(tradeEventTypes.opened, openTradeLayout.encode({ ...trade, zero: 0 })),
  })

/** Other stops move no money: the event travels on the opening of the account, which is there. */
export const updatedOf = (spec: SpecCommand, trade: OpenTrade): LedgerEffect =>
  ledgerCommand(trade.ledgerPartition, {
    kind: 'OPEN_ACCOUNT',
    reference: referenceOf(spec, trade.tradeNumber),
    legs: [leg(spec, 'customer', trade.account, 0n)],
    memo: memoOf(tradeEventTypes.updated, openTradeLayout.encode({ ...trade, zero: 0 })),
  })

/**
 * What goes on to the insurance's partition when a trade is closed: its liquidation fee, or the question for a refund.
 */
const slipOf = (spec: SpecCommand, trade: ClosedTrade): { target: number; command: Uint8Array } | null => {
  const reference = referenceOf(spec, trade.tradeNumber)
  const target = spec.insurancePartition
  if (trade.deficit > 0n) {
    const { bytes } = ledgerCommand(target, {
      kind: 'INSURANCE_REFUND',
      transactionType: transactionTypes.INSURANCE_REFUND,
      reference,
      legs: [
        leg(spec, 'insurance', spec.insurance, trade.deficit),
        leg(spec, 'clearing', spec.clearing, 0n),
        leg(spec, 'house', spec.house, 0n),
      ],
      slip: { target: trade.ledgerPartition },
    })
    return { target, command: bytes }
  }
  if (trade.reason !== closeReasons.LIQUIDATION || trade.closeFee === 0n) return null
  const { bytes } = ledgerCommand(target, {
    kind: 'POST',
    transactionType: transactionTypes.LIQUIDATION_FEE,
    reference,
    legs: [
      leg(spec, 'clearing', spec.clearing, -trade.closeFee),
      leg(spec, 'insurance', spec.insurance, trade.closeFee),
    ],
  })
  return { target, command: bytes }
}

/** A closed trade closes the margin's hold and settles customer, house and fee. */
export const closedOf = (spec: SpecCommand, trade: ClosedTrade): LedgerEffect => {
  const change = trade.returned - trade.margin
  const slip = slipOf(spec, trade)
  const feeLeg =
    trade.reason === closeReasons.LIQUIDATION
      ? leg(spec, 'clearing', spec.clearing, trade.closeFee)
      : leg(spec, 'fees', spec.fees, trade.closeFee)
  return ledgerCommand(trade.ledgerPartition, {
    kind: 'SETTLE',
    transactionType: transactionTypes.TRADE_CLOSE,
    reference: referenceOf(spec, trade.tradeNumber),
    holds: [{ id: trade.openId, index: 0 }],
    legs: [
      leg(spec, 'customer', trade.account, change),
      leg(spec, 'house', spec.house, -(change + trade.closeFee)),
      feeLeg,
    ],
    memo: memoOf(tradeEventTypes.closed, closedTradeLayout.encode(trade)),
    ...(slip === null ? {} : { slip }),
  })
}
