/** Sorts `count` u64 at `data` upwards (bottom-up merge sort); `other` is as large and free. O(n log n) in every case. */
export function sortWords(data: usize, other: usize, count: u32): void {
  let from = data
  let to = other
  for (let width: u32 = 1; width < count; width <<= 1) {
    for (let left: u32 = 0; left < count; left += width << 1) {
      mergeRuns(from, to, left, min(left + width, count), min(left + (width << 1), count))
    }
    const swap = from
    from = to
    to = swap
  }
  if (from != data) memory.copy(data, from, <usize>count << 3)
}

function mergeRuns(from: usize, to: usize, left: u32, middle: u32, end: u32): void {
  let first = left
  let second = middle
  for (let at = left; at < end; at++) {
    const takeFirst =
      first < middle && (second >= end || load<u64>(from + (<usize>first << 3)) <= load<u64>(from + (<usize>second << 3)))
    const source = takeFirst ? first++ : second++
    store<u64>(to + (<usize>at << 3), load<u64>(from + (<usize>source << 3)))
  }
}
