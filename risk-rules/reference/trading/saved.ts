/** The reference's state as bytes: JSON in which integers, byte strings and maps are marked. */

const marked = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return { integer: value.toString() }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  return value instanceof Map ? { map: [...value] } : value
}

const unmarked = (_key: string, value: unknown): unknown => {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || Object.keys(value).length !== 1)
    return value
  const { integer, bytes, map } = value as { integer?: string; bytes?: string; map?: [unknown, unknown][] }
  if (integer !== undefined) return BigInt(integer)
  if (bytes !== undefined) return new Uint8Array(Buffer.from(bytes, 'hex'))
  return map === undefined ? value : new Map(map)
}

/** Bytes from which `restored` makes an equal value. */
export const saved = (value: unknown): Uint8Array => new Uint8Array(Buffer.from(JSON.stringify(value, marked)))

/** What `saved` was given. Throws on other bytes. */
export const restored = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString('utf8'), unmarked)
