/** Checks `x-bourse-signature: t=<unix>,v1=<hex hmac-sha256 of "t.body">[,v1=<hex>]`. */
import { createHmac, timingSafeEqual } from 'node:crypto'

const HEADER = /^t=(\d{1,15}),v1=([0-9a-f]{64})(?:,v1=([0-9a-f]{64}))?$/

/**
 * Whether one of the header's signatures is that of the body's bytes under one of the secrets. Every pair is
 * compared, in constant time: how long it takes tells nothing about which was nearly right.
 */
export const isSigned = (header: string, body: Uint8Array, secrets: readonly string[]): boolean => {
  const match = HEADER.exec(header)
  if (match === null) return false
  const [, unixSeconds = '', ...signatures] = match
  let signed = false
  for (const secret of secrets) {
    const expected = createHmac('sha256', secret).update(`${unixSeconds}.`).update(body).digest()
    for (const signature of signatures) {
      if (signature !== undefined && timingSafeEqual(expected, Buffer.from(signature, 'hex'))) signed = true
    }
  }
  return signed
}
