/** The indexed heap against a sorted array: any slot leaves at any time, and the top is always the lowest. */
import { describe, expect, test } from '@jest/globals'
import { compile } from './assembly-kit.ts'
import { createRandom } from './trading-kit.ts'

const heap = compile<{
  readonly heapInit: (heap: number, nodes: number, positions: number, stride: number) => void
  readonly heapInsert: (heap: number, slot: number, key: bigint) => void
  readonly heapRemove: (heap: number, slot: number) => void
  readonly heapSetKeyAt: (heap: number, index: number, key: bigint) => void
  readonly heapSlotAt: (heap: number, index: number) => number
  readonly heapKeyAt: (heap: number, index: number) => bigint
  readonly heapTopKey: (heap: number) => bigint
  readonly heapCount: (heap: number) => number
  readonly heapify: (heap: number) => void
}>(`export * from '@assembly/shared/heap'`, 4)

const [HEAP, NODES, PLACES, STRIDE, SLOTS] = [65_536, 66_560, 131_072, 12, 500]
const KEY_MAX = (1n << 63n) - 1n
const placeOf = (slot: number): number => new DataView(heap.memory.buffer).getUint32(PLACES + slot * STRIDE, true)

/** Every entry is where its slot says, no entry is below its parent, and the keys are those expected. */
const check = (keys: ReadonlyMap<number, bigint>): void => {
  expect(heap.heapCount(HEAP)).toBe(keys.size)
  for (let index = 0; index < keys.size; index++) {
    const slot = heap.heapSlotAt(HEAP, index)
    if (placeOf(slot) !== index + 1) throw new Error(`slot ${slot} is at ${index}, its place says ${placeOf(slot) - 1}`)
    if (heap.heapKeyAt(HEAP, index) !== keys.get(slot)) throw new Error(`slot ${slot} has another key`)
    const parent = (index - 1) >> 2
    const isOrdered = index === 0 || heap.heapKeyAt(HEAP, parent) <= heap.heapKeyAt(HEAP, index)
    if (!isOrdered) throw new Error(`entry ${index} is below its parent`)
  }
  const lowest = [...keys.values()].reduce((least, key) => (key < least ? key : least), KEY_MAX)
  expect(heap.heapTopKey(HEAP)).toBe(lowest)
}

describe('the indexed heap', () => {
  test.each([1, 2, 3])('keeps its order through random inserts, removals and rebuilds (seed %i)', (seed) => {
    const random = createRandom(seed)
    new Uint8Array(heap.memory.buffer).fill(0, HEAP)
    heap.heapInit(HEAP, NODES, PLACES, STRIDE)
    const keys = new Map<number, bigint>()
    const someKey = (): bigint =>
      random.pick([random.bigBelow(10n), -random.bigBelow(10n), random.bigBelow(KEY_MAX), -KEY_MAX, KEY_MAX])
    for (let step = 0; step < 6_000; step++) {
      const slot = random.below(SLOTS)
      if (keys.has(slot) || random.chance(5)) {
        heap.heapRemove(HEAP, slot)
        keys.delete(slot)
        expect(placeOf(slot)).toBe(0)
      } else {
        const key = someKey()
        heap.heapInsert(HEAP, slot, key)
        keys.set(slot, key)
      }
      if (step % 500 === 499) {
        for (let index = 0; index < keys.size; index++) {
          const key = someKey()
          heap.heapSetKeyAt(HEAP, index, key)
          keys.set(heap.heapSlotAt(HEAP, index), key)
        }
        heap.heapify(HEAP)
      }
      if (step % 20 === 0 || step % 500 === 499) check(keys)
    }
  })

  test('of nothing has the highest key there is, and removing what is not in it does nothing', () => {
    heap.heapInit(HEAP, NODES, PLACES, STRIDE)
    new Uint8Array(heap.memory.buffer).fill(0, PLACES)
    expect(heap.heapTopKey(HEAP)).toBe(KEY_MAX)
    heap.heapRemove(HEAP, 7)
    heap.heapify(HEAP)
    expect(heap.heapCount(HEAP)).toBe(0)
  })
})
