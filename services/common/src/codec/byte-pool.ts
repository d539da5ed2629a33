/** Bytes of one slab; copies longer than a quarter of it get memory of their own. */
const SLAB_BYTES = 65_536
const POOLED_BYTES_MAX = SLAB_BYTES / 4

/**
 * Copies short byte arrays into shared slabs: no allocation outside the heap for each, which costs more than the copy. A slab
 * is written once and freed with the last copy in it.
 */
export const createBytePool = (): ((bytes: Uint8Array) => Uint8Array) => {
  let slab = new ArrayBuffer(SLAB_BYTES)
  let used = 0
  return (bytes) => {
    const { length } = bytes
    if (length > POOLED_BYTES_MAX) return new Uint8Array(bytes)
    if (used + length > SLAB_BYTES) {
      slab = new ArrayBuffer(SLAB_BYTES)
      used = 0
    }
    const copy = new Uint8Array(slab, used, length)
    copy.set(bytes)
    // Copies begin at multiples of 8, as messages of the kernel do.
    used = (used + length + 7) & ~7
    return copy
  }
}
