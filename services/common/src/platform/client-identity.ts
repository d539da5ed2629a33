import { hash } from 'node:crypto'
import type { Ids } from '../ports/ids.ts'
import type { CommandIdentity } from './request.ts'

/** A field of a request as it is hashed: amounts in units, so that "1.0" and 1 are the same request. */
export type HashedField = string | number | bigint | null

const HASH_BYTES = 16

const firstHalf = (text: string): Uint8Array => new Uint8Array(hash('sha256', text, 'buffer').subarray(0, HASH_BYTES))

/** 16 bytes over method, path and the client's parsed fields; the order of the fields does not matter. */
export const requestHashOf = (
  method: string,
  path: string,
  fields: Readonly<Record<string, HashedField>>,
): Uint8Array => {
  const named = Object.keys(fields)
    .sort()
    .map((name) => {
      const value = fields[name] ?? null
      return [name, value === null ? 'null' : typeof value, String(value)]
    })
  return firstHalf(JSON.stringify([method, path, named]))
}

/**
 * The identity of a command: with a key the same for ever within its scope (`user:<id>:`, `bank:<name>:`, `admin:`), without one
 * random. Keys are UUIDs, so their case does not matter.
 */
export const commandIdentity = (
  ids: Ids,
  scope: string,
  key: string | undefined,
  requestHash: Uint8Array,
): CommandIdentity => ({
  id: key === undefined ? ids.bytes16() : firstHalf(scope + key.toLowerCase()),
  requestHash,
  keyed: key !== undefined,
})
