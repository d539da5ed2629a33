/**
 * The fixed header of every outcome, little endian:
 *
 *   0        4      6      8          24
 *   ├ size ──┼ code ┼ kind ┼ id ──────┼ body …
 *     u32      u16    u16    16 bytes
 *
 * `code` is 0 or a number of `errors/codes.ts`; `kind` repeats the command's; `size` is a multiple of 8.
 */
export const OUTCOME_HEADER_BYTES = 24

/** Largest body that is kept with an id and answered again to a repeat. */
export const KEPT_OUTCOME_BODY_BYTES_MAX = 64

/** What an outcome's header says. */
export interface OutcomeHeader {
  readonly code: number
  readonly kind: number
  readonly id: Uint8Array
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Writes an outcome. */
export const encodeOutcome = (header: OutcomeHeader, body: Uint8Array): Uint8Array => {
  const size = (OUTCOME_HEADER_BYTES + body.length + 7) & ~7
  const bytes = new Uint8Array(size)
  const view = viewOf(bytes)
  view.setUint32(0, size, true)
  view.setUint16(4, header.code, true)
  view.setUint16(6, header.kind, true)
  bytes.set(header.id, 8)
  bytes.set(body, OUTCOME_HEADER_BYTES)
  return bytes
}

/** Reads an outcome's header. */
export const decodeOutcomeHeader = (bytes: Uint8Array): OutcomeHeader => {
  const view = viewOf(bytes)
  return { code: view.getUint16(4, true), kind: view.getUint16(6, true), id: bytes.subarray(8, 24) }
}

/** The body, a view into the outcome's bytes (padding included). */
export const outcomeBodyOf = (outcome: Uint8Array): Uint8Array => outcome.subarray(OUTCOME_HEADER_BYTES)

/**
 * The `count` records of `recordBytes` bytes that lie from `at` on in `body`, read one by one. Throws a RangeError when the
 * body does not hold so many, before anything is made for them: the count comes from outside.
 */
export const recordsIn = <Item>(
  body: Uint8Array,
  { at, count, recordBytes }: { readonly at: number; readonly count: number; readonly recordBytes: number },
  read: (view: DataView, at: number) => Item,
): Item[] => {
  if (at + count * recordBytes > body.length)
    throw new RangeError(`${count} records of ${recordBytes} bytes do not lie in ${body.length} bytes`)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  return Array.from({ length: count }, (_, index) => read(view, at + index * recordBytes))
}
