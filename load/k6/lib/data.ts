import { randomBytes } from 'k6/crypto'

/** Made-up people, keys and orders, shared by all scenarios. */

const hex = (bytes: number): string =>
  Array.from(new Uint8Array(randomBytes(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** A random UUID: an idempotency key. */
export const newKey = (): string => {
  const digits = hex(16)
  const variant = ((Number.parseInt(digits[16] ?? '0', 16) & 3) | 8).toString(16)
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20),
  ].join('-')
}

/** Somebody who signs up, never twice the same. */
export const newTrader = (): { readonly email: string; readonly password: string } => ({
  email: `load-${hex(8)}@example.com`,
  password: `load ${hex(12)}`,
})

/** A bank's customer, never twice the same. */
export const newCustomer = (): string => `load_${hex(8)}`

/** A whole number from `low` to `high`. */
export const between = (low: number, high: number): number => low + Math.floor(Math.random() * (high - low + 1))

/** One of a list. */
export const oneOf = <Item>(items: readonly Item[]): Item => {
  const item = items[between(0, items.length - 1)]
  if (item === undefined) throw new Error('there is nothing to choose from')
  return item
}

/** Pairs that the samples serve. */
export const ASSETS = ['BTC_USDC', 'ETH_USDC', 'SOL_USDC'] as const

/** A small order with room before it is liquidated. */
export const newOrder = () => ({
  asset: oneOf(ASSETS),
  direction: oneOf(['LONG', 'SHORT'] as const),
  margin: String(between(5, 50)),
  leverage: between(1, 10),
})
