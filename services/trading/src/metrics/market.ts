import type { StateShow } from '@bourse/common/shard/state-metrics.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { createShown } from '@bourse/common/telemetry/shown.ts'
import { decodeMarketAnswer, encodeMarketQuery, marketStates } from '@bourse/risk-rules/trading/codec.ts'
import type { AssetOfPartition } from '../codec/asset.ts'

const QUESTION = encodeMarketQuery()

/** Shows the open trades of the trading partitions served here. */
export const createMarketShow = (metrics: Metrics, assetOf: AssetOfPartition): StateShow => {
  const openTrades = createShown(metrics.gauge('bourse_trading_open_trades'))
  const margin = createShown(metrics.gauge('bourse_trading_margin_units'))
  const exposure = createShown(metrics.gauge('bourse_trading_exposure_units'))
  const halted = createShown(metrics.gauge('bourse_trading_halted'))
  return {
    show: async ({ partition: number, title: partition, query }) => {
      const market = decodeMarketAnswer(await query(QUESTION))
      const labels = { symbol: assetOf(number), partition }
      openTrades.show(partition, [[labels, market.openCount]])
      margin.show(partition, [[labels, Number(market.marginSum)]])
      exposure.show(partition, [[labels, Number(market.netQuantity)]])
      halted.show(partition, [[labels, market.state === marketStates.Halted ? 1 : 0]])
    },
    forget: (partition) => {
      for (const one of [openTrades, margin, exposure, halted]) one.forget(partition)
    },
  }
}
