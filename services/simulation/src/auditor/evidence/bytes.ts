import { createHash } from 'node:crypto'

/** Bytes as hex: the text by which the auditor names ids and owners. */
export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

/** The text of 16 zero bytes: no id. */
export const NO_ID_HEX = '0'.repeat(32)

/** Owner of the system account of this name, in hex: the first 16 bytes of the name's SHA-256. */
export const ownerNamed = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 32)

/** Whether two byte strings are the same. */
export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
