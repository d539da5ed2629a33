import { partitionName, partitionParts } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { Books } from '../books.ts'
import { ownerNamed, hex } from '../evidence/bytes.ts'
import type { Complain } from '../findings.ts'
import { differences } from '../model/differences.ts'
import type { Terms } from '../model/trading/trade.ts'

const STATEMENT = 'specs-in-force'

/** What a partition of the pair's market must work by; net exposure is shared out between its partitions. */
const expectedTerms = (spec: TradingPairSpec, partitions: number): Readonly<Record<string, unknown>> => {
  const { limits, fees, funding, margin } = spec
  return {
    tickSize: spec.tickSize,
    lotSize: spec.lotSize,
    minMargin: limits.minMargin,
    maxNotional: limits.maxNotional ?? 0n,
    maxNetNotional: (limits.maxNetNotional ?? 0n) / BigInt(partitions),
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
      .map(({ notionalFloor, maintenanceRate, maxLeverage }) => `${notionalFloor}/${maintenanceRate}/${maxLeverage}`)
      .join(),
  }
}

const toldTerms = (terms: Terms): Readonly<Record<string, unknown>> => ({
  ...terms,
  house: hex(terms.house),
  fees: hex(terms.fees),
  clearing: hex(terms.clearing),
  insurance: hex(terms.insurance),
  tiers: terms.tiers.map(({ floor, rate, maxLeverage }) => `${floor}/${rate}/${maxLeverage}`).join(),
})

const checkPair = (books: Books, topology: Topology, spec: TradingPairSpec, complain: Complain): void => {
  const place = topology.markets.get(spec.symbol)
  if (place === undefined) return
  for (const { partition, terms } of books.markets.values()) {
    if (partitionParts(partition).market !== place.market) continue
    if (terms === null) {
      complain(STATEMENT, `${partitionName(partition)} has no spec`)
      continue
    }
    const wrong = differences(toldTerms(terms), expectedTerms(spec, place.partitions))
    if (wrong !== '') complain(STATEMENT, `${partitionName(partition)} works by another spec: ${wrong}`)
  }
}

/** What a bank's rules and its spec say alike of a pair. */
interface PairRulesTold {
  readonly symbol: string
  readonly spreadBps: bigint
  readonly tickSize: bigint
  readonly lotSize: bigint
  readonly minAmount: bigint
  readonly maxAmount: bigint
}

const pairsText = (pairs: readonly PairRulesTold[]): string =>
  pairs
    .map(({ symbol, spreadBps, tickSize, lotSize, minAmount, maxAmount }) =>
      [symbol, spreadBps, tickSize, lotSize, minAmount, maxAmount].join(' '),
    )
    .join()

const checkBank = (books: Books, { name, spec }: Bank, complain: Complain): void => {
  const book = [...books.bridges.values()].map(({ banks }) => banks.get(name)).find((one) => one !== undefined)
  if (book === undefined) return complain(STATEMENT, `bank ${name}: it is unknown`)
  const wrong = differences(
    { ...book.rules, pairs: pairsText(book.rules.pairs) },
    {
      suspended: spec.state === 'Suspended',
      quoteTtlMs: spec.quotes.ttlSeconds * 1_000,
      slippageBps: spec.quotes.slippageBps,
      dailyAmount: spec.limits.dailyAmount ?? 0n,
      dailyAmountPerCustomer: spec.limits.dailyAmountPerCustomer ?? 0n,
      pairs: pairsText(spec.pairs),
    },
  )
  if (wrong !== '') complain(STATEMENT, `bank ${name}: ${wrong}`)
}

/** The rules that every partition works by at the end are those of the last specs: the journal's own are not taken on trust. */
export const checkSpecs = (
  books: Books,
  inForce: { readonly topology: Topology; readonly pairs: readonly TradingPairSpec[]; readonly banks: readonly Bank[] },
  complain: Complain,
): void => {
  for (const spec of inForce.pairs) checkPair(books, inForce.topology, spec, complain)
  for (const bank of inForce.banks) checkBank(books, bank, complain)
}
