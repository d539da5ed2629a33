import { createReferenceTradingMachine } from '@bourse/risk-rules/reference/trading/machine.ts'
import { tiersOf } from '@bourse/risk-rules/reference/trading/rules.ts'
import { saved } from '@bourse/risk-rules/reference/trading/saved.ts'
import { emptyState, type State, type Trade } from '@bourse/risk-rules/reference/trading/state.ts'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import {
  closedTradeLayout,
  decodeCloseOutcome,
  decodeTickOutcome,
  tradingKinds,
  type ClosedTrade,
} from '@bourse/risk-rules/trading/codec.ts'
import type { Closing, Opening, Update } from './trade.ts'

const CAPACITIES = { tradesMax: 2, idsMax: 16 } as const

/** Whether the reference decides as the journal says, and what it says instead where it does not. */
export interface Agreement {
  readonly agrees: boolean
  readonly reference: string
}

/** A reference machine in a state of which only this trade is known. */
const machineWith = (state: Partial<State>) => {
  const machine = createReferenceTradingMachine(CAPACITIES)
  machine.restore(saved({ state: { ...emptyState(), firstTickAt: 1n, lastTable: 1, ...state }, ids: [] }))
  return machine
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const sameOutcome = (again: Uint8Array | undefined, outcome: Uint8Array): Agreement => {
  const agrees = again !== undefined && hex(again) === hex(outcome)
  return {
    agrees,
    reference: agrees ? 'the same outcome, byte for byte' : `another outcome: ${hex(again ?? new Uint8Array())}`,
  }
}

/**
 * Opens the trade once more on the reference, alone in the market: limits that depend on the other trades are left out, what the
 * opening came to does not depend on them.
 */
export const reopened = ({ command, outcome, spec, trade, now, behaviour }: Opening): Agreement => {
  const machine = machineWith({
    spec: { ...spec, maxNetNotional: 0n, maxOpenTrades: 0, capacity: 0 },
    funding: trade.fundingAtOpen,
    lastNumber: trade.tradeNumber - 1n,
  })
  const [again] = machine.apply([command], now, behaviour).outcomes
  return sameOutcome(again, outcome)
}

/** A trade's stop and target at some moment of its life; 0 is none. */
export type Stops = Pick<Trade, 'stopLoss' | 'takeProfit'>

const tradeOf = ({ trade, spec, open }: Opening, { stopLoss, takeProfit }: Stops): Trade => ({
  ...trade,
  stopLoss,
  takeProfit,
  number: trade.tradeNumber,
  leverage: open.leverage,
  table: 1,
  tiers: tiersOf(spec.tiers),
})

const closedBy = (command: Uint8Array, outcome: Uint8Array | undefined): ClosedTrade | undefined => {
  if (outcome === undefined || decodeOutcomeHeader(outcome).code !== refusalNumbers.OK) return undefined
  const isClose = decodeHeader(command).kind === tradingKinds.close
  return isClose ? decodeCloseOutcome(outcome) : decodeTickOutcome(outcome).closed[0]
}

/** Gives the trade, which had these stops, its new ones once more on the reference. */
export const updatedAgain = (opening: Opening, before: Stops, update: Update): Agreement => {
  const trade = tradeOf(opening, before)
  const machine = machineWith({
    spec: update.spec,
    funding: update.funding,
    lastNumber: trade.number,
    quantityMax: trade.quantity,
    trades: new Map([[trade.number, trade]]),
  })
  const [again] = machine.apply([update.command], update.now, update.behaviour).outcomes
  return sameOutcome(again, update.outcome)
}

/** Closes the trade, which had these stops, once more on the reference, with F as it was and the command that decided it. */
export const closedAgain = (opening: Opening, stops: Stops, closing: Closing): Agreement => {
  const trade = tradeOf(opening, stops)
  const machine = machineWith({
    spec: closing.spec,
    funding: closing.funding,
    lastNumber: trade.number,
    quantityMax: trade.quantity,
    trades: new Map([[trade.number, trade]]),
  })
  const [outcome] = machine.apply([closing.decidedBy], closing.now, closing.behaviour).outcomes
  const again = closedBy(closing.decidedBy, outcome)
  if (again === undefined) return { agrees: false, reference: 'it leaves the trade open' }
  const agrees = hex(closedTradeLayout.encode(again)) === hex(closedTradeLayout.encode(closing.trade))
  return {
    agrees,
    reference: agrees
      ? 'the same end, byte for byte'
      : JSON.stringify(again, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  }
}
