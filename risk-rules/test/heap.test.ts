/** The indexed heap against a sorted array: any slot leaves at any time, and the top is always the lowest. */
import { describe, expect, test } from '@jest/globals'
import { compile } from './assembly-kit.ts'
import { createRandom } from './trading-kit.ts'

const heap = compile<{
  readonly heapInit: (
    heap: number,
    nodes: number,
    step: number,
    positions: number,
    stride: number,
    shift: number,
  ) => void
  readonly heapIsOrdered: (heap: number) => number
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
/** The ways heaps are laid out: each node's distance from the one before, and the place's first bit. */
const WAYS = [
  { step: 12, shift: 0 },
  { step: -12, shift: 21 },
  { step: 12, shift: 42 },
] as const
type Way = (typeof WAYS)[number]
/** What the words of the places hold beside the places: others' bits, never touched. */
const OTHER_BITS = 0xa5a5_a5a5_a5a5_a5a5n
const maskOf = ({ shift }: Way): bigint => ((1n << 21n) - 1n) << BigInt(shift)

const placeWord = (slot: number): bigint => new DataView(heap.memory.buffer).getBigUint64(PLACES + slot * STRIDE, true)
const placeOf = (slot: number, way: Way): number => {
  const word = placeWord(slot)
  if ((word & ~maskOf(way)) !== (OTHER_BITS & ~maskOf(way))) throw new Error(`bits beside the place of ${slot} changed`)
  return Number((word & maskOf(way)) >> BigInt(way.shift))
}

const start = (way: Way): void => {
  const view = new DataView(heap.memory.buffer)
  for (let slot = 0; slot < SLOTS; slot++) {
    view.setBigUint64(PLACES + slot * STRIDE, OTHER_BITS & ~maskOf(way), true)
  }
  heap.heapInit(HEAP, way.step > 0 ? NODES : NODES + 12 * (SLOTS - 1), way.step, PLACES, STRIDE, way.shift)
}

/** Every entry is where its slot says, no entry is below its parent, and the keys are those expected. */
const check = (keys: ReadonlyMap<number, bigint>, way: Way): void => {
  expect(heap.heapCount(HEAP)).toBe(keys.size)
  for (let index = 0; index < keys.size; index++) {
    const slot = heap.heapSlotAt(HEAP, index)
    const place = placeOf(slot, way)
    if (place !== index + 1) throw new Error(`slot ${slot} is at ${index}, its place says ${place - 1}`)
    if (heap.heapKeyAt(HEAP, index) !== keys.get(slot)) throw new Error(`slot ${slot} has another key`)
    const parent = (index - 1) >> 2
    const isOrdered = index === 0 || heap.heapKeyAt(HEAP, parent) <= heap.heapKeyAt(HEAP, index)
    if (!isOrdered) throw new Error(`entry ${index} is below its parent`)
  }
  expect(heap.heapIsOrdered(HEAP)).toBe(1)
  const lowest = [...keys.values()].reduce((least, key) => (key < least ? key : least), KEY_MAX)
  expect(heap.heapTopKey(HEAP)).toBe(lowest)
}

describe('the indexed heap', () => {
  test.each([1, 2, 3])('keeps its order through random inserts, removals and rebuilds (seed %i)', (seed) => {
    const random = createRandom(seed)
    const way = WAYS[seed - 1]!
    start(way)
    const keys = new Map<number, bigint>()
    const someKey = (): bigint =>
      random.pick([random.bigBelow(10n), -random.bigBelow(10n), random.bigBelow(KEY_MAX), -KEY_MAX, KEY_MAX])
    for (let step = 0; step < 6_000; step++) {
      const slot = random.below(SLOTS)
      if (keys.has(slot) || random.chance(5)) {
        heap.heapRemove(HEAP, slot)
        keys.delete(slot)
        expect(placeOf(slot, way)).toBe(0)
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
      if (step % 20 === 0 || step % 500 === 499) check(keys, way)
    }
  })

  test('of nothing has the highest key there is, and removing what is not in it does nothing', () => {
    start(WAYS[0])
    expect(heap.heapTopKey(HEAP)).toBe(KEY_MAX)
    heap.heapRemove(HEAP, 7)
    heap.heapify(HEAP)
    expect(heap.heapCount(HEAP)).toBe(0)
  })

  test('that is out of order is told apart', () => {
    start(WAYS[0])
    for (let slot = 0; slot < 20; slot++) heap.heapInsert(HEAP, slot, BigInt(slot))
    expect(heap.heapIsOrdered(HEAP)).toBe(1)
    heap.heapSetKeyAt(HEAP, 19, -1n)
    expect(heap.heapIsOrdered(HEAP)).toBe(0)
  })
})
