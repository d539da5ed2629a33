import { codeOfNumber } from '@bourse/common/errors/codes.ts'
import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { encodeCommand } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader, outcomeBodyOf, recordsIn } from '@bourse/common/kernel/outcome.ts'
import { accountKindOfNumber, currencyCode } from './accounts.ts'
import type { AccountKey, AccountKind } from './accounts.ts'
import { getInt128 } from './codec.ts'
import type { HoldId } from './codec.ts'
import { decodeLedgerOutcome } from './outcomes.ts'
import type { LedgerOutcome } from './outcomes.ts'

/**
 * Questions to a ledger. Each is a command (header and body); its answer is an outcome with the question's
 * kind and id:
 *
 * BALANCES    body: owner 16                      answer: list of 64   currency u64 | kind u32 | zero u32 | balance i128
 *                                                                      | locked i128 | version u64 | zero u64
 * SUMS        no body                             answer: list of 48   currency u64 | kind u32 | accounts u32
 *                                                                      | balance i128 | locked i128
 * HOLDS       body: afterSlot u32, limit u32      answer: list of 64   id 16 | index u32 | slot u32 | owner 16
 *                                                                      | currency u64 | amount i128
 * OUTCOME_OF  body: id 16, requestHash 16         answer: the first outcome itself (kind of its command), or
 *                                                 IDEMPOTENCY_CONFLICT or NOT_FOUND with kind 203
 * ACCOUNTS    body: afterSlot u32, limit u32      answer: list of 72   owner 16 | currency u64 | kind u32 | slot u32
 *                                                                      | balance i128 | locked i128 | version u64
 *
 * A list is `u32 n | u32 zero` and n records. Slots count from 1: the first page is after slot 0, the next after the
 * last slot of the page before; a page with fewer than `limit` (at most 4,096) is the last.
 */
export const ledgerQueries = { BALANCES: 200, SUMS: 201, HOLDS: 202, OUTCOME_OF: 203, ACCOUNTS: 204 } as const

/** Records a page has at most. */
export const PAGE_LIMIT_MAX = 4_096
/** Accounts an owner has at most in a partition, so that all fit an answer. */
export const ACCOUNTS_PER_OWNER_MAX = 256
/** Bytes of one record in the answer to each kind of question. */
export const ANSWER_RECORD_BYTES = { BALANCES: 64, SUMS: 48, HOLDS: 64, ACCOUNTS: 72 } as const

const LIST_BYTES = 8

/** One account's money. available = balance − locked. */
export interface Balance {
  readonly currency: string
  readonly kind: AccountKind
  readonly balance: bigint
  readonly locked: bigint
  /** Goes up by one with each instruction that touched the account. */
  readonly version: bigint
}

/** Money of all accounts of a kind in a currency. */
export interface Sum {
  readonly currency: string
  readonly kind: AccountKind
  readonly accounts: number
  readonly balance: bigint
  readonly locked: bigint
}

/** An open hold. */
export interface OpenHold extends HoldId {
  readonly slot: number
  readonly owner: Uint8Array
  readonly currency: string
  readonly amount: bigint
}

/** An account with its slot. */
export interface AccountRecord extends AccountKey, Balance {
  readonly slot: number
  readonly currency: string
  readonly kind: AccountKind
}

const pageBody = (afterSlot: number, limit: number): Uint8Array => {
  const body = new Uint8Array(8)
  const view = new DataView(body.buffer)
  view.setUint32(0, afterSlot, true)
  view.setUint32(4, limit, true)
  return body
}

const question = (kind: number, body: Uint8Array): Uint8Array => encodeCommand({ kind }, body)

/** Asks for all accounts of an owner (16 bytes). */
export const balancesQuestion = (owner: Uint8Array): Uint8Array => question(ledgerQueries.BALANCES, owner)
/** Asks for the sums per currency and kind: every currency's balances add up to zero. Walks all accounts. */
export const sumsQuestion = (): Uint8Array => question(ledgerQueries.SUMS, new Uint8Array(0))
/** Asks for a page of open holds. */
export const holdsQuestion = (afterSlot: number, limit: number): Uint8Array =>
  question(ledgerQueries.HOLDS, pageBody(afterSlot, limit))
/** Asks for a page of accounts. */
export const accountsQuestion = (afterSlot: number, limit: number): Uint8Array =>
  question(ledgerQueries.ACCOUNTS, pageBody(afterSlot, limit))
/** Asks what the first command with this id and request hash (16 bytes each) came to. */
export const outcomeOfQuestion = (id: Uint8Array, requestHash: Uint8Array): Uint8Array => {
  const body = new Uint8Array(32)
  body.set(id)
  body.set(requestHash, 16)
  return question(ledgerQueries.OUTCOME_OF, body)
}

type Read<Item> = (bytes: Uint8Array, view: DataView, at: number) => Item

const listOf = <Item>(answer: Uint8Array, recordBytes: number, read: Read<Item>): Item[] => {
  const code = codeOfNumber(decodeOutcomeHeader(answer).code)
  if (code !== 'OK') throw new Error(`the ledger answered a question with ${code}`)
  const body = outcomeBodyOf(answer)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const place = { at: LIST_BYTES, count: view.getUint32(0, true), recordBytes }
  return recordsIn(body, place, (inBody, at) => read(body, inBody, at))
}

/** Reads the answer to BALANCES: in order of creation, empty for an unknown owner. */
export const decodeBalances = (answer: Uint8Array): Balance[] =>
  listOf(answer, ANSWER_RECORD_BYTES.BALANCES, (_, view, at) => ({
    currency: currencyCode(view.getBigUint64(at, true)),
    kind: accountKindOfNumber(view.getUint32(at + 8, true)),
    balance: getInt128(view, at + 16),
    locked: getInt128(view, at + 32),
    version: view.getBigUint64(at + 48, true),
  }))

/** Reads the answer to SUMS. */
export const decodeSums = (answer: Uint8Array): Sum[] =>
  listOf(answer, ANSWER_RECORD_BYTES.SUMS, (_, view, at) => ({
    currency: currencyCode(view.getBigUint64(at, true)),
    kind: accountKindOfNumber(view.getUint32(at + 8, true)),
    accounts: view.getUint32(at + 12, true),
    balance: getInt128(view, at + 16),
    locked: getInt128(view, at + 32),
  }))

/** Reads the answer to HOLDS. */
export const decodeHolds = (answer: Uint8Array): OpenHold[] =>
  listOf(answer, ANSWER_RECORD_BYTES.HOLDS, (bytes, view, at) => ({
    id: bytes.slice(at, at + 16),
    index: view.getUint32(at + 16, true),
    slot: view.getUint32(at + 20, true),
    owner: bytes.slice(at + 24, at + 40),
    currency: currencyCode(view.getBigUint64(at + 40, true)),
    amount: getInt128(view, at + 48),
  }))

/** Reads the answer to ACCOUNTS. */
export const decodeAccounts = (answer: Uint8Array): AccountRecord[] =>
  listOf(answer, ANSWER_RECORD_BYTES.ACCOUNTS, (bytes, view, at) => ({
    owner: bytes.slice(at, at + 16),
    currency: currencyCode(view.getBigUint64(at + 16, true)),
    kind: accountKindOfNumber(view.getUint32(at + 24, true)),
    slot: view.getUint32(at + 28, true),
    balance: getInt128(view, at + 32),
    locked: getInt128(view, at + 48),
    version: view.getBigUint64(at + 64, true),
  }))

/** How many holds a page of HOLDS has, and the slot of its last, 0 when it has none: enough to count them. */
export const holdsPageOf = (answer: Uint8Array): { readonly count: number; readonly lastSlot: number } => {
  const slots = listOf(answer, ANSWER_RECORD_BYTES.HOLDS, (_, view, at) => view.getUint32(at + 20, true))
  return { count: slots.length, lastSlot: slots.at(-1) ?? 0 }
}

/** What the ledger knows of an id. */
export type KnownOutcome =
  | { readonly known: true; readonly outcome: LedgerOutcome }
  | { readonly known: false; readonly code: Extract<OutcomeCode, 'NOT_FOUND' | 'IDEMPOTENCY_CONFLICT'> }

/** Reads the answer to OUTCOME_OF. */
export const decodeOutcomeOf = (answer: Uint8Array): KnownOutcome => {
  const outcome = decodeLedgerOutcome(answer)
  if (outcome.kind !== ledgerQueries.OUTCOME_OF) return { known: true, outcome }
  const { code } = outcome
  if (code === 'NOT_FOUND' || code === 'IDEMPOTENCY_CONFLICT') return { known: false, code }
  throw new Error(`the ledger answered a question with ${code}`)
}
