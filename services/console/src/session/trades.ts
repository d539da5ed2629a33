import type { Balance, ClosedTrade, OpenTrade, ValuedTrade } from '@bourse/client/shapes.ts'
import type { TradeMessage } from '@bourse/client/stream.ts'

/** An open trade as the desk shows it; fee and funding are null until the account was read after its opening. */
export type DeskTrade = OpenTrade & { readonly fees: string | null; readonly funding: string | null }

/** What the account holds: newest trade first. */
export interface AccountView {
  readonly balances: readonly Balance[]
  readonly trades: readonly DeskTrade[]
}

/** A trade of GET_BALANCE. Its pnl is left out: it is of the moment it was read, the desk computes the present one. */
const deskTrade = ({ pnl: _pnl, ...trade }: ValuedTrade): DeskTrade => trade

const openFieldsOf = (trade: OpenTrade | ClosedTrade): OpenTrade => {
  const { tradeId, asset, direction, margin, leverage, quantity, entryPrice } = trade
  const { liquidationPrice, stopLossPrice, takeProfitPrice, openedAt } = trade
  return {
    tradeId,
    asset,
    direction,
    margin,
    leverage,
    quantity,
    entryPrice,
    liquidationPrice,
    stopLossPrice,
    takeProfitPrice,
    openedAt,
  }
}

const newestFirst = (a: DeskTrade, b: DeskTrade): number =>
  Date.parse(b.openedAt) - Date.parse(a.openedAt) || (a.tradeId < b.tradeId ? 1 : -1)

/** The open trades after an event; the same list when it changes nothing. */
export const afterEvent = (trades: readonly DeskTrade[], { type, data }: TradeMessage): readonly DeskTrade[] => {
  const known = trades.find(({ tradeId }) => tradeId === data.tradeId)
  if (type === 'trade.closed')
    return known === undefined ? trades : trades.filter(({ tradeId }) => tradeId !== data.tradeId)
  if (type === 'trade.opened') {
    // Read before the event came: what was read is newer than the event.
    return known === undefined ? [{ ...openFieldsOf(data), fees: null, funding: null }, ...trades] : trades
  }
  return known === undefined
    ? trades
    : trades.map((trade) => (trade === known ? { ...known, ...openFieldsOf(data) } : trade))
}

/**
 * The account as it was read, with the events that came while it was being read: what they say may be younger than the answer.
 * Applying one that the answer had in it already changes nothing.
 */
export const accountAsRead = (
  read: { readonly balances: readonly Balance[]; readonly trades: readonly ValuedTrade[] },
  meanwhile: readonly TradeMessage[],
): AccountView => ({
  balances: read.balances,
  trades: meanwhile.reduce(afterEvent, read.trades.map(deskTrade).sort(newestFirst)),
})
