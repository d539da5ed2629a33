import { decodeUpdate, KEEP_AS_IT_IS } from '../../src/trading/commands.ts'
import { updatedTradeLayout } from '../../src/trading/outcomes.ts'
import { checkUpdate, isUpdate, ownTradeOf } from './checks.ts'
import { updatedOf } from './effects.ts'
import { done, openTradeOf, refusal } from './market.ts'
import type { Decision } from './market.ts'
import type { State, Trade } from './state.ts'

/** UPDATE. */
export const applyUpdate = (state: State, command: Uint8Array, now: bigint): Decision => {
  const update = decodeUpdate(command)
  if (!isUpdate(update)) return refusal('INVALID_COMMAND')
  const { spec } = state
  if (spec === null) return refusal('MARKET_NOT_FOUND')
  const trade = ownTradeOf(state, update)
  if (typeof trade === 'string') return refusal(trade)
  const refused = checkUpdate(state, spec, trade, update, now)
  if (refused !== null) return refusal(refused)
  const changed: Trade = {
    ...trade,
    stopLoss: update.stopLoss === KEEP_AS_IT_IS ? trade.stopLoss : update.stopLoss,
    takeProfit: update.takeProfit === KEEP_AS_IT_IS ? trade.takeProfit : update.takeProfit,
  }
  state.trades.set(trade.number, changed)
  const updated = openTradeOf(state, spec, changed)
  return done(updatedTradeLayout.encode({ ...updated, updatedAt: now, zero: 0 }), [updatedOf(spec, updated)])
}
