/** The index of slots against a map: whatever is in it is found, at its distance from home, and nothing else is. */
import { describe, expect, test } from '@jest/globals'
import { compile } from './assembly-kit.ts'
import { createRandom } from './trading-kit.ts'

const index = compile<{
  readonly slotIndexEntries: (capacity: number) => number
  readonly slotIndexHome: (entries: number, hash: number) => number
  readonly slotIndexInsert: (base: number, entries: number, hash: number, slot: number) => void
  readonly slotIndexRemove: (base: number, entries: number, hash: number, slot: number) => void
  readonly slotIndexReplace: (base: number, entries: number, hash: number, former: number, slot: number) => void
}>(`export * from '@assembly/shared/slot-index'`, 2)

const BASE = 65_536
const CAPACITY = 400
const SLOT_MAX = (1 << 20) - 1
const entries = index.slotIndexEntries(CAPACITY)
const table = (): Uint32Array => new Uint32Array(index.memory.buffer, BASE, entries)

/** Every slot of the map lies at its distance behind its home, distances never rise by more than one, nothing else is there. */
const check = (hashes: ReadonlyMap<number, number>): void => {
  const found = table()
  let used = 0
  found.forEach((entry, position) => {
    if (entry === 0) return
    used += 1
    const slot = (entry & 0x1fffff) - 1
    const distance = entry >>> 21
    const hash = hashes.get(slot)
    if (hash === undefined) throw new Error(`slot ${slot} is still there`)
    if ((index.slotIndexHome(entries, hash) + distance) % entries !== position)
      throw new Error(`slot ${slot} at ${position} says it is ${distance} from home`)
    const before = found[(position + entries - 1) % entries]!
    const isReached = distance === 0 || (before !== 0 && before >>> 21 >= distance - 1)
    if (!isReached) throw new Error(`a search for slot ${slot} would end before it`)
  })
  expect(used).toBe(hashes.size)
}

describe('the index of slots', () => {
  test.each([1, 2, 3])('finds what was added and not removed, however full it is (seed %i)', (seed) => {
    const random = createRandom(seed)
    table().fill(0)
    const hashes = new Map<number, number>()
    // Few homes at first: long chains; then all.
    const someHash = (): number => (seed === 1 ? random.below(2 ** 32) : random.below(7) * 613_566_756)
    const someSlot = (): number => (random.chance(10) ? SLOT_MAX - random.below(9) : random.below(5_000))
    for (let step = 0; step < 20_000; step++) {
      const slot = someSlot()
      const hash = hashes.get(slot)
      if (hash !== undefined && random.chance(70)) {
        const other = someSlot()
        if (random.chance(50) || hashes.has(other)) {
          index.slotIndexRemove(BASE, entries, hash, slot)
        } else {
          index.slotIndexReplace(BASE, entries, hash, slot, other)
          hashes.set(other, hash)
        }
        hashes.delete(slot)
      } else if (hash === undefined && hashes.size < CAPACITY) {
        const made = someHash()
        index.slotIndexInsert(BASE, entries, made, slot)
        hashes.set(slot, made)
      }
      if (step % 100 === 0) check(hashes)
    }
    expect(hashes.size).toBeGreaterThan(CAPACITY / 2)
  })

  test('removing what is not in it is a bug and traps', () => {
    table().fill(0)
    index.slotIndexInsert(BASE, entries, 5, 5)
    expect(() => index.slotIndexRemove(BASE, entries, 5, 6)).toThrow('trapped')
  })
})
