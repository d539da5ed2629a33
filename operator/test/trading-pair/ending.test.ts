import { describe, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import type { TradingPairResource } from '../../src/resources/trading-pair.ts'
import { createGroups } from '../../src/shards/groups.ts'
import { createEnding, type EndingDeps } from '../../src/trading-pair/deletion.ts'
import type { PairState } from '../../src/trading-pair/state.ts'
import { pod, seen } from '../shards/observations.ts'
import { pairManifest } from '../shards/stage/stage.ts'

const partition = partitionNumber('trading', 0, 1)
const pair = {
  ...pairManifest(1),
  metadata: { name: 'btc-usdc', uid: 'uid', resourceVersion: '1', generation: 2, deletionTimestamp: '2026-01-01' },
} as unknown as TradingPairResource

/** A pair of one partition that is being deleted; `look` is what the group's look, begun now, finds. */
const createStageOfEnding = () => {
  const clock = createManualClock(0)
  const groups = createGroups()
  const told: string[] = []
  const manifest = { kind: 'TradingPair', name: 'btc-usdc', generation: 2, state: 'InForce', reason: null }
  const ignored = (): undefined => undefined
  const end = createEnding({
    manager: { recorder: { event: ignored }, enqueue: ignored },
    groups,
    shards: { manifests: () => Promise.resolve([manifest]) },
    directory: { manifests: () => Promise.resolve([{ ...manifest, document: '' }]) },
    views: { find: () => Promise.resolve([]) },
    defaults: { snapshotIntervalMs: 15_000, snapshotsKeep: 3 },
    clock,
    children: { apply: () => Promise.resolve() },
    writer: { put: () => Promise.resolve() },
    partitionsOf: () => Promise.resolve([partition]),
    writeStatus: (_pair: unknown, _state: unknown, { Progressing }: { readonly Progressing: { message: string } }) => {
      told.push(Progressing.message)
      return Promise.resolve()
    },
  } as unknown as EndingDeps)
  const keeper = { takeAll: () => Promise.resolve(null) }
  const state = { keeper, confirmed: null, isReleasing: false, closedAtMs: null, closedFrom: null, told: '' }
  return {
    told,
    look: async (sequence: bigint, viewSequence: bigint): Promise<void> => {
      await clock.advance(100)
      const answer = [{ ...seen(0), partition, sequence, viewSequence }]
      const view = { pods: [pod(0, [], { answer })], shown: new Map(), unserved: [], pending: [] }
      groups.see('pair-btc-usdc', { ...view, seenAtMs: clock.monotonicMs() })
    },
    step: () => end(pair, state as unknown as PairState, { fence: 1, signal: new AbortController().signal }),
  }
}

describe('The end of a pair', () => {
  test('trades are counted only when the views are past all that was written before the last shard was ReduceOnly', async () => {
    const stage = createStageOfEnding()
    await stage.look(10n, 10n)
    // Opened after that look, and before the shard took the manifest: 11. Nothing is known of it yet.
    await stage.step()
    await stage.step()
    await stage.look(11n, 10n)
    await stage.step()
    await stage.step()
    expect(stage.told.at(-1)).toContain('the views of')
    await stage.look(11n, 11n)
    await stage.step()
    expect(stage.told.at(-1)).toBe('its partitions are being released')
  })
})
