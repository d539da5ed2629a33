import { partitionName } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { Books } from '../books.ts'
import { ownerNamed, hex } from '../evidence/bytes.ts'
import type { Complain } from '../findings.ts'
import { differences } from '../model/differences.ts'

/** The rules that every partition works by at the end are those of the last specs: the journal's own are not taken on trust. */
export const checkSpecs = (
  books: Books,
  inForce: { readonly topology: Topology; readonly pairs: readonly TradingPairSpec[]; readonly banks: readonly Bank[] },
  complain: Complain,
): void => {
  for (const spec of inForce.pairs) {
    const place = inForce.topology.markets.get(spec.symbol)
    for (const { partition, terms } of books.markets.values()) {
      if (place === undefined || ((partition >>> 8) & 0xffff) !== place.market) continue
      if (terms === null) {
        complain('specs-in-force', `${partitionName(partition)} has no spec`)
        continue
      }
      const { limits, fees, funding, margin } = spec
      const expected = {
        tickSize: spec.tickSize,
        lotSize: spec.lotSize,
        minMargin: limits.minMargin,
        maxNotional: limits.maxNotional ?? 0n,
        maxNetNotional: (limits.maxNetNotional ?? 0n) / BigInt(place.partitions),
        maxOpenTrades: limits.maxOpenTrades ?? 0,
        maxLeverage: margin.maxLeverage,
        openBps: fees.openBps,
        closeBps: fees.closeBps,
        liquidationBps: fees.liquidationBps,
        spreadBps: spec.spreadBps,
        fundingRateBps: funding.rateBps,
        fundingCapBps: funding.capBps,
        fundingIntervalSeconds: funding.intervalSeconds,
        maxAgeMs: BigInt(spec.prices.maxAgeSeconds) * 1_000n,
        quoteCurrency: spec.quoteAsset,
        house: ownerNamed(`house:${spec.symbol}`),
        fees: ownerNamed('fees'),
        clearing: ownerNamed('clearing'),
        insurance: ownerNamed(`insurance:${spec.symbol}`),
        tiers: margin.tiers
          .map(
            ({ notionalFloor, maintenanceRate, maxLeverage }) => `${notionalFloor}/${maintenanceRate}/${maxLeverage}`,
          )
          .join(),
      }
      const told = {
        ...terms,
        house: hex(terms.house),
        fees: hex(terms.fees),
        clearing: hex(terms.clearing),
        insurance: hex(terms.insurance),
        tiers: terms.tiers.map(({ floor, rate, maxLeverage }) => `${floor}/${rate}/${maxLeverage}`).join(),
      }
      const wrong = differences(told, expected)
      if (wrong !== '') complain('specs-in-force', `${partitionName(partition)} works by another spec: ${wrong}`)
    }
  }
  for (const { name, spec } of inForce.banks) {
    const book = [...books.bridges.values()].map(({ banks }) => banks.get(name)).find((one) => one !== undefined)
    const pairs = (
      list: readonly {
        readonly symbol: string
        readonly spreadBps: bigint
        readonly tickSize: bigint
        readonly lotSize: bigint
        readonly minAmount: bigint
        readonly maxAmount: bigint
      }[],
    ): string =>
      list
        .map(
          (pair) =>
            `${pair.symbol} ${pair.spreadBps} ${pair.tickSize} ${pair.lotSize} ${pair.minAmount} ${pair.maxAmount}`,
        )
        .join()
    const expected = {
      suspended: spec.state === 'Suspended',
      quoteTtlMs: spec.quotes.ttlSeconds * 1_000,
      slippageBps: spec.quotes.slippageBps,
      dailyAmount: spec.limits.dailyAmount ?? 0n,
      dailyAmountPerCustomer: spec.limits.dailyAmountPerCustomer ?? 0n,
      pairs: pairs(spec.pairs),
    }
    const wrong =
      book === undefined ? 'it is unknown' : differences({ ...book.rules, pairs: pairs(book.rules.pairs) }, expected)
    if (wrong !== '') complain('specs-in-force', `bank ${name}: ${wrong}`)
  }
}
