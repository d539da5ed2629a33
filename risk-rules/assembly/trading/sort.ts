/*
 * Words of 48 bits, 6 bytes each, sorted upwards where they lie (heap sort: O(n log n) in every case, no other memory). Two bytes
 * behind the last word are read.
 */

/** Bytes of a word. */
export const WORD_BYTES: usize = 6
const WORD_MASK: u64 = 0xffff_ffff_ffff

/** Word `index` of those at `data`. */
@inline
export function wordAt(data: usize, index: u32): u64 {
  return load<u64>(data + <usize>index * WORD_BYTES) & WORD_MASK
}

/** Writes word `index` of those at `data`. */
@inline
export function setWordAt(data: usize, index: u32, word: u64): void {
  const ptr = data + <usize>index * WORD_BYTES
  store<u32>(ptr, <u32>word)
  store<u16>(ptr, <u16>(word >> 32), 4)
}

/** Lets `word` sink from `index` on among the first `count`: no word is above a higher one below it. */
function sink(data: usize, index: u32, count: u32, word: u64): void {
  while (true) {
    let child = (index << 1) + 1
    if (child >= count) break
    let highest = wordAt(data, child)
    if (child + 1 < count) {
      const other = wordAt(data, child + 1)
      if (other > highest) {
        highest = other
        child++
      }
    }
    if (highest <= word) break
    setWordAt(data, index, highest)
    index = child
  }
  setWordAt(data, index, word)
}

/** Sorts `count` words at `data` upwards. */
export function sortWords(data: usize, count: u32): void {
  for (let index = count >> 1; index > 0; index--) sink(data, index - 1, count, wordAt(data, index - 1))
  for (let end = count; end > 1; end--) {
    const last = wordAt(data, end - 1)
    setWordAt(data, end - 1, wordAt(data, 0))
    sink(data, 0, end - 1, last)
  }
}
