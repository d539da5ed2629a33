import { TRADES_MAX } from '@bourse/risk-rules/trading/codec.ts'
import {
  createTradingMachine,
  type TradingCapacities,
  type TradingMachine,
} from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'

/** Ids that one trading partition remembers within the window. */
export const TRADING_IDS_MAX = 524_288

/**
 * What one trading partition holds. A pair's capacity is a limit of its spec, journaled; the machine always has room for the
 * most there can be. Snapshots fit only the same capacities.
 */
export const TRADING_CAPACITIES: TradingCapacities = { tradesMax: TRADES_MAX, idsMax: TRADING_IDS_MAX }

/** Makes empty trading machines; the module that `npm run build` made is compiled once. */
export const createTradingFactory = (
  wasm: WebAssembly.Module = loadTradingModule(),
  capacities: TradingCapacities = TRADING_CAPACITIES,
): (() => TradingMachine) => {
  return () => createTradingMachine({ wasm, ...capacities })
}
