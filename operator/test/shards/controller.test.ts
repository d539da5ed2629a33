import { describe, expect, test } from '@jest/globals'
import { conditionOf } from '../../src/runtime/conditions.ts'
import { nodeKind, statefulSetKind, type Node } from '../../src/runtime/kinds.ts'
import { tradingPairKind } from '../../src/resources/kinds.ts'
import type { TradingPairResource } from '../../src/resources/trading-pair.ts'
import { valueOf } from '../runtime/support.ts'
import { createStage, isShared, MISSING_IMAGE, pairManifest, type Stage } from './stage/stage.ts'

const scale = (stage: Stage, shards: number): void =>
  void stage.cluster.update(tradingPairKind, 'btc-usdc', (pair: TradingPairResource) => ({
    ...pair,
    spec: { ...pair.spec, engine: { ...pair.spec.engine, shards } },
  }))
const reasonOf = (stage: Stage, type: string): string | undefined =>
  conditionOf(stage.pair()?.status?.conditions, type)?.reason

/** A pair that is served by so many shards, and its operator. */
const served = async (shards: number, counts: readonly number[]) => {
  const stage = createStage()
  const operator = stage.startOperator('a')
  stage.cluster.create(tradingPairKind, pairManifest(shards))
  await stage.until(() => isShared(stage, counts) && reasonOf(stage, 'Progressing') === 'Settled')
  return { stage, operator }
}

describe('The controllers on a cluster', () => {
  test('a new pair is served, ready, and reported', async () => {
    const { stage } = await served(2, [2, 2])
    const status = stage.pair()!.status!
    expect(status.shards).toBe(2)
    expect(status.selector).toBe('bourse.dev/group=pair-btc-usdc')
    expect(status.observedGeneration).toBe(stage.pair()!.metadata.generation)
    expect(status.partitions!.map(({ id }) => id)).toEqual([0, 1, 2, 3])
    expect(new Set(status.partitions!.map(({ shard }) => shard))).toEqual(new Set([0, 1]))
    expect(reasonOf(stage, 'Ready')).toBe('Serving')
    expect(stage.mostOwners).toBe(1)
  })

  test('scales from one to four to two, with every partition at one shard all the while', async () => {
    const { stage } = await served(1, [4])
    scale(stage, 4)
    await stage.until(() => isShared(stage, [1, 1, 1, 1]) && reasonOf(stage, 'Progressing') === 'Settled')
    scale(stage, 2)
    await stage.until(() => isShared(stage, [2, 2]) && stage.pods().length === 2)
    expect(stage.cluster.get(statefulSetKind, 'pair-btc-usdc')!.spec!.replicas).toBe(2)
    expect(stage.mostOwners).toBe(1)
  })

  test('a deleted pod gives its partitions away first and gets its share when it is back', async () => {
    const { stage } = await served(2, [2, 2])
    const before = stage.shards.log.length
    stage.cluster.remove({ apiVersion: 'v1', kind: 'Pod', plural: 'pods' }, 'pair-btc-usdc-1')
    await stage.until(() => isShared(stage, [4]))
    await stage.until(() => isShared(stage, [2, 2]))
    // Each of the two went and came back, and nothing else moved.
    expect(stage.shards.log.slice(before).filter((line) => line.startsWith('acquire'))).toHaveLength(4)
  })

  test('the partitions of a cordoned node’s shards leave, and come back when it takes pods again', async () => {
    const { stage } = await served(2, [2, 2])
    const cordon = (unschedulable: boolean) => ({ apiVersion: 'v1', kind: 'Node', spec: { unschedulable } })
    stage.cluster.create(nodeKind, { ...cordon(true), metadata: { name: 'node-2' } })
    await stage.until(() => isShared(stage, [4]))
    expect(stage.pods()).toHaveLength(2)
    stage.cluster.update(nodeKind, 'node-2', (node: Node) => ({ ...node, ...cordon(false) }))
    await stage.until(() => isShared(stage, [2, 2]))
    expect(stage.mostOwners).toBe(1)
  })

  test('a killed container’s partitions are served again within a few seconds', async () => {
    const { stage } = await served(2, [2, 2])
    stage.killContainer('pair-btc-usdc-1')
    await stage.pass(3_000)
    expect(stage.shards.owners().size).toBe(4)
    await stage.until(() => isShared(stage, [2, 2]))
  })

  test('a new template rolls one pod at a time, each after its partitions have left', async () => {
    const { stage, operator } = await served(2, [2, 2])
    operator.kill()
    stage.setImage('bourse:2')
    stage.startOperator('b')
    const uids = new Set(stage.pods().map(({ metadata }) => metadata.uid))
    stage.mostPodsDown = 0
    await stage.until(
      () => stage.pods().every(({ metadata }) => !uids.has(metadata.uid)) && isShared(stage, [2, 2]),
      120_000,
    )
    expect(stage.mostPodsDown).toBe(1)
    expect(stage.mostOwners).toBe(1)
  })

  test('a lone shard rolls over a stand-in, which is gone afterwards', async () => {
    const { stage, operator } = await served(1, [4])
    operator.kill()
    stage.setImage('bourse:2')
    stage.startOperator('b')
    const [old] = stage.pods()
    await stage.until(() => stage.pods().length === 2)
    await stage.until(
      () => stage.pods().length === 1 && stage.pods()[0]!.metadata.uid !== old!.metadata.uid && isShared(stage, [4]),
      120_000,
    )
    expect(stage.mostOwners).toBe(1)
  })

  test.each([1, 2, 3])(
    'an image that can not be pulled halts the roll of %s shards; the next one is rolled out',
    async (shards) => {
      const counts = { 1: [4], 2: [2, 2], 3: [2, 1, 1] }[shards] ?? []
      const { stage, operator } = await served(shards, counts)
      operator.kill()
      stage.setImage(MISSING_IMAGE)
      const broken = stage.startOperator('b')
      await stage.pass(90_000)
      expect(stage.shards.owners().size).toBe(4)
      expect(
        stage.pods().filter(({ status }) => status?.conditions?.[0]?.status === 'True').length,
      ).toBeGreaterThanOrEqual(Math.max(1, shards - 1))
      scale(stage, 4)
      await stage.pass(30_000)
      expect(stage.shards.owners().size).toBe(4)
      broken.kill()
      stage.setImage('bourse:3')
      stage.startOperator('c')
      await stage.until(() => isShared(stage, [1, 1, 1, 1]) && reasonOf(stage, 'Progressing') === 'Settled', 240_000)
      expect(stage.mostOwners).toBe(1)
    },
  )

  test('a pair that is deleted while it scales and rolls ends, and one made anew under its name is served', async () => {
    const { stage, operator } = await served(1, [4])
    operator.kill()
    stage.setImage('bourse:2')
    stage.startOperator('b')
    scale(stage, 4)
    await stage.until(() => stage.pods().length > 2)
    const { uid } = stage.pair()!.metadata
    stage.cluster.remove(tradingPairKind, 'btc-usdc')
    await stage.until(() => stage.pair() === undefined, 240_000)
    stage.cluster.create(tradingPairKind, pairManifest(2))
    await stage.until(() => isShared(stage, [2, 2]) && reasonOf(stage, 'Progressing') === 'Settled', 120_000)
    expect(stage.pair()!.metadata.uid).not.toBe(uid)
    expect((await stage.directory.manifests())[0]!.document).not.toContain('ReduceOnly')
    expect(stage.mostOwners).toBe(1)
  })

  test('views that can not be read let nothing be acquired by a new operator, and all be as soon as they can', async () => {
    const { stage, operator } = await served(2, [2, 2])
    operator.kill()
    stage.areViewsDown = true
    stage.startOperator('b')
    stage.killContainer('pair-btc-usdc-1')
    await stage.pass(20_000)
    expect(stage.shards.owners().size).toBe(2)
    stage.areViewsDown = false
    await stage.pass(5_000)
    expect(stage.shards.owners().size).toBe(4)
    expect(stage.mostOwners).toBe(1)
  })

  test.each([
    ['prepare', 'before'],
    ['prepare', 'after'],
    ['release', 'before'],
    ['release', 'after'],
    ['acquire', 'before'],
    ['acquire', 'after'],
  ])('an operator killed at a move: %s, %s; the next one goes on', async (step, when) => {
    const { stage, operator } = await served(1, [4])
    let isKilled = false
    operator.onOrder = (what, at) => {
      if (isKilled || !what.startsWith(step) || at !== when) return
      isKilled = true
      operator.kill()
    }
    scale(stage, 2)
    await stage.until(() => isKilled)
    stage.startOperator('b')
    await stage.until(() => isShared(stage, [2, 2]), 120_000)
    expect(stage.mostOwners).toBe(1)
    await stage.pass(5_000)
    expect(isShared(stage, [2, 2])).toBe(true)
  })

  test('orders of a leader that was deposed are refused', async () => {
    const { stage } = await served(1, [4])
    const old = stage.shards.client(
      () => 0,
      () => Promise.resolve(),
    )
    scale(stage, 2)
    await stage.until(() => isShared(stage, [2, 2]))
    const url = `http://${stage.pods()[0]!.status!.podIP}:3100`
    expect((await old.release(url, [...stage.shards.owners().keys()][0]!, 90_000))?.code).toBe('STALE_FENCE')
    expect(isShared(stage, [2, 2])).toBe(true)
  })

  test('a shard that stands still while it is told to hand over is not waited for longer than the grace', async () => {
    const { stage, operator } = await served(1, [4])
    const old = stage.shards.at(`http://${stage.pods()[0]!.status!.podIP}:3100`)!
    operator.onOrder = (what, when) => {
      if (what.startsWith('release') && when === 'before') old.isStuck = true
    }
    scale(stage, 2)
    await stage.until(() => old.isStuck)
    await stage.until(() => stage.load()['pair-btc-usdc-1'] === 4, 15_000)
  })

  test('an API server that answers no write keeps no partition unserved', async () => {
    const { stage } = await served(2, [2, 2])
    stage.cluster.setFaults({
      onRequest: ({ method, path }) =>
        method === 'PATCH' && path.includes('/statefulsets/') ? { fault: 'hang' } : null,
    })
    scale(stage, 1)
    await stage.until(() => isShared(stage, [4]))
    await stage.pass(3_000)
    stage.killContainer('pair-btc-usdc-0')
    await stage.pass(3_000)
    expect(stage.shards.owners().size).toBe(4)
    stage.cluster.setFaults({})
    await stage.until(() => stage.pods().length === 1 && isShared(stage, [4]))
  })

  test('of a group that is gone nothing is counted as unserved', async () => {
    const { stage, operator } = await served(2, [2, 2])
    stage.cluster.remove(tradingPairKind, 'btc-usdc')
    await stage.until(() => stage.pair() === undefined && stage.pods().length === 0)
    await stage.pass(3_000)
    expect(await valueOf(operator.metrics, 'bourse_operator_partitions_unserved{group="pair-btc-usdc"}')).toBe(0)
  })
})
