import { commandOrigins } from '@bourse/common/kernel/command.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { MarketPlace, Topology } from '@bourse/common/platform/topology.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { insurancePartitionOf, systemAccount, systemAccountName } from '@bourse/risk-rules/ledger/accounts.ts'
import { encodeSpec, marketStates } from '@bourse/risk-rules/trading/codec.ts'

/**
 * The SPEC command of one partition of a market. The net notional is divided by the partitions, rounded down: never
 * more is allowed
 * than the pair's limit. It has no id: going back to an earlier spec must take effect too.
 */
export const specCommand = (
  spec: TradingPairSpec,
  topology: Topology,
  market: MarketPlace,
  partitionIndex: number,
): Uint8Array => {
  const { limits, fees, funding, margin } = spec
  return encodeSpec(
    {
      tickSize: spec.tickSize,
      lotSize: spec.lotSize,
      minMargin: limits.minMargin,
      maxNotional: limits.maxNotional ?? 0n,
      maxNetNotional: limits.maxNetNotional === null ? 0n : limits.maxNetNotional / BigInt(market.partitions),
      maxOpenTrades: limits.maxOpenTrades ?? 0,
      maxLeverage: margin.maxLeverage,
      openBps: fees.openBps,
      closeBps: fees.closeBps,
      liquidationBps: fees.liquidationBps,
      spreadBps: spec.spreadBps,
      fundingRateBps: funding.rateBps,
      fundingCapBps: funding.capBps,
      maxAgeMs: BigInt(spec.prices.maxAgeSeconds) * 1_000n,
      fundingIntervalSeconds: funding.intervalSeconds,
      state: marketStates[spec.state],
      quoteCurrency: spec.quoteAsset,
      house: systemAccount(systemAccountName('house', spec.symbol)),
      fees: systemAccount(systemAccountName('fees')),
      clearing: systemAccount(systemAccountName('clearing')),
      insurance: systemAccount(systemAccountName('insurance', spec.symbol)),
      insurancePartition: partitionNumber('ledger', insurancePartitionOf(spec.symbol, topology.ledgerPartitions)),
      marketNumber: market.market,
      partitionIndex,
      capacity: spec.engine.capacity,
      tiers: margin.tiers.map((tier) => ({
        floor: tier.notionalFloor,
        rate: tier.maintenanceRate,
        maxLeverage: tier.maxLeverage,
      })),
    },
    { origin: commandOrigins.client },
  )
}
