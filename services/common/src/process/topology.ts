import type { Config } from '../config/read.ts'
import { addMarket, openTopology, TopologyError, type GrowingTopology, type MarketPlace } from '../platform/topology.ts'
import type { Directory } from '../ports/directory.ts'
import type { Journal } from '../ports/journal.ts'
import { manifestKey, type Manifests } from '../resources/load.ts'
import { SpecRefused } from '../resources/manifest-set.ts'
import type { TradingPair } from '../resources/trading-pair.ts'
import type { ManifestSource } from './manifest-source.ts'
import { StartRefused } from './start-refused.ts'

/** A journal without its directory would give markets other numbers than its partitions have. */
const requireDirectory = async (journal: Pick<Journal, 'partitions'>, directory: Directory): Promise<void> => {
  const partitions = await journal.partitions()
  if (partitions.length === 0 || (await directory.setting('topology.ledger')) !== null) return
  throw new StartRefused(['the journal has records but the directory is empty: restore the directory from a backup'])
}

/**
 * The partitions of the platform, as the directory has them recorded; what is new is recorded.
 * @throws {StartRefused} when the directory was lost
 * @throws {TopologyError} when a number of partitions was changed
 */
export const settleTopology = async (deps: {
  readonly config: Config
  readonly manifests: Manifests
  readonly journal: Pick<Journal, 'partitions'>
  readonly directory: Directory
}): Promise<GrowingTopology> => {
  const { config, manifests, journal, directory } = deps
  await requireDirectory(journal, directory)
  return openTopology(directory, {
    ledgerPartitions: config.ledgerPartitions,
    bridgePartitions: config.bridgePartitions,
    markets: manifests.pairs.map(({ spec }) => ({ symbol: spec.symbol, partitions: spec.engine.partitions })),
  })
}

/** Adds a pair's market to a topology while the process runs. @throws {SpecRefused} when it can't, for now or at all */
export const addPairMarket = async (
  directory: Directory,
  topology: GrowingTopology,
  { spec }: TradingPair,
): Promise<MarketPlace> => {
  try {
    return await addMarket(directory, topology, { symbol: spec.symbol, partitions: spec.engine.partitions })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new SpecRefused(message, { cause: error, isForNow: !(error instanceof TopologyError) })
  }
}

/** The partitions of the platform, and the manifests it starts with. */
export interface Settled {
  readonly topology: GrowingTopology
  readonly manifests: Manifests
}

/**
 * As `settleTopology`. Of stored manifests, a pair whose number of partitions is another than its data was made with is set aside
 * (`unread`) and keeps no other from being served.
 * @throws as `settleTopology`
 */
export const settleManifests = async (
  deps: Parameters<typeof settleTopology>[0] & { readonly source: Pick<ManifestSource, 'isLive'> },
): Promise<Settled> => {
  const { directory, manifests } = deps
  if (!deps.source.isLive) return { manifests, topology: await settleTopology(deps) }
  const topology = await settleTopology({ ...deps, manifests: { pairs: [], banks: [] } })
  const unread = [...(manifests.unread ?? [])]
  const pairs: TradingPair[] = []
  for (const pair of manifests.pairs) {
    const { kind, name, spec } = pair
    try {
      await addMarket(directory, topology, { symbol: spec.symbol, partitions: spec.engine.partitions })
      pairs.push(pair)
    } catch (error) {
      if (!(error instanceof TopologyError)) throw error
      const generation = manifests.generations?.get(manifestKey(kind, name)) ?? 0
      unread.push({ kind, name, generation, reason: error.message })
    }
  }
  return { topology, manifests: { ...manifests, pairs, unread } }
}
