/**
 * Reads a request's body with a bound, keeping its bytes: a signature is over the bytes, not over what they
 * mean.
 */
import type { IncomingMessage } from 'node:http'

/** Largest body a simulator reads, in bytes. */
export const BODY_BYTES_MAX = 65_536
/**
 * Of a larger body this much is read and thrown away, so that its sender gets to see the refusal; then it is
 * cut.
 */
const DISCARDED_BYTES_MAX = 16 * BODY_BYTES_MAX

/** A body that was read, or why it was not. */
export type ReadBody =
  | { readonly ok: true; readonly bytes: Buffer; readonly value: unknown }
  | { readonly ok: false; readonly status: 400 | 413; readonly code: string; readonly message: string }

const tooLarge: ReadBody = {
  ok: false,
  status: 413,
  code: 'BODY_TOO_LARGE',
  message: `the body has more than ${BODY_BYTES_MAX} bytes`,
}

/**
 * Reads the whole body as UTF-8 JSON; keeps no more than `BODY_BYTES_MAX` of it.
 * @throws when the client leaves before it has sent everything
 */
export const readJsonBody = async (request: IncomingMessage): Promise<ReadBody> => {
  const chunks: Buffer[] = []
  let lengthBytes = 0
  // Leaving the loop early must not destroy the request: the refusal goes out on the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    lengthBytes += chunk.length
    if (lengthBytes > DISCARDED_BYTES_MAX) return tooLarge
    if (lengthBytes <= BODY_BYTES_MAX) chunks.push(chunk)
  }
  if (lengthBytes > BODY_BYTES_MAX) return tooLarge
  const bytes = Buffer.concat(chunks)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { ok: true, bytes, value: JSON.parse(text) as unknown }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ok: false, status: 400, code: 'MALFORMED_JSON', message: `the body is not JSON: ${reason}` }
  }
}
