/*
 * The state hash: every record of the state is mixed on its own (the position of a word counts) and the mixes
 * are added, wrapping, in two sums of 64 bits. Sums do not care about the order of the records, so a machine
 * may walk its tables as they lie and a reference may walk its maps. It finds differences; it is no defence
 * against somebody who makes them (snapshots and journals carry SHA-256 for that). The bigint twin is
 * `reference/state-hash.ts`.
 */

let sumHigh: u64 = 0
let sumLow: u64 = 0

/** Starts a new hash. */
export function stateHashReset(): void {
  sumHigh = 0
  sumLow = 0
}

/** Adds the record of `words` 64-bit words at `ptr`. `tag` tells kinds of records apart. */
export function mixWords(ptr: usize, words: u32, tag: u64 = 0): void {
  let high: u64 = 0x9e3779b97f4a7c15 ^ tag
  let low: u64 = 0xc2b2ae3d27d4eb4f + tag
  for (let i: u32 = 0; i < words; i++) {
    const word = load<u64>(ptr + ((<usize>i) << 3))
    high = rotl<u64>(high ^ word, 27) * 0x9fb21c651e98df25
    low = rotl<u64>(low + word, 31) * 0xd6e8feb86659fd93
    high ^= low >> 29
    low ^= high >> 32
  }
  sumHigh += finish(high)
  sumLow += finish(low)
}

function finish(value: u64): u64 {
  value ^= value >> 32
  value *= 0xd6e8feb86659fd93
  value ^= value >> 32
  value *= 0x9e3779b97f4a7c15
  return value ^ (value >> 29)
}

/** The high 64 bits of the sum. */
export function stateHashSumHigh(): u64 {
  return sumHigh
}

/** The low 64 bits of the sum. */
export function stateHashSumLow(): u64 {
  return sumLow
}
