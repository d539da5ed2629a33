import { partitionNumber } from '@bourse/common/kernel/partition.ts'

/** The symbol of the market a trading partition belongs to. */
export type AssetOfPartition = (partition: number) => string

/** Looks symbols up among the given markets, which may grow; a partition of none of them has the empty one. */
export const assetOfPartition = (
  markets: ReadonlyMap<string, { readonly symbol: string; readonly market: number; readonly partitions: number }>,
): AssetOfPartition => {
  const symbols = new Map<number, string>()
  let marketsKnown = 0
  const learn = (): void => {
    for (const market of markets.values()) {
      for (let index = 0; index < market.partitions; index++)
        symbols.set(partitionNumber('trading', index, market.market), market.symbol)
    }
    marketsKnown = markets.size
  }
  return (partition) => {
    if (markets.size !== marketsKnown) learn()
    return symbols.get(partition) ?? ''
  }
}
