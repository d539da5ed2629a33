import { stringify } from 'csv-stringify/sync'
import type { BankStatement } from '@bourse/bridge/client/types.ts'
import { invalid } from '../http/api-error.ts'

/** Longest range of one statement. */
export const STATEMENT_DAYS_MAX = 366

const DAY_MS = 86_400_000
const ISO = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/
const EPOCH_MS = /^\d{10,14}$/
/** The years that RFC 3339 writes, which answers are in: 0000 up to 9999, in UTC. */
const MOMENT_MS_MIN = Date.parse('0000-01-01T00:00:00.000Z')
const MOMENT_MS_MAX = Date.parse('9999-12-31T23:59:59.999Z')

/** A moment of the query: ISO 8601 (UTC when it names no zone) or epoch ms. @throws {ApiError} */
export const parseMoment = (name: string, text: string): number => {
  if (EPOCH_MS.test(text)) return Number(text)
  const zoned = text.length > 10 && !/(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? `${text}Z` : text
  const atMs = ISO.test(text) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(atMs) || atMs < MOMENT_MS_MIN || atMs > MOMENT_MS_MAX) {
    throw invalid(`${name} "${text}" is not a moment; send 2026-01-31, 2026-01-31T12:00:00Z or epoch milliseconds`)
  }
  return atMs
}

/** The range of a statement, `from` included, `to` (default: now) excluded. @throws {ApiError} */
export const statementRange = (
  from: string,
  to: string | undefined,
  nowMs: number,
): { readonly fromMs: number; readonly toMs: number } => {
  const fromMs = parseMoment('from', from)
  const toMs = to === undefined ? Math.max(nowMs, fromMs + 1) : parseMoment('to', to)
  if (fromMs >= toMs) throw invalid('from must be before to')
  if (toMs - fromMs > STATEMENT_DAYS_MAX * DAY_MS) {
    throw invalid(`a statement covers at most ${STATEMENT_DAYS_MAX} days; ask for a shorter range`)
  }
  return { fromMs, toMs }
}

const moment = (atMs: number): string => new Date(atMs).toISOString()

/** A statement as JSON carries it. */
export const statementFields = (statement: BankStatement) => ({
  from: moment(statement.fromMs),
  to: moment(statement.toMs),
  opening: statement.opening,
  closing: statement.closing,
  spreadEarned: statement.spreadEarned,
  entries: statement.entries.map(
    ({ id, transactionId, accountId, currency, amount, balanceAfter, bankUserId, type, atMs }) => ({
      id,
      transactionId,
      accountId,
      currency,
      amount,
      balanceAfter,
      bankUserId,
      type,
      createdAt: moment(atMs),
    }),
  ),
  asOf: moment(statement.asOfMs),
})

const COLUMNS = [
  'record',
  'createdAt',
  'id',
  'transactionId',
  'accountId',
  'bankUserId',
  'type',
  'currency',
  'amount',
  'balanceAfter',
] as const

/** Spreadsheets run cells that begin like this; a customer's id is the bank's text, so it is defused. */
const plainText = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)

/** A statement as CSV: opening balances, entries, closing balances and spread, told apart by the first column. */
export const statementCsv = (statement: BankStatement): string => {
  const { from, to, opening, closing, spreadEarned, entries } = statementFields(statement)
  const rows = [
    ...opening.map(({ currency, balance }) => ({
      record: 'opening',
      createdAt: from,
      currency,
      balanceAfter: balance,
    })),
    ...entries.map((entry) => ({ record: 'entry', ...entry, bankUserId: plainText(entry.bankUserId) })),
    ...closing.map(({ currency, balance }) => ({ record: 'closing', createdAt: to, currency, balanceAfter: balance })),
    ...spreadEarned.map(({ currency, amount }) => ({ record: 'spread', createdAt: to, currency, amount })),
  ]
  return stringify(rows, { header: true, columns: [...COLUMNS], record_delimiter: 'windows' })
}
