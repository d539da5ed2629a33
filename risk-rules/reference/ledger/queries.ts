/** Answers to questions (`src/ledger/queries.ts`) from the reference's state. */
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { bodyOf, decodeHeader } from '@bourse/common/kernel/command.ts'
import { encodeOutcome } from '@bourse/common/kernel/outcome.ts'
import { setInt128 } from '../../src/ledger/codec.ts'
import { ledgerQueries, PAGE_LIMIT_MAX } from '../../src/ledger/queries.ts'
import { sameBytes } from '../id-table.ts'
import type { ReferenceIdTable } from '../id-table.ts'
import type { Account, LedgerState } from './state.ts'

type Fill = (bytes: Uint8Array, view: DataView) => void

const record = (size: number, fill: Fill): Uint8Array => {
  const bytes = new Uint8Array(size)
  fill(bytes, new DataView(bytes.buffer))
  return bytes
}

const listBody = (records: readonly Uint8Array[]): Uint8Array => {
  const count = record(8, (_, view) => view.setUint32(0, records.length, true))
  return new Uint8Array(Buffer.concat([count, ...records]))
}

const balances = (state: LedgerState, owner: Uint8Array): Uint8Array[] =>
  [...state.accounts.values()]
    .filter(({ key }) => sameBytes(key.owner, owner))
    .map((account) =>
      record(64, (_, view) => {
        view.setBigUint64(0, account.key.currency, true)
        view.setUint32(8, account.key.kind, true)
        setInt128(view, 16, account.balance)
        setInt128(view, 32, account.locked)
        view.setBigUint64(48, account.version, true)
      }),
    )

const sums = (state: LedgerState): Uint8Array[] => {
  const groups = new Map<string, Account[]>()
  for (const account of state.accounts.values()) {
    const name = `${account.key.currency}/${account.key.kind}`
    groups.set(name, [...(groups.get(name) ?? []), account])
  }
  return [...groups.values()].map((accounts) =>
    record(48, (_, view) => {
      view.setBigUint64(0, accounts[0]!.key.currency, true)
      view.setUint32(8, accounts[0]!.key.kind, true)
      view.setUint32(12, accounts.length, true)
      setInt128(
        view,
        16,
        accounts.reduce((sum, { balance }) => sum + balance, 0n),
      )
      setInt128(
        view,
        32,
        accounts.reduce((sum, { locked }) => sum + locked, 0n),
      )
    }),
  )
}

const holds = (state: LedgerState, afterSlot: number, limit: number): Uint8Array[] =>
  state.holdSlots
    .map((hold, slot) => ({ hold, slot }))
    .slice(afterSlot)
    .flatMap(({ hold, slot }) => {
      if (hold === null) return []
      const { key } = state.accounts.get(hold.account)!
      return record(64, (bytes, view) => {
        bytes.set(hold.id)
        view.setUint32(16, hold.index, true)
        view.setUint32(20, slot + 1, true)
        bytes.set(key.owner, 24)
        view.setBigUint64(40, key.currency, true)
        setInt128(view, 48, hold.amount)
      })
    })
    .slice(0, limit)

const accounts = (state: LedgerState, afterSlot: number, limit: number): Uint8Array[] =>
  [...state.accounts.values()]
    .map(({ key, balance, locked, version }, slot) =>
      record(72, (bytes, view) => {
        bytes.set(key.owner)
        view.setBigUint64(16, key.currency, true)
        view.setUint32(24, key.kind, true)
        view.setUint32(28, slot + 1, true)
        setInt128(view, 32, balance)
        setInt128(view, 48, locked)
        view.setBigUint64(64, version, true)
      }),
    )
    .slice(afterSlot, afterSlot + limit)

const outcomeOf = (ids: ReferenceIdTable, id: Uint8Array, requestHash: Uint8Array): Uint8Array => {
  const entry = ids.find(id)
  if (entry !== undefined && sameBytes(entry.requestHash, requestHash)) {
    return encodeOutcome({ code: entry.code, kind: entry.kind, id }, entry.body)
  }
  const code: OutcomeCode = entry === undefined ? 'NOT_FOUND' : 'IDEMPOTENCY_CONFLICT'
  return encodeOutcome({ code: refusalNumbers[code], kind: ledgerQueries.OUTCOME_OF, id }, new Uint8Array(0))
}

/** The answer to a question that is a whole command. */
export const answerQuestion = (state: LedgerState, ids: ReferenceIdTable, question: Uint8Array): Uint8Array => {
  const { kind, id } = decodeHeader(question)
  const body = bodyOf(question)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const list = (records: readonly Uint8Array[]): Uint8Array =>
    encodeOutcome({ code: refusalNumbers.OK, kind, id }, listBody(records))
  const limit = (): number => Math.min(view.getUint32(4, true), PAGE_LIMIT_MAX)
  if (kind === ledgerQueries.BALANCES && body.length === 16) return list(balances(state, body))
  if (kind === ledgerQueries.SUMS && body.length === 0) return list(sums(state))
  if (kind === ledgerQueries.HOLDS && body.length === 8) return list(holds(state, view.getUint32(0, true), limit()))
  if (kind === ledgerQueries.ACCOUNTS && body.length === 8)
    return list(accounts(state, view.getUint32(0, true), limit()))
  if (kind === ledgerQueries.OUTCOME_OF && body.length === 32) {
    return outcomeOf(ids, body.subarray(0, 16), body.subarray(16))
  }
  return encodeOutcome({ code: refusalNumbers.INVALID_COMMAND, kind, id }, new Uint8Array(0))
}
