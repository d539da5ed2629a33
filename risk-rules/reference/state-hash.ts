/**
 * The state hash in plain bigint, the twin of `assembly/shared/state-hash.ts`: each record mixed word by
 * word, the mixes added in two wrapping sums, so that the order of records does not matter.
 */

const MASK = (1n << 64n) - 1n
const wrap = (value: bigint): bigint => value & MASK
const rotateLeft = (value: bigint, bits: bigint): bigint => wrap((value << bits) | (value >> (64n - bits)))

const finish = (value: bigint): bigint => {
  let mixed = value ^ (value >> 32n)
  mixed = wrap(mixed * 0xd6e8feb86659fd93n)
  mixed ^= mixed >> 32n
  mixed = wrap(mixed * 0x9e3779b97f4a7c15n)
  return mixed ^ (mixed >> 29n)
}

/** A hash in the making. */
export interface StateHash {
  /** Adds a record of 64-bit words (taken modulo 2^64, so negative ones may be given as they are). */
  readonly mix: (words: readonly bigint[], tag: bigint) => void
  /** 32 hex characters: high sum, low sum. */
  readonly hex: () => string
}

/** Starts a hash. */
export const createStateHash = (): StateHash => {
  let sumHigh = 0n
  let sumLow = 0n
  return {
    mix: (words, tag) => {
      let high = 0x9e3779b97f4a7c15n ^ tag
      let low = wrap(0xc2b2ae3d27d4eb4fn + tag)
      for (const word of words) {
        high = wrap(rotateLeft(high ^ wrap(word), 27n) * 0x9fb21c651e98df25n)
        low = wrap(rotateLeft(wrap(low + wrap(word)), 31n) * 0xd6e8feb86659fd93n)
        high ^= low >> 29n
        low ^= high >> 32n
      }
      sumHigh = wrap(sumHigh + finish(high))
      sumLow = wrap(sumLow + finish(low))
    },
    hex: () => sumHigh.toString(16).padStart(16, '0') + sumLow.toString(16).padStart(16, '0'),
  }
}

/** The 64-bit words of bytes, little endian; the length is a multiple of 8. */
export const wordsOf = (bytes: Uint8Array): bigint[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 8 }, (_, word) => view.getBigUint64(8 * word, true))
}
