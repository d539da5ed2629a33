import { expect, test } from '@jest/globals'
import type { Cache } from '../../ports/cache.ts'
import { withCacheFaults } from '../faults/ports.ts'
import { testUnless } from '../skip.ts'
import { describeContract, type Opened, type Subject } from './scenario.ts'

/** A cache for the suite: small, and with time in the suite's hands. */
export interface CacheHarness extends Opened<Cache> {
  readonly valueBytesMax: number
  /** How many values it keeps; null when its store is bounded by bytes elsewhere. */
  readonly entriesMax: number | null
  /** Lets time pass. */
  elapse(deltaMs: number): Promise<void>
  /** Another cache on the same store, when there can be one. */
  openNeighbour?(): Promise<Cache>
}

/** What the suite runs on. */
export interface CacheSubject extends Subject<CacheHarness> {
  /** A cache whose store is gone; left out when it has no store that could be. */
  openBroken?(): Promise<Opened<Cache>>
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)
/** Nothing is to go by it, however busy the machine is. */
const TTL_MS = 600_000

/** The Cache contract. Under `forgets` it holds that what is found is right, not that it is found. */
export const cacheContract = (subject: CacheSubject): void => {
  describeContract(subject, withCacheFaults, (define) => {
    define('K1 get gives what was last set, or undefined, never anything older', async ({ port, isFaulty }) => {
      expect(await port.get('k')).toBeUndefined()
      for (let round = 0; round < 50; round++) {
        await port.set('k', bytes(`value ${round}`), TTL_MS)
        const found = textOf(await port.get('k'))
        if (!isFaulty || found !== undefined) expect(found).toBe(`value ${round}`)
      }
    })

    define(
      'K2 a value is gone after its time',
      async ({ port, harness }) => {
        await port.set('short', bytes('s'), 100)
        await port.set('long', bytes('l'), TTL_MS)
        await harness.elapse(101)
        expect(await port.get('short')).toBeUndefined()
        expect(textOf(await port.get('long'))).toBe('l')
        await port.set('past', bytes('p'), 0)
        expect(await port.get('past')).toBeUndefined()
      },
      ['forgets'],
    )

    define(
      'K3 a value that is too large is not stored, and takes the older one away',
      async ({ port, harness }) => {
        await port.set('k', bytes('small'), TTL_MS)
        await port.set('k', new Uint8Array(harness.valueBytesMax + 1), TTL_MS)
        expect(await port.get('k')).toBeUndefined()
        await port.set('k', new Uint8Array(harness.valueBytesMax), TTL_MS)
        expect(await port.get('k')).toHaveLength(harness.valueBytesMax)
      },
      ['forgets'],
    )

    define(
      'K3 the number of values is bounded; the one longest unused goes first',
      async ({ port, harness }) => {
        if (harness.entriesMax === null) return
        const keys = Array.from({ length: harness.entriesMax }, (_, index) => `k${index}`)
        for (const key of keys) await port.set(key, bytes(key), TTL_MS)
        await port.get('k0')
        await port.set('one more', bytes('m'), TTL_MS)
        expect(await port.get('k1')).toBeUndefined()
        expect(textOf(await port.get('k0'))).toBe('k0')
        expect(textOf(await port.get('one more'))).toBe('m')
      },
      ['forgets'],
    )

    define(
      'K4 delete removes one key, clear all of this cache and of no other',
      async ({ port, harness }) => {
        const neighbour = await harness.openNeighbour?.()
        await neighbour?.set('a', bytes('theirs'), TTL_MS)
        for (const key of ['a', 'b', 'c']) await port.set(key, bytes(key), TTL_MS)
        await port.delete('a')
        expect(await port.get('a')).toBeUndefined()
        expect(textOf(await port.get('b'))).toBe('b')
        await port.clear()
        expect(await port.get('b')).toBeUndefined()
        expect(await port.get('c')).toBeUndefined()
        if (neighbour !== undefined) expect(textOf(await neighbour.get('a'))).toBe('theirs')
      },
      ['forgets'],
    )

    define('K5 values round-trip, and belong to whoever holds them', async ({ port, isFaulty }) => {
      const value = Uint8Array.from({ length: 256 }, (_, index) => index)
      await port.set('k', value, TTL_MS)
      value.fill(0)
      const found = await port.get('k')
      if (isFaulty && found === undefined) return
      expect([...found!]).toEqual(Array.from({ length: 256 }, (_, index) => index))
      found!.fill(1)
      const again = await port.get('k')
      if (!isFaulty || again !== undefined) expect(again![255]).toBe(255)
    })
  })
  if (subject.faults !== undefined && subject.faults.length > 0) return
  const { openBroken } = subject
  const reason = openBroken === undefined ? `${subject.name} has no store that could break` : undefined
  testUnless(reason, 'K6 a broken cache answers undefined and swallows writes', async () => {
    const broken = await openBroken!()
    await broken.port.set('k', bytes('v'), TTL_MS)
    expect(await broken.port.get('k')).toBeUndefined()
    await broken.port.delete('k')
    await broken.port.clear()
    await broken.destroy()
  })
  test('K6 get of a key that never was is undefined, not an error', async () => {
    const { port, destroy } = await subject.open()
    await expect(port.get('')).resolves.toBeUndefined()
    await destroy()
  })
}
