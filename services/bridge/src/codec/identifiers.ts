import { createHash } from 'node:crypto'

/*
 * Every id of the bridge is derived, so that a machine needs no chance and a repeat finds what the first call made.
 */

const digest16 = (text: string, bytes?: Uint8Array): Uint8Array => {
  const hash = createHash('sha256').update(text)
  if (bytes !== undefined) hash.update(bytes)
  return new Uint8Array(hash.digest().subarray(0, 16))
}

/** Lower-case hex of bytes: the key of maps and the text of ids. */
export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

/** The 16 bytes of 32 hex characters. */
export const bytesOfHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** The transaction's 16 bytes: its reference in the ledger and, in hex, the digits of its public id. */
export const transactionIdOf = (commandId: Uint8Array): Uint8Array => digest16('bank-transaction:', commandId)

/** Public id of a transaction: `tx_` and 32 hex characters. */
export const transactionName = (transactionId: Uint8Array): string => `tx_${hexOf(transactionId)}`

/** Public id of a quote: `q_` and 32 hex characters. */
export const quoteName = (quoteId: Uint8Array): string => `q_${hexOf(quoteId)}`

const NAME = /^(tx|q)_([0-9a-f]{32})$/

/** The bytes behind a public id, or null when the text is none. */
export const idOfName = (prefix: 'tx' | 'q', name: string): Uint8Array | null => {
  const match = NAME.exec(name)
  return match === null || match[1] !== prefix ? null : bytesOfHex(match[2] ?? '')
}

/** Id of the ledger command that takes a step of a transaction; an attempt that was refused is followed by another id. */
export const stepCommandId = (transactionId: Uint8Array, step: string, attempt: number): Uint8Array =>
  digest16(`bank-step:${step}:${attempt}:`, transactionId)
