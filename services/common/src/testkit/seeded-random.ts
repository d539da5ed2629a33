import type { Ids } from '../ports/ids.ts'
import type { Random } from '../ports/random.ts'

/** Chance that a seed repeats: the same seed gives the same answers on every machine. */
export interface SeededRandom extends Random {
  /** The next 32 bits. */
  uint32(): number
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number
  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean
  /** One of the items, each as likely. */
  pick<Item>(items: readonly Item[]): Item
}

/** Splitmix32: spreads a seed over the four words of the generator's state. */
const createSplitmix = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
}

const rotateLeft = (word: number, bits: number): number => ((word << bits) | (word >>> (32 - bits))) >>> 0

/** Xoshiro128**, in whole 32-bit words: no float takes part in any decision. Not for secrets. */
export const createSeededRandom = (seed: number): SeededRandom => {
  const split = createSplitmix(seed)
  let [a, b, c, d] = [split(), split(), split(), split()]
  const uint32 = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5) >>> 0, 7), 9) >>> 0
    const shifted = (b << 9) >>> 0
    c = (c ^ a) >>> 0
    d = (d ^ b) >>> 0
    b = (b ^ c) >>> 0
    a = (a ^ d) >>> 0
    c = (c ^ shifted) >>> 0
    d = rotateLeft(d, 11)
    return result
  }
  const uint53 = (): number => (uint32() >>> 11) * 0x1_0000_0000 + uint32()
  const belowFrom = (source: () => number, size: number, limit: number): number => {
    // What lies past the last whole multiple of the limit would favour small answers: drawn again.
    const fair = size - (size % limit)
    let drawn = source()
    while (drawn >= fair) drawn = source()
    return drawn % limit
  }
  const below = (limit: number): number => {
    if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`a limit of ${limit}`)
    return limit <= 0x1_0000_0000 ? belowFrom(uint32, 0x1_0000_0000, limit) : belowFrom(uint53, 2 ** 53, limit)
  }
  return {
    uint32,
    below,
    bytes: (count) => Uint8Array.from({ length: count }, () => uint32() & 0xff),
    between: (least, most) => least + below(most - least + 1),
    chance: (percent) => below(100) < percent,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('nothing to pick from')
      return items[below(items.length)]!
    },
  }
}

const uuidOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/u, '$1-$2-$3-$4-')

/** UUIDs (version 4) from seeded chance (port Ids). */
export const createSeededIds = (random: Random): Ids => {
  const bytes16 = (): Uint8Array => {
    const bytes = random.bytes(16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    return bytes
  }
  return { bytes16, uuid: () => uuidOf(bytes16()) }
}
