import { randomUUID } from 'node:crypto'
import type { Ids } from '../../ports/ids.ts'

/** Random UUIDs (version 4). */
export const createSystemIds = (): Ids => ({
  uuid: () => randomUUID(),
  bytes16: () => new Uint8Array(Buffer.from(randomUUID().replaceAll('-', ''), 'hex')),
})
