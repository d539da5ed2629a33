import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '../../ports/random.ts'

/** The operating system's chance (port Random). `below` takes limits up to 2^48 − 1 and throws RangeError on others. */
export const createSystemRandom = (): Random => ({
  bytes: (count) => Uint8Array.from(randomBytes(count)),
  below: (limit) => randomInt(limit),
})
