import { MARKETS_MAX, partitionNumber, PARTITIONS_MAX, type PartitionNumber } from '@bourse/common/kernel/partition.ts'

/** Where a trade lives and which one it is there. */
export interface TradePlace {
  readonly market: number
  readonly partitionIndex: number
  readonly tradeNumber: bigint
}

const NUMBER_BITS = 48n
const PARTITION_BITS = 8n
/** Without zeros in front: a trade has one id, or the same trade would be found under one and missed under another. */
const TRADE_ID = /^trade_([1-9]\d{0,23})$/

/**
 * The public id of a trade: `trade_` and market, partition and number packed in one decimal number. Opaque to clients.
 */
export const tradeIdOf = (place: TradePlace): string =>
  `trade_${(((BigInt(place.market) << PARTITION_BITS) | BigInt(place.partitionIndex)) << NUMBER_BITS) | place.tradeNumber}`

/** The place of a public trade id, or null when the text is none. */
export const placeOfTradeId = (tradeId: string): TradePlace | null => {
  const match = TRADE_ID.exec(tradeId)
  if (match === null) return null
  const packed = BigInt(match[1]!)
  const market = Number(packed >> (NUMBER_BITS + PARTITION_BITS))
  const partitionIndex = Number((packed >> NUMBER_BITS) & ((1n << PARTITION_BITS) - 1n))
  const tradeNumber = packed & ((1n << NUMBER_BITS) - 1n)
  if (market < 1 || market > MARKETS_MAX || partitionIndex >= PARTITIONS_MAX || tradeNumber === 0n) return null
  return { market, partitionIndex, tradeNumber }
}

/** The partition that holds a trade. */
export const partitionOfTrade = (place: TradePlace): PartitionNumber =>
  partitionNumber('trading', place.partitionIndex, place.market)
