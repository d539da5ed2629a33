import { describe, expect, test } from '@jest/globals'
import { bankKind } from '../../src/resources/kinds.ts'
import { secretKind } from '../../src/runtime/kinds.ts'
import { createWorld } from './world.ts'

const stateOf = (document: string | undefined): unknown =>
  (JSON.parse(document ?? '{}') as { spec?: { state?: string } }).spec?.state

const settleMs = 15_000

describe('a bank that is deleted', () => {
  test('is suspended at once and waits for its open transactions', async () => {
    const { start, addBank, cluster, world, manifests, bank, condition, valid, hashes, clock, reasons } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    world.open.set('try', 2)
    cluster.remove(bankKind, 'try')
    await reconcile()
    await clock.advance(settleMs)
    expect(await reconcile()).toEqual({ requeueAfterMs: 5_000 })
    expect(stateOf(manifests.get('try')?.document)).toBe('Suspended')
    expect(bank()?.status?.openTransactions).toBe(2)
    expect(condition('Ready')).toMatchObject({ status: 'False', reason: 'Deleting' })
    expect(reasons()).toContain('WaitingForTransactions')
    expect(valid()).toEqual(hashes('api-key'))
    expect(world.queries.at(-1)?.filter).toEqual({ bank: 'try', status: 'PENDING' })
  })

  test('is not let go before the suspension has reached everybody', async () => {
    const { start, addBank, cluster, bank, clock } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    cluster.remove(bankKind, 'try')
    await reconcile()
    await clock.advance(settleMs - 1)
    await reconcile()
    expect(bank()).toBeDefined()
    await clock.advance(1)
    await reconcile()
    expect(bank()).toBeUndefined()
  })

  test('and retained stays known with its key, and comes back with it', async () => {
    const { start, addBank, cluster, manifests, valid, hashes, clock, secretText } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    const key = secretText('api-key')
    cluster.remove(bankKind, 'try')
    await reconcile()
    await clock.advance(settleMs)
    await reconcile()
    expect(stateOf(manifests.get('try')?.document)).toBe('Suspended')
    expect(valid()).toEqual(hashes('api-key'))
    await reconcile()
    addBank()
    await reconcile()
    expect(secretText('api-key')).toBe(key)
    expect(stateOf(manifests.get('try')?.document)).not.toBe('Suspended')
  })

  test('is not let go while the views are too far behind to know of its transactions', async () => {
    const { start, addBank, cluster, bank, clock, world, condition } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    world.viewsAsOfMs = clock.nowMs() + settleMs - 10_001
    cluster.remove(bankKind, 'try')
    await reconcile()
    await clock.advance(settleMs)
    expect(await reconcile()).toEqual({ requeueAfterMs: 5_000 })
    expect(condition('Ready')?.message).toContain('views')
    world.viewsAsOfMs += 1
    await reconcile()
    expect(bank()).toBeUndefined()
  })

  test('with a spec that can not be used is suspended under the one that was in force', async () => {
    const { start, addBank, cluster, manifests } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    const before = JSON.parse(manifests.get('try')!.document) as { spec: object }
    cluster.update(bankKind, 'try', (bank) => ({ ...bank, spec: { ...bank.spec, callback: { url: 'ftp://x' } } }))
    cluster.remove(bankKind, 'try')
    await reconcile()
    expect(JSON.parse(manifests.get('try')!.document)).toMatchObject({ spec: { ...before.spec, state: 'Suspended' } })
  })

  test('and not retained loses keys, Secret, webhook secret and manifest', async () => {
    const { start, addBank, cluster, manifests, keys, clock, secretText } = createWorld()
    addBank('try', { deletionPolicy: 'Delete' })
    addBank('other')
    const { reconcile } = start()
    await reconcile('try')
    await reconcile('other')
    cluster.remove(bankKind, 'try')
    await reconcile()
    await clock.advance(settleMs)
    await reconcile()
    expect([...keys.values()].map(({ bank }) => bank)).toEqual(['other'])
    expect(cluster.get(secretKind, 'bank-try-key')).toBeUndefined()
    expect(manifests.has('try')).toBe(false)
    expect(secretText('try', 'bourse-webhook-secrets')).toBeUndefined()
    expect(secretText('other', 'bourse-webhook-secrets')).toBeDefined()
  })

  test('goes also while it is paused, and when its spec was never valid', async () => {
    const { start, addBank, cluster, annotate, clock, bank, manifests } = createWorld()
    addBank('try', { callback: { url: 'ftp://bank.example' } })
    const { reconcile } = start()
    await reconcile()
    annotate({ 'bourse.dev/paused': 'true' })
    cluster.remove(bankKind, 'try')
    await reconcile()
    await clock.advance(settleMs)
    await reconcile()
    expect(bank()).toBeUndefined()
    expect(manifests.size).toBe(0)
  })
})
