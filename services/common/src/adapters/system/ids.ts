import { randomUUID } from 'node:crypto'
import type { Ids } from '../../ports/ids.ts'

/** Random UUIDs, version 4 (port Ids): 122 bits of chance each. */
export const createSystemIds = (): Ids => ({
  uuid: () => randomUUID(),
  bytes16: () => Uint8Array.from(Buffer.from(randomUUID().replaceAll('-', ''), 'hex')),
})
