import type { ClosedTrade, ListedClosedTrade, Market, OpenTrade } from '@bourse/client/shapes.ts'
import type { DeskTrade } from '../../../src/session/trades.ts'
import { market as sampleMarket } from '../../maths/support.ts'

/** The market of the other tests, with a second tier that begins higher and room for more trades. */
export const market: Market = sampleMarket({
  margin: {
    maxLeverage: 100,
    tiers: [
      { notionalFloor: '0', maintenanceRate: '0.004', maxLeverage: 100 },
      { notionalFloor: '250000', maintenanceRate: '0.01', maxLeverage: 50 },
    ],
  },
  limits: { maxOpenTrades: 200, maxNotional: '1000000', minMargin: '1' },
})

/** An open long with a stop and no target. */
export const openTrade: OpenTrade = {
  tradeId: 'trade_1',
  asset: 'BTC_USDC',
  direction: 'LONG',
  margin: '1000',
  leverage: 10,
  quantity: '0.2',
  entryPrice: '50000',
  liquidationPrice: '45180.72',
  stopLossPrice: '49000',
  takeProfitPrice: null,
  openedAt: '2026-11-21T10:00:00.000Z',
}

/** The same as the desk has it. */
export const deskTrade: DeskTrade = { ...openTrade, fees: '5', funding: '0.5' }

/** A closed trade of the API's list. */
export const closedTrade = (change: Partial<ClosedTrade> = {}): ListedClosedTrade => ({
  ...openTrade,
  exitPrice: '50500',
  pnl: '100',
  fees: '10.05',
  funding: '0.5',
  returned: '1094.45',
  reason: 'USER',
  closedAt: '2026-11-21T11:00:00.000Z',
  ...change,
  status: 'closed',
})
