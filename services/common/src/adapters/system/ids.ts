import { randomFillSync, randomUUID } from 'node:crypto'
import type { Ids } from '../../ports/ids.ts'

/** Chance fetched at once: one call of the operating system for so many ids. */
const POOL_BYTES = 4_096
const ID_BYTES = 16

/** Random UUIDs, version 4 (port Ids): 122 bits of chance each. */
export const createSystemIds = (): Ids => {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  return {
    uuid: () => randomUUID(),
    bytes16: () => {
      if (used === POOL_BYTES) {
        randomFillSync(pool)
        used = 0
      }
      const id = pool.slice(used, used + ID_BYTES)
      // Given out once: what stays in the pool must not tell of it.
      pool.fill(0, used, used + ID_BYTES)
      used += ID_BYTES
      id[6] = (id[6]! & 0x0f) | 0x40
      id[8] = (id[8]! & 0x3f) | 0x80
      return id
    },
  }
}
