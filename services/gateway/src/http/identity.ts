import { createHash } from 'node:crypto'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import { hexOf, ownerOfUuid } from '@bourse/common/platform/identity.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'

/** A field of a request as it is hashed: amounts in units, so that "1.0" and 1 are the same request. */
export type HashedField = string | number | bigint | null

const HASH_BYTES = 16

const firstHalf = (text: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(text, 'utf8').digest().subarray(0, HASH_BYTES))

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

/** 16 bytes in the text form of a UUID (version 8, the one for values of one's own making). */
export const uuidOfBytes = (bytes: Uint8Array): string => {
  const copy = Buffer.from(bytes)
  copy[6] = ((copy[6] ?? 0) & 0x0f) | 0x80
  copy[8] = ((copy[8] ?? 0) & 0x3f) | 0x80
  const hex = copy.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** How the views name a user's account: the owner's 16 bytes in hex. */
export const accountKeyOf = (userId: string): string => hexOf(ownerOfUuid(userId))
