import { createHash } from 'node:crypto'
import { partitionIndexOf, partitionNumber, partitionParts, type PartitionNumber } from '../kernel/partition.ts'
import type { Directory } from '../ports/directory.ts'

/** A market's place in partition numbers; fixed once it has been given. */
export interface MarketPlace {
  readonly symbol: string
  /** 1, 2, 3 … in the order markets were first seen. */
  readonly market: number
  readonly partitions: number
}

/** How many partitions there are of each machine, fixed at creation. Who serves them is another matter. */
export interface Topology {
  readonly ledgerPartitions: number
  readonly bridgePartitions: number
  readonly markets: ReadonlyMap<string, MarketPlace>
}

/** A topology that markets may be added to (`addMarket`): whoever holds it sees them. */
export interface GrowingTopology extends Topology {
  readonly markets: Map<string, MarketPlace>
}

/** A number of partitions that differs from the one the data was made with. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError'
}

const fixed = async (directory: Directory, name: string, wanted: number, remedy: string): Promise<number> => {
  const recorded = Number(await directory.setSettingOnce(name, String(wanted)))
  if (recorded !== wanted) {
    throw new TopologyError(
      `${remedy} is ${wanted}, but this data was made with ${recorded}; set it back to ${recorded}`,
    )
  }
  return recorded
}

/**
 * Reads the topology recorded in the directory, recording what is new. Markets get the next free number.
 * @throws {TopologyError} when a number of partitions was changed.
 */
export const openTopology = async (
  directory: Directory,
  wanted: {
    readonly ledgerPartitions: number
    readonly bridgePartitions: number
    readonly markets: readonly { readonly symbol: string; readonly partitions: number }[]
  },
): Promise<GrowingTopology> => {
  const ledgerPartitions = await fixed(
    directory,
    'topology.ledger',
    wanted.ledgerPartitions,
    'BOURSE_LEDGER_PARTITIONS',
  )
  const bridgePartitions = await fixed(
    directory,
    'topology.bridge',
    wanted.bridgePartitions,
    'BOURSE_BRIDGE_PARTITIONS',
  )
  const topology = { ledgerPartitions, bridgePartitions, markets: new Map<string, MarketPlace>() }
  for (const market of wanted.markets) await addMarket(directory, topology, market)
  return topology
}

/**
 * Adds a market, as it is recorded in the directory; what is new is recorded. Answers its place.
 * @throws {TopologyError} when its number of partitions was changed
 */
export const addMarket = async (
  directory: Directory,
  topology: GrowingTopology,
  { symbol, partitions }: { readonly symbol: string; readonly partitions: number },
): Promise<MarketPlace> => {
  await fixed(directory, `topology.market.${symbol}`, partitions, `engine.partitions of ${symbol}`)
  const place = { symbol, partitions, market: await marketNumber(directory, symbol) }
  topology.markets.set(symbol, place)
  return place
}

/** The symbol of a market by its number, whether it is among a topology's or not; null for a number that none has. */
export const recordedSymbol = (directory: Pick<Directory, 'setting'>, market: number): Promise<string | null> =>
  directory.setting(`topology.number-market.${market}`)

const marketNumber = async (directory: Directory, symbol: string): Promise<number> => {
  const known = await directory.setting(`topology.market-number.${symbol}`)
  if (known !== null) return Number(known)
  for (let candidate = 1; ; candidate++) {
    // The number is taken by recording its symbol; a race for the same number has one winner.
    if ((await directory.setSettingOnce(`topology.number-market.${candidate}`, symbol)) !== symbol) continue
    return Number(await directory.setSettingOnce(`topology.market-number.${symbol}`, String(candidate)))
  }
}

/** The ledger partition that holds all money of an owner. */
export const ledgerPartitionOf = (topology: Topology, owner: Uint8Array): PartitionNumber =>
  partitionNumber('ledger', partitionIndexOf(owner, topology.ledgerPartitions))

/** The trading partition that holds an account's trades in a market. */
export const tradingPartitionOf = (market: MarketPlace, account: Uint8Array): PartitionNumber =>
  partitionNumber('trading', partitionIndexOf(account, market.partitions), market.market)

/** The bridge partition of a bank. */
export const bridgePartitionOf = (topology: Pick<Topology, 'bridgePartitions'>, bank: string): PartitionNumber =>
  partitionNumber(
    'bridge',
    partitionIndexOf(createHash('sha256').update(`bank:${bank}`).digest().subarray(0, 16), topology.bridgePartitions),
  )

/** Every partition of the platform. */
export const allPartitions = (topology: Topology): PartitionNumber[] => {
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
  return [
    ...upTo(topology.ledgerPartitions).map((index) => partitionNumber('ledger', index)),
    ...upTo(topology.bridgePartitions).map((index) => partitionNumber('bridge', index)),
    ...[...topology.markets.values()].flatMap((market) =>
      upTo(market.partitions).map((index) => partitionNumber('trading', index, market.market)),
    ),
  ]
}

/** A partition's name with its market's symbol: `trading/BTC_USDC/0`. */
export const partitionTitle = (topology: Topology, partition: PartitionNumber): string => {
  const { machine, market, index } = partitionParts(partition)
  if (machine !== 'trading') return `${machine}/${index}`
  const symbol = [...topology.markets.values()].find((place) => place.market === market)?.symbol ?? String(market)
  return `trading/${symbol}/${index}`
}
