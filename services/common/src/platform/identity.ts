import { createHash } from 'node:crypto'

/** 16 bytes derived from an id and a part's name: the ids of the several commands that one request becomes. */
export const derivedId = (id: Uint8Array, part: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(id).update(part).digest().subarray(0, 16))

/** Bytes as lower-case hex: the text form of ids and owners in views. */
export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

/** Bytes of a hex text. */
export const bytesOfHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/** The 16 bytes of a UUID: how a user owns accounts. */
export const ownerOfUuid = (uuid: string): Uint8Array => bytesOfHex(uuid.replaceAll('-', ''))
