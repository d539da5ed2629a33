import { expect, test } from '@jest/globals'
import { bankKind } from '../../src/resources/kinds.ts'
import { secretKind } from '../../src/runtime/kinds.ts'
import { Crash, createWorld } from './world.ts'
import type { CrashPoint } from './world.ts'

type World = ReturnType<typeof createWorld>

/** Most calls that one reconciliation makes; a crash point beyond the last one ends the walk. */
const CALLS_MAX = 60

/** Runs a reconciliation with a crash at every call, before and after it, each in a world of its own. */
const atEveryStep = async (
  prepare: (world: World) => Promise<void>,
  check: (world: World, reconcile: () => Promise<unknown>, point: CrashPoint) => Promise<void>,
): Promise<number> => {
  for (let call = 1; call <= CALLS_MAX; call++) {
    for (const when of ['before', 'after'] as const) {
      const world = createWorld()
      await prepare(world)
      const crashed = await world
        .start({ call, when })
        .reconcile()
        .then(
          () => false,
          (error: unknown) => error instanceof Crash,
        )
      if (!crashed) return call - 1
      await check(world, world.start(null, 2).reconcile, { call, when })
    }
  }
  throw new Error('the reconciliation has no end')
}

test('whenever it dies while a bank is made, the next one ends with one valid key, and that is the Secret’s', async () => {
  const steps = await atEveryStep(
    async ({ addBank }) => void addBank(),
    async ({ valid, hashes, manifests, secretText, cluster }, reconcile) => {
      const before = secretText('api-key')
      await reconcile()
      if (before !== undefined) expect(secretText('api-key')).toBe(before)
      expect(valid()).toEqual(hashes('api-key'))
      expect(manifests.size).toBe(1)
      expect(cluster.get(secretKind, 'bourse-webhook-secrets')?.data?.['try']).toBeDefined()
    },
  )
  expect(steps).toBeGreaterThan(8)
})

test('whenever it dies in a rotation, no key is lost: the old one works all the time, in the end the new one too', async () => {
  const steps = await atEveryStep(
    async ({ addBank, start, annotate }) => {
      addBank()
      await start().reconcile()
      annotate({ 'bourse.dev/rotate-key': 'one' })
    },
    async ({ valid, hashes, secretText }, reconcile) => {
      const isRotated = secretText('previous-api-key') !== undefined
      const [old] = hashes(isRotated ? 'previous-api-key' : 'api-key')
      expect(valid()).toContain(old)
      await reconcile()
      expect(hashes('previous-api-key')).toEqual([old])
      expect(new Set(valid())).toEqual(new Set(hashes('api-key', 'previous-api-key')))
    },
  )
  expect(steps).toBeGreaterThan(6)
})

test.each(['Retain', 'Delete'] as const)(
  'whenever it dies in a deletion by %s, the next one ends it',
  async (deletionPolicy) => {
    const steps = await atEveryStep(
      async ({ addBank, start, cluster }) => {
        addBank('try', { deletionPolicy })
        await start().reconcile()
        cluster.remove(bankKind, 'try')
      },
      async ({ clock, cluster, keys, manifests, bank }, reconcile) => {
        await reconcile()
        await clock.advance(15_000)
        await reconcile()
        expect(bank()).toBeUndefined()
        expect(manifests.size).toBe(deletionPolicy === 'Retain' ? 1 : 0)
        expect(keys.size).toBe(deletionPolicy === 'Retain' ? 1 : 0)
        expect(cluster.get(secretKind, 'bank-try-key') !== undefined).toBe(deletionPolicy === 'Retain')
      },
    )
    expect(steps).toBeGreaterThan(1)
  },
)

test.each(['Retain', 'Delete'] as const)(
  'whenever it dies at the end of a deletion by %s, the next one ends it',
  async (deletionPolicy) => {
    for (let call = 1; call <= CALLS_MAX; call++) {
      for (const when of ['before', 'after'] as const) {
        const { addBank, start, cluster, clock, keys, manifests, bank } = createWorld()
        addBank('try', { deletionPolicy })
        await start().reconcile()
        cluster.remove(bankKind, 'try')
        const mortal = start({ call, when })
        const run = async (): Promise<boolean> => {
          await mortal.reconcile()
          await clock.advance(15_000)
          await mortal.reconcile()
          return false
        }
        const crashed = await run().catch((error: unknown) => error instanceof Crash)
        if (!crashed) {
          expect(call).toBeGreaterThan(3)
          return
        }
        const next = start(null, 2)
        await next.reconcile()
        await clock.advance(15_000)
        await next.reconcile()
        expect(bank()).toBeUndefined()
        expect([manifests.size, keys.size]).toEqual(deletionPolicy === 'Retain' ? [1, 1] : [0, 0])
      }
    }
    throw new Error('the deletion has no end')
  },
)
