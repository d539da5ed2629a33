/**
 * Chance that a seed repeats, in whole 32-bit words: no float takes part in any decision. Not for secrets.
 */
export interface Chance {
  /** A whole number from `least` to `most`, both included; at most 2^32 of them. */
  between(least: number, most: number): number
  /** True in `percent` of 100 cases. */
  percent(percent: number): boolean
}

const WORDS = 0x1_0000_0000

/** Splitmix32: the same seed (a u32) gives the same answers on every machine. */
export const createChance = (seed: number): Chance => {
  let state = seed >>> 0
  const uint32 = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const below = (limit: number): number => {
    // What lies past the last whole multiple of the limit would favour small answers: drawn again.
    const fair = WORDS - (WORDS % limit)
    let drawn = uint32()
    while (drawn >= fair) drawn = uint32()
    return drawn % limit
  }
  return {
    between: (least, most) => {
      const count = most - least + 1
      if (!Number.isSafeInteger(count) || count < 1 || count > WORDS) throw new RangeError(`from ${least} to ${most}`)
      return least + below(count)
    },
    percent: (percent) => below(100) < percent,
  }
}
