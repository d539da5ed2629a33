import { describe, expect, test } from '@jest/globals'
import { conditionOf } from '../../src/runtime/conditions.ts'
import {
  eventKind,
  networkPolicyKind,
  podDisruptionBudgetKind,
  serviceKind,
  statefulSetKind,
} from '../../src/runtime/kinds.ts'
import type { KubeObject } from '../../src/runtime/types.ts'
import { tradingPairKind } from '../../src/resources/kinds.ts'
import type { TradingPairResource } from '../../src/resources/trading-pair.ts'
import { createStage, isShared, pairManifest, type Stage } from '../shards/stage/stage.ts'

const condition = (stage: Stage, type: string, name = 'btc-usdc') =>
  conditionOf(stage.cluster.get(tradingPairKind, name)?.status?.conditions, type)
const events = (stage: Stage): string[] =>
  stage.cluster.list(eventKind).map((event) => (event as KubeObject & { readonly reason: string }).reason)
const served = async () => {
  const stage = createStage()
  const operator = stage.startOperator('a')
  stage.cluster.create(tradingPairKind, pairManifest(2))
  await stage.until(() => isShared(stage, [2, 2]) && condition(stage, 'Progressing')?.reason === 'Settled')
  return { stage, operator }
}
const change = (stage: Stage, spec: Partial<TradingPairResource['spec']>): void =>
  void stage.cluster.update(tradingPairKind, 'btc-usdc', (pair: TradingPairResource) => ({
    ...pair,
    spec: { ...pair.spec, ...spec },
  }))

describe('A TradingPair', () => {
  test('has its Service, NetworkPolicy, PodDisruptionBudget and StatefulSet, which nobody collects with it', async () => {
    const { stage } = await served()
    for (const kind of [serviceKind, networkPolicyKind, podDisruptionBudgetKind, statefulSetKind]) {
      const child = stage.cluster.get<KubeObject>(kind, 'pair-btc-usdc')!
      expect(child.metadata.labels).toMatchObject({ 'bourse.dev/trading-pair': 'btc-usdc' })
      // kubectl delete --cascade=foreground would remove what it owns before its trades are closed.
      expect(child.metadata.ownerReferences ?? []).toEqual([])
    }
    const set = stage.cluster.get(statefulSetKind, 'pair-btc-usdc')!.spec as unknown as {
      readonly template: {
        readonly spec: { readonly containers: readonly { readonly env: readonly { readonly name: string }[] }[] }
      }
    }
    expect(set.template.spec.containers[0]!.env.map(({ name }) => name)).toEqual([
      'BOURSE_SHARD_NAME',
      'BOURSE_SERVICE_URL',
      'BOURSE_LOG_LEVEL',
    ])
  })

  test('at rest nothing is written but the status, now and then', async () => {
    const { stage } = await served()
    await stage.pass(10_000)
    const before = stage.cluster.requests.length
    await stage.pass(20_000)
    const writes = stage.cluster.requests
      .slice(before)
      .filter(({ method, path }) => method !== 'GET' && !path.includes('/leases'))
    expect(writes.every(({ path }) => path.includes('/status'))).toBe(true)
    expect(writes.length).toBeLessThanOrEqual(5)
  })

  test('a changed spec is stored and confirmed by every shard', async () => {
    const { stage } = await served()
    change(stage, { spreadBps: '3' })
    const generation = stage.pair()!.metadata.generation!
    await stage.until(() => stage.pair()!.status!.observedGeneration === generation, 5_000)
    expect((await stage.directory.manifests())[0]).toMatchObject({ generation })
    expect(JSON.parse((await stage.directory.manifests())[0]!.document)).toMatchObject({ spec: { spreadBps: '3' } })
  })

  test('a refusal of a shard degrades the pair with its words, and the generation stays unconfirmed', async () => {
    const { stage } = await served()
    const before = stage.pair()!.status!.observedGeneration
    stage.shards.refusal = 'capacity is too small'
    change(stage, { spreadBps: '3' })
    await stage.until(() => condition(stage, 'Degraded')?.reason === 'SpecRefused')
    expect(condition(stage, 'Degraded')!.message).toContain('capacity is too small')
    expect(stage.pair()!.status!.observedGeneration).toBe(before)
  })

  test('a spec that breaks a rule is refused, and a new operator serves what was in force', async () => {
    const { stage, operator } = await served()
    operator.kill()
    change(stage, { tickSize: '0' })
    stage.startOperator('b')
    await stage.until(() => condition(stage, 'Ready')?.reason === 'InvalidSpec')
    expect(condition(stage, 'Ready')!.message).toContain('spec.tickSize')
    stage.killContainer('pair-btc-usdc-0')
    stage.killContainer('pair-btc-usdc-1')
    await stage.until(() => isShared(stage, [2, 2]))
    expect(JSON.parse((await stage.directory.manifests())[0]!.document)).toMatchObject({ spec: { tickSize: '0.01' } })
  })

  test('a symbol that an older pair has is refused, and served once that pair is gone', async () => {
    const { stage } = await served()
    stage.cluster.create(tradingPairKind, { ...pairManifest(1), metadata: { name: 'z-copy' } })
    await stage.until(() => condition(stage, 'Ready', 'z-copy')?.reason === 'SymbolTaken')
    expect(stage.cluster.get(statefulSetKind, 'pair-z-copy')).toBeUndefined()
    stage.cluster.remove(tradingPairKind, 'z-copy')
    await stage.until(() => stage.cluster.get(tradingPairKind, 'z-copy') === undefined)
    expect(isShared(stage, [2, 2])).toBe(true)
  })

  test('a pair keeps its symbol from one that was made in the same second under an earlier name', async () => {
    const stage = createStage()
    const operator = stage.startOperator('a')
    stage.cluster.create(tradingPairKind, { ...pairManifest(1), metadata: { name: 'z-first' } })
    await stage.until(() => condition(stage, 'Ready', 'z-first')?.status === 'True')
    const { creationTimestamp = '' } = stage.cluster.get(tradingPairKind, 'z-first')!.metadata
    stage.cluster.create(tradingPairKind, pairManifest(1))
    stage.cluster.update(tradingPairKind, 'btc-usdc', (pair: TradingPairResource) => ({
      ...pair,
      metadata: { ...pair.metadata, creationTimestamp },
    }))
    const isRefused = () => condition(stage, 'Ready')?.reason === 'SymbolTaken'
    await stage.until(isRefused)
    await stage.pass(3_000)
    operator.kill()
    stage.startOperator('b')
    await stage.pass(30_000)
    expect(isRefused()).toBe(true)
    expect(condition(stage, 'Ready', 'z-first')?.status).toBe('True')
    expect(stage.cluster.get(statefulSetKind, 'pair-btc-usdc')).toBeUndefined()
  })

  test('what it owns is put back when somebody removed it', async () => {
    const { stage } = await served()
    for (const kind of [serviceKind, statefulSetKind]) stage.cluster.remove(kind, 'pair-btc-usdc')
    await stage.until(() => stage.cluster.get(statefulSetKind, 'pair-btc-usdc') !== undefined, 3_000)
    await stage.until(() => stage.cluster.get(serviceKind, 'pair-btc-usdc') !== undefined, 70_000)
    await stage.until(() => isShared(stage, [2, 2]))
  })

  test('its partitions are served by a new operator that can not apply what it owns', async () => {
    const { stage, operator } = await served()
    operator.kill()
    stage.cluster.setFaults({
      onRequest: ({ method, path }) =>
        method === 'PATCH' && path.includes('/networkpolicies/')
          ? { fault: 'status', status: 403, reason: 'Forbidden' }
          : null,
    })
    stage.startOperator('b')
    stage.killContainer('pair-btc-usdc-0')
    stage.killContainer('pair-btc-usdc-1')
    await stage.until(() => isShared(stage, [2, 2]))
  })

  test('a shard that stands still keeps the status no longer from being true than the grace', async () => {
    const { stage } = await served()
    stage.shards.at(`http://${stage.pods()[1]!.status!.podIP}:3100`)!.isStuck = true
    const isTold = () => stage.pair()!.status!.partitions!.every(({ shard }) => shard === 0)
    await stage.until(() => stage.load()['pair-btc-usdc-0'] === 4, 15_000)
    await stage.until(isTold, 5_000)
  })

  test('a paused pair is left as it is, and what it lost it gets back', async () => {
    const { stage } = await served()
    stage.cluster.update(tradingPairKind, 'btc-usdc', (pair: TradingPairResource) => ({
      ...pair,
      metadata: { ...pair.metadata, annotations: { 'bourse.dev/paused': 'true' } },
      spec: { ...pair.spec, engine: { ...pair.spec.engine, shards: 4 } },
    }))
    await stage.until(() => condition(stage, 'Progressing')?.reason === 'Paused')
    stage.killContainer('pair-btc-usdc-1')
    await stage.pass(10_000)
    expect(isShared(stage, [2, 2])).toBe(true)
    expect(stage.pods()).toHaveLength(2)
  })

  test('a damaged snapshot is reported, and trading goes on', async () => {
    const { stage } = await served()
    await stage.until(() => stage.pair()!.status!.lastSnapshotAt !== undefined)
    const partition = [...stage.shards.owners().keys()][0]!
    const [newest] = await stage.snapshots.list(partition)
    stage.snapshots.corrupt(partition, newest!.sequence)
    await stage.until(() => condition(stage, 'Degraded')?.reason === 'SnapshotCorrupt')
    expect(condition(stage, 'Ready')?.status).toBe('True')
    expect(events(stage)).toContain('SnapshotCorrupt')
  })
})

describe('The end of a TradingPair', () => {
  test('waits for the last trade, then everything of it goes but journal and snapshots', async () => {
    const { stage } = await served()
    stage.openTrades = 3
    stage.cluster.remove(tradingPairKind, 'btc-usdc')
    await stage.until(() => condition(stage, 'Progressing')?.reason === 'WaitingForTrades')
    expect(condition(stage, 'Progressing')!.message).toBe('3 open trades')
    expect(JSON.parse((await stage.directory.manifests())[0]!.document)).toMatchObject({
      spec: { state: 'ReduceOnly' },
    })
    await stage.pass(20_000)
    expect(isShared(stage, [2, 2])).toBe(true)
    stage.openTrades = 0
    await stage.until(() => stage.pair() === undefined)
    await stage.until(() => stage.pods().length === 0)
    expect(await stage.directory.manifests()).toEqual([])
    for (const kind of [serviceKind, networkPolicyKind, podDisruptionBudgetKind, statefulSetKind])
      expect(stage.cluster.get<KubeObject>(kind, 'pair-btc-usdc')).toBeUndefined()
    for (const partition of stage.shards.rows().map(({ _id }) => Number(_id)))
      expect((await stage.snapshots.list(partition)).length).toBeGreaterThan(0)
  })

  test('waits for effects that other partitions have not confirmed', async () => {
    const { stage } = await served()
    stage.shards.unconfirmedEffects = 2
    stage.cluster.remove(tradingPairKind, 'btc-usdc')
    await stage.pass(10_000)
    expect(condition(stage, 'Progressing')?.message).toContain('effects')
    stage.shards.unconfirmedEffects = 0
    await stage.until(() => stage.pair() === undefined)
  })

  test('numbers that change with every look are not written with every look', async () => {
    const { stage } = await served()
    let count = 1
    Object.defineProperty(stage.shards, 'unconfirmedEffects', { get: () => (count += 1) })
    stage.cluster.remove(tradingPairKind, 'btc-usdc')
    await stage.until(() => condition(stage, 'Progressing')?.message.includes('effects') === true)
    const before = stage.cluster.requests.length
    await stage.pass(5_000)
    const writes = stage.cluster.requests.slice(before).filter(({ path }) => path.includes('/status'))
    expect(writes.length).toBeGreaterThan(2)
    expect(writes.length).toBeLessThanOrEqual(6)
  })

  test.each(['snapshot', 'release'])('an operator killed at a %s of it; the next one ends it', async (step) => {
    const { stage, operator } = await served()
    let isKilled = false
    stage.cluster.remove(tradingPairKind, 'btc-usdc')
    operator.onOrder = (what) => {
      if (isKilled || !what.startsWith(step)) return
      isKilled = true
      operator.kill()
    }
    await stage.until(() => isKilled)
    stage.startOperator('b')
    await stage.until(() => stage.pair() === undefined, 120_000)
    expect(stage.shards.owners().size).toBe(0)
  })
})
