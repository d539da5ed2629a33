import { isDeepStrictEqual } from 'node:util'

/** Whether two values are the same JSON, whatever the order of their fields; what JSON leaves out does not count. */
export const isSameJson = (left: unknown, right: unknown): boolean => {
  const plain = (value: unknown): unknown => (value === undefined ? null : JSON.parse(JSON.stringify(value)))
  return isDeepStrictEqual(plain(left), plain(right))
}
