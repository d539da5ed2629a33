import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { parseTradingPair, type ManifestDefaults, type TradingPair } from '@bourse/common/resources/trading-pair.ts'
import type { ShardClient } from '@bourse/common/shard-client/client.ts'
import { tradingPairKind } from '../resources/kinds.ts'
import type { TradingPairResource } from '../resources/trading-pair.ts'
import { conditionOf } from '../runtime/conditions.ts'
import { dropFinalizer } from '../runtime/finalizers.ts'
import type { Manager, ReconcileContext } from '../runtime/types.ts'
import { GROUP_CONTROLLER, type Groups, type GroupView } from '../shards/groups.ts'
import type { ChildrenKeeper } from './apply-children.ts'
import { groupOfPair } from './children.ts'
import { askDelivery, Fenced, manifestOf, type createManifestWriter } from './delivery.ts'
import { countOpenTrades, isHeld, servedIn, unfinished } from './ending.ts'
import { snapshotTargets } from './snapshot-targets.ts'
import { TRADING_PAIR_FINALIZER, type PairState } from './state.ts'
import type { Verdicts } from './status.ts'
import { endingVerdicts } from './verdicts.ts'

/** What the end of a pair needs. */
export interface EndingDeps {
  readonly manager: Pick<Manager, 'client' | 'recorder' | 'enqueue'>
  readonly groups: Groups
  readonly shards: ShardClient
  readonly directory: Directory
  readonly views: Pick<Views, 'find'>
  readonly defaults: ManifestDefaults
  readonly clock: Clock
  readonly children: ChildrenKeeper
  readonly writer: ReturnType<typeof createManifestWriter>
  readonly partitionsOf: (pair: TradingPair, state: PairState) => Promise<readonly PartitionNumber[]>
  readonly writeStatus: (pair: TradingPairResource, state: PairState, verdicts: Verdicts) => Promise<void>
}

/** How old a look at the group may be to be believed, ms. */
const VIEW_AGE_MS_MAX = 5_000

/** What is waited for; null: go on. */
interface Wait {
  readonly reason: 'WaitingForTrades' | 'Ending'
  readonly message: string
}

const ending = (message: string): Wait => ({ reason: 'Ending', message })

/** The pair as given, or, where that can't be used, with the spec that is in force. */
const servedSpec = (pair: TradingPairResource, document: string, defaults: ManifestDefaults): TradingPairResource => {
  if (parseTradingPair(manifestOf(pair), defaults).ok) return pair
  const { spec } = JSON.parse(document) as Pick<TradingPairResource, 'spec'>
  return { ...pair, spec }
}

/**
 * Ends a pair, a step at each call, each as often as need be: nothing opens any more; the last trade is closed; a last
 * snapshot; the partitions are released; what the pair owns goes, then its stored manifest, then the finalizer. Journal and
 * snapshots stay. Answers whether it is over. That the partitions are being released stands in the status: a new operator
 * does not take them again.
 */
export const createEnding = (deps: EndingDeps) => {
  const { manager, groups, shards, directory, clock, children, writer } = deps
  const { client, recorder } = manager

  const quiet = async (
    pair: TradingPairResource,
    state: PairState,
    partitions: readonly PartitionNumber[],
    view: GroupView | undefined,
  ): Promise<Wait | null> => {
    if (view === undefined) return ending('no shard was seen yet')
    const delivery = await askDelivery(clock, shards, view, pair)
    if (delivery.state !== 'InForce') return ending(`it becomes ReduceOnly: ${delivery.detail}`)
    if (state.closedAtMs === null) {
      state.closedAtMs = clock.monotonicMs()
      state.confirmed = pair.metadata.generation ?? 0
    }
    if (state.closedFrom === null) {
      // A look that began before that may show sequences under which trades were opened since.
      if (view.seenAtMs <= state.closedAtMs) return ending('it is ReduceOnly; its trades are counted')
      const served = servedIn(view)
      if (served.size < partitions.length) return ending('some partitions are not served')
      state.closedFrom = new Map([...served].map(([partition, { sequence }]) => [partition, sequence]))
    }
    const left = unfinished(partitions, view, state.closedFrom)
    if (left !== null) return ending(left)
    const open = await countOpenTrades(deps.views, pair.spec.symbol)
    if (open > 0) return { reason: 'WaitingForTrades', message: `${open} open trades` }
    const failure = await state.keeper.takeAll(snapshotTargets(shards, view))
    return failure === null ? null : ending(`the last snapshot could not be stored: ${failure}`)
  }

  const say = async (pair: TradingPairResource, state: PairState, wait: Wait): Promise<false> => {
    if (state.told !== wait.message) {
      const action = 'Delete'
      recorder.event(pair, { type: 'Normal', reason: wait.reason, action, note: `deletion waits: ${wait.message}` })
    }
    state.told = wait.message
    await deps.writeStatus(pair, state, endingVerdicts(wait.reason, wait.message))
    return false
  }

  const finish = async (pair: TradingPairResource, fence: number): Promise<true> => {
    const { name } = pair.metadata
    await children.remove(pair)
    const removed = await directory.removeManifest('TradingPair', name, fence)
    if (removed === 'fenced') throw new Fenced(`a newer leader wrote the manifest of ${name}`)
    const note = 'its shards are gone; journal and snapshots stay'
    recorder.event(pair, { type: 'Normal', reason: 'Deleted', action: 'Delete', note })
    await dropFinalizer(client, tradingPairKind, pair, TRADING_PAIR_FINALIZER)
    return true
  }

  return async (given: TradingPairResource, state: PairState, { fence }: ReconcileContext): Promise<boolean> => {
    const name = groupOfPair(given.metadata.name)
    const wasReleasing = conditionOf(given.status?.conditions, 'Progressing')?.reason === 'Releasing'
    state.isReleasing ||= wasReleasing
    const stored = (await directory.manifests()).find(
      (one) => one.kind === 'TradingPair' && one.name === given.metadata.name,
    )
    // What was never served has nothing to wait for.
    if (stored === undefined) return finish(given, fence)
    const pair = servedSpec(given, stored.document, deps.defaults)
    const parsed = parseTradingPair(manifestOf(pair), deps.defaults)
    if (!parsed.ok) throw new Error(`the stored manifest of ${given.metadata.name} can't be read`)
    const partitions = await deps.partitionsOf(parsed.value, state)
    const wanted = parsed.value.spec.engine.shards
    const define = (isEnding: boolean): void => {
      groups.define({ name, partitions, wanted, isEnding, about: pair })
      manager.enqueue(GROUP_CONTROLLER, name)
    }
    if (!state.isReleasing) {
      await writer.put(pair, fence)
      define(false)
      await children.apply(pair, wanted)
      const wait = await quiet(pair, state, partitions, groups.view(name))
      if (wait !== null) return say(pair, state, wait)
      await deps.writeStatus(pair, state, endingVerdicts('Releasing', 'its partitions are being released'))
      state.isReleasing = true
    }
    const isDefined = groups.definition(name)?.isEnding === true
    define(true)
    const view = groups.view(name)
    // A look from before would not have seen what was released, or taken.
    if (!isDefined || view === undefined || clock.monotonicMs() - view.seenAtMs > VIEW_AGE_MS_MAX || isHeld(view))
      return false
    return finish(pair, fence)
  }
}
