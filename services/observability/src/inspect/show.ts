import { formatAmount } from '@bourse/common/money/amount.ts'

/** A decoded value as people and JSON readers get it: amounts are decimal strings, moments ISO, ids hex. */
export type Shown = string | number | boolean | null | readonly Shown[] | { readonly [name: string]: Shown }

/** Fields that count or number something. */
const NUMBERS = new Set([
  'tradeNumber',
  'number',
  'ledgerNumber',
  'transactionNumber',
  'sequence',
  'eventSequence',
  'instants',
  'first',
  'through',
])
/** Fields that are moments, in ms; 0 is none. */
const MOMENTS = new Set([
  'quoteTime',
  'dueTime',
  'openedAt',
  'closedAt',
  'updatedAt',
  'nextFunding',
  'createdAt',
  'retryAt',
  'finishedAt',
  'expiresAt',
  'validUntil',
])
/** Fields that are durations in ms. */
const DURATIONS = new Set(['maxAgeMs'])

/** A moment of a record, ISO. */
export const moment = (ms: bigint): string => new Date(Number(ms)).toISOString()

/** Bytes as hex; an id of nothing but zeros is none. */
export const hexOrNull = (bytes: Uint8Array): string | null =>
  bytes.every((byte) => byte === 0)
    ? null
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')

const number = (name: string, value: bigint): Shown => {
  if (NUMBERS.has(name) || DURATIONS.has(name)) return String(value)
  if (MOMENTS.has(name)) return value === 0n ? null : moment(value)
  return formatAmount(value)
}

/** Shows a decoded value by its name: integers are units of 1e-8 unless the name says otherwise. */
export const show = (name: string, value: unknown): Shown => {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return number(name, value)
  if (value instanceof Uint8Array) return hexOrNull(value)
  if (Array.isArray(value)) return value.map((item) => show(name, item))
  if (typeof value === 'object') return showFields(value)
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value)
}

/** Shows every field of a decoded record. */
export const showFields = (record: object): { readonly [name: string]: Shown } =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, show(name, value)]))
