/** The state of the reference ledger: plain objects in arrays, with Maps to find them. */
import type { ReadKey } from './instruction.ts'

/** An account. */
export interface Account {
  readonly key: ReadKey
  readonly balance: bigint
  readonly locked: bigint
  readonly version: bigint
}

/** An open hold. */
export interface Hold {
  readonly id: Uint8Array
  readonly index: number
  readonly text: string
  /** `text` of the account's key. */
  readonly account: string
  readonly amount: bigint
}

/**
 * All but the ids. Accounts are in order of creation; a closed hold's slot is null and waits in `freeSlots`,
 * last in, first out.
 */
export interface LedgerState {
  readonly accounts: Map<string, Account>
  readonly holdSlots: (Hold | null)[]
  readonly freeSlots: number[]
  readonly holds: Map<string, number>
  transactions: bigint
}

/** An empty state. */
export const createState = (): LedgerState => ({
  accounts: new Map(),
  holdSlots: [],
  freeSlots: [],
  holds: new Map(),
  transactions: 0n,
})

/** The open hold with this name. */
export const holdNamed = (state: LedgerState, text: string): Hold | undefined => {
  const slot = state.holds.get(text)
  return slot === undefined ? undefined : (state.holdSlots[slot] ?? undefined)
}

/** Opens a hold. */
export const openHold = (state: LedgerState, hold: Hold): void => {
  const slot = state.freeSlots.pop() ?? state.holdSlots.length
  state.holdSlots[slot] = hold
  state.holds.set(hold.text, slot)
}

/** Closes an open hold. */
export const closeHold = (state: LedgerState, text: string): void => {
  const slot = state.holds.get(text)
  if (slot === undefined) throw new Error(`hold ${text} is not open`)
  state.holdSlots[slot] = null
  state.holds.delete(text)
  state.freeSlots.push(slot)
}

const withBigints = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return { bigint: value.toString() }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  return value
}

const fromText = (_key: string, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if ('bigint' in value && typeof value.bigint === 'string') return BigInt(value.bigint)
  if ('bytes' in value && typeof value.bytes === 'string') return new Uint8Array(Buffer.from(value.bytes, 'hex'))
  return value
}

/** Any plain value with bigints and bytes, as JSON text in bytes. */
export const toBytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value, withBigints))
/** Reads what `toBytes` wrote. */
export const fromBytes = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes), fromText)
