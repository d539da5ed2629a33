import type { Logger } from 'pino'
import { partitionName, partitionNumber, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { openTopology, TopologyError } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { parseTradingPair, type ManifestDefaults, type TradingPair } from '@bourse/common/resources/trading-pair.ts'
import { tradingPairRules } from '@bourse/common/resources/rules.ts'
import type { ShardClient } from '@bourse/common/shard-client/client.ts'
import { tradingPairKind } from '../resources/kinds.ts'
import type { TradingPairResource } from '../resources/trading-pair.ts'
import { ensureFinalizer } from '../runtime/finalizers.ts'
import { statefulSetKind } from '../runtime/kinds.ts'
import type { ControllerSpec, Manager, ReconcileContext, ReconcileResult } from '../runtime/types.ts'
import type { Fence } from '../shards/fence.ts'
import { GROUP_CONTROLLER, type Groups } from '../shards/groups.ts'
import { createChildrenKeeper } from './apply-children.ts'
import { groupOfPair, TRADING_PAIR_LABEL, type ShardTemplate } from './children.ts'
import { askDelivery, createManifestWriter, manifestOf, type Delivery } from './delivery.ts'
import { createEnding } from './deletion.ts'
import { snapshotTargets } from './snapshot-targets.ts'
import { createSnapshotKeeper } from './snapshots.ts'
import { TRADING_PAIR_FINALIZER, type PairState } from './state.ts'
import { isWorthWriting, statusOf, type Verdicts } from './status.ts'
import { refusedVerdicts, verdictsOf } from './verdicts.ts'

/** Name of the controller. */
export const TRADING_PAIR_CONTROLLER = 'trading-pair'
/** With this annotation nothing about a pair is changed; what its shards serve they serve on. */
export const PAUSED_ANNOTATION = 'bourse.dev/paused'
/** How often a pair is looked at, ms. */
export const PAIR_INTERVAL_MS = 1_000

/** What the controller needs. */
export interface TradingPairDeps {
  readonly manager: Pick<Manager, 'client' | 'recorder' | 'store' | 'enqueue'>
  readonly groups: Groups
  readonly fence: Fence
  readonly shards: ShardClient
  readonly directory: Directory
  readonly views: Pick<Views, 'find'>
  readonly snapshots: Snapshots
  readonly template: ShardTemplate
  readonly defaults: ManifestDefaults
  readonly ledgerPartitions: number
  readonly bridgePartitions: number
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * The pair that is to have a symbol before this one: one that has it already, else the older, of equally old the first by name.
 * Creation is told in whole seconds: without the first, a pair would lose its partitions to one that was made in the same.
 */
export const symbolHolder = (
  pair: TradingPairResource,
  all: readonly TradingPairResource[],
  hasIt: (pair: TradingPairResource) => boolean,
): TradingPairResource | null => {
  const rank = (one: TradingPairResource): string =>
    `${hasIt(one) ? 0 : 1} ${one.metadata.creationTimestamp ?? ''} ${one.metadata.name}`
  return (
    all.find(
      (other) =>
        other.metadata.uid !== pair.metadata.uid &&
        other.metadata.name !== pair.metadata.name &&
        other.spec.symbol === pair.spec.symbol &&
        rank(other) < rank(pair),
    ) ?? null
  )
}

/** Makes the controller of trading pairs. */
export const createTradingPairController = (deps: TradingPairDeps): ControllerSpec => {
  const { manager, groups, fence, shards, directory, clock, logger } = deps
  const { client, recorder } = manager
  const pairs = manager.store(tradingPairKind)
  const sets = manager.store(statefulSetKind)
  const states = new Map<string, PairState>()
  const writer = createManifestWriter(directory)
  /** Symbol → name of the pair that has it. */
  const symbols = new Map<string, string>()
  const children = createChildrenKeeper({ client, sets, groups, template: deps.template, clock })

  const stateOf = (pair: TradingPairResource): PairState => {
    const { name, uid } = pair.metadata
    const known = states.get(name)
    if (known?.uid === uid) return known
    const onCorrupt = (partition: PartitionNumber, sequence: bigint, why: string): void => {
      const note = `the snapshot of ${partitionName(partition)} at ${sequence} can not be trusted: ${why}`
      logger.error({ pair: name }, note)
      recorder.event(pair, { type: 'Warning', reason: 'SnapshotCorrupt', action: 'Verify', note })
    }
    const keeper = createSnapshotKeeper({ snapshots: deps.snapshots, clock, logger, onCorrupt })
    const made: PairState = {
      uid,
      keeper,
      partitions: null,
      confirmed: null,
      written: null,
      isReleasing: false,
      closedAtMs: null,
      closedFrom: null,
      told: '',
    }
    states.set(name, made)
    return made
  }

  const writeStatus = async (pair: TradingPairResource, state: PairState, verdicts: Verdicts): Promise<void> => {
    const view = groups.view(groupOfPair(pair.metadata.name))
    const { partitions, confirmed, keeper } = state
    const seen = { view, partitions: partitions ?? [], snapshotsOf: keeper.known, confirmed, verdicts }
    const status = statusOf(pair, seen, clock.nowMs())
    const nowMs = clock.monotonicMs()
    const before = state.written?.status ?? pair.status ?? null
    if (!isWorthWriting(status, before, nowMs - (state.written?.atMs ?? 0))) return
    const { apiVersion, kind, metadata } = pair
    await client.applyStatus(tradingPairKind, { apiVersion, kind, metadata: { name: metadata.name }, status })
    state.written = { status, atMs: nowMs }
  }

  const partitionsOf = async (pair: TradingPair, state: PairState): Promise<readonly PartitionNumber[]> => {
    if (state.partitions !== null) return state.partitions
    const { symbol, engine } = pair.spec
    const topology = await openTopology(directory, {
      ledgerPartitions: deps.ledgerPartitions,
      bridgePartitions: deps.bridgePartitions,
      markets: [{ symbol, partitions: engine.partitions }],
    })
    const market = topology.markets.get(symbol)?.market ?? 0
    state.partitions = Array.from({ length: engine.partitions }, (_, index) =>
      partitionNumber('trading', index, market),
    )
    return state.partitions
  }

  /** The spec, or why it is not served. */
  const readSpec = async (
    pair: TradingPairResource,
    state: PairState,
  ): Promise<{ readonly value: TradingPair; readonly partitions: readonly PartitionNumber[] } | Verdicts> => {
    const parsed = parseTradingPair({ ...manifestOf(pair) }, deps.defaults)
    if (!parsed.ok)
      return refusedVerdicts(
        'InvalidSpec',
        parsed.faults.map(({ field, message }) => `${field}: ${message}`).join('; '),
      )
    const hasIt = ({ metadata, status, spec: { symbol } }: TradingPairResource): boolean =>
      symbols.has(symbol) ? symbols.get(symbol) === metadata.name : status?.observedGeneration !== undefined
    const holder = symbolHolder(pair, pairs.list(), hasIt)
    if (holder !== null)
      return refusedVerdicts('SymbolTaken', `${holder.metadata.name} has it: ${tradingPairRules.symbolUnique.message}`)
    symbols.set(pair.spec.symbol, pair.metadata.name)
    try {
      return { value: parsed.value, partitions: await partitionsOf(parsed.value, state) }
    } catch (error) {
      if (error instanceof TopologyError) return refusedVerdicts('InvalidSpec', error.message)
      throw error
    }
  }

  const confirm = (pair: TradingPairResource, state: PairState, delivery: Delivery): void => {
    const { generation = 0 } = pair.metadata
    if (delivery.state === 'Refused' && state.told !== delivery.detail)
      recorder.event(pair, { type: 'Warning', reason: 'SpecRefused', action: 'Deliver', note: delivery.detail })
    state.told = delivery.state === 'Refused' ? delivery.detail : ''
    if (delivery.state !== 'InForce' || state.confirmed === generation) return
    if ((state.confirmed ?? pair.status?.observedGeneration) !== generation)
      recorder.event(pair, { type: 'Normal', reason: 'SpecInForce', action: 'Deliver', note: delivery.detail })
    state.confirmed = generation
  }

  /** What is in force goes on being served, whatever is asked for now: a new operator finds it stored. */
  const keepServed = async (pair: TradingPairResource, state: PairState): Promise<void> => {
    const name = groupOfPair(pair.metadata.name)
    if (groups.definition(name) !== undefined) return
    const stored = (await directory.manifests()).find(
      (one) => one.kind === pair.kind && one.name === pair.metadata.name,
    )
    if (stored === undefined) return
    const parsed = parseTradingPair(JSON.parse(stored.document), deps.defaults)
    if (!parsed.ok) return logger.error({ pair: pair.metadata.name }, 'the stored manifest of a pair can not be read')
    const partitions = await partitionsOf(parsed.value, state)
    groups.define({ name, partitions, wanted: null, isEnding: false, about: pair })
    manager.enqueue(GROUP_CONTROLLER, name)
  }

  const serve = async (pair: TradingPairResource, context: ReconcileContext): Promise<void> => {
    const state = stateOf(pair)
    const spec = await readSpec(pair, state)
    if ('Ready' in spec) {
      await keepServed(pair, state)
      return writeStatus(pair, state, spec)
    }
    const { value, partitions } = spec
    const name = groupOfPair(pair.metadata.name)
    const isPaused = pair.metadata.annotations?.[PAUSED_ANNOTATION] === 'true'
    const wanted = value.spec.engine.shards
    if (!isPaused) await writer.put(pair, context.fence)
    // A paused pair keeps the shards it has; what they lose they get back, also while something of it can't be applied.
    groups.define({ name, partitions, wanted: isPaused ? null : wanted, isEnding: false, about: pair })
    manager.enqueue(GROUP_CONTROLLER, name)
    if (!isPaused) await children.apply(pair, wanted)
    const view = groups.view(name)
    const nothing: Delivery = { state: 'Pending', detail: 'no shard was seen yet' }
    const delivery = view === undefined ? nothing : await askDelivery(clock, shards, view, pair)
    confirm(pair, state, delivery)
    if (view !== undefined && !isPaused) {
      // Beside: a shard takes its time over a snapshot, and everything else goes on meanwhile. It never rejects.
      void state.keeper.tend(snapshotTargets(shards, view), value.spec.snapshots)
    }
    const snapshots = { snapshotsOf: state.keeper.known, snapshotTrouble: state.keeper.trouble }
    await writeStatus(pair, state, verdictsOf({ partitions, view, delivery, wanted, isPaused, ...snapshots }))
  }

  const end = createEnding({ ...deps, children, writer, partitionsOf, writeStatus })

  const forget = (name: string): void => {
    states.delete(name)
    for (const [symbol, holder] of symbols) if (holder === name) symbols.delete(symbol)
    writer.forget(name)
    groups.forget(groupOfPair(name))
  }

  const reconcile = async (name: string, context: ReconcileContext): Promise<ReconcileResult> => {
    fence.raise(context.fence)
    const found = pairs.get(name)
    if (found === undefined) {
      forget(name)
      return {}
    }
    if (found.metadata.deletionTimestamp === undefined) {
      const pair = await ensureFinalizer(client, tradingPairKind, found, TRADING_PAIR_FINALIZER)
      if (pair !== null) await serve(pair, context)
    } else if (found.metadata.finalizers?.includes(TRADING_PAIR_FINALIZER) === true) {
      if (await end(found, stateOf(found), context)) forget(name)
    }
    return { requeueAfterMs: PAIR_INTERVAL_MS }
  }

  return {
    name: TRADING_PAIR_CONTROLLER,
    watches: [
      { kind: tradingPairKind, keysOf: ({ metadata }) => [metadata.name] },
      {
        kind: statefulSetKind,
        keysOf: ({ metadata }) => {
          const pair = metadata.labels?.[TRADING_PAIR_LABEL]
          return pair === undefined ? [] : [pair]
        },
      },
    ],
    workers: 4,
    reconcile,
  }
}
