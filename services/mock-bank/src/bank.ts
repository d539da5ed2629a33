/** What the mock bank does: authorizations, reversals and events, all of it on the store's database. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { answer, refusal, type Answer } from '@bourse/common/simulator/call.ts'
import type { Counted, RuleList } from '@bourse/common/simulator/controlState.ts'

/** Transactions kept, and events kept; further ones are refused `RECORD_LIMIT_REACHED`. */
export const RECORDS_MAX = 1_000_000

/** Tables of the bank. `approved` is null for a transaction that is only known by its reversal. */
export const BANK_SCHEMA = `
  CREATE TABLE IF NOT EXISTS transactions (
    number INTEGER PRIMARY KEY, transactionId TEXT NOT NULL UNIQUE, bankUserId TEXT, type TEXT, amount TEXT,
    currency TEXT, approved INTEGER, authorizedAt INTEGER, authorizations INTEGER NOT NULL DEFAULT 0,
    reversedAt INTEGER, reversals INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    receipt INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sequence INTEGER NOT NULL, type TEXT NOT NULL,
    content TEXT NOT NULL, receivedAt INTEGER NOT NULL, duplicates INTEGER NOT NULL DEFAULT 0) STRICT;`

/** Body of an authorization; `amount` is a decimal string. */
export interface Authorization {
  readonly transactionId: string
  readonly bankUserId: string
  readonly type: 'BUY' | 'SELL'
  readonly amount: string
  readonly currency: string
}

/** An event as Bourse sends it. */
export interface BankEvent {
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly createdAt: string | number
  readonly data: object
}

/** Whom the bank says no to; exactly one of both is there. */
export interface DeclineRule extends Counted {
  readonly bankUserId?: string
  readonly transactionId?: string
}

/** The bank. Everything runs inside a transaction of the store. */
export interface Bank {
  /**
   * `{acknowledged}`. The first decision on a transaction is repeated; a reversed one is declined. `refused`:
   * decline.
   */
  authorize(authorization: Authorization, nowMs: number, refused: boolean): Answer
  /** `{acknowledged: true}`, also for a transaction never heard of. */
  reverse(transactionId: string, nowMs: number): Answer
  /** Keeps an event once per id and counts its repeats; the same id with another content is a 409. */
  receive(event: BankEvent, nowMs: number): Answer
  /** One transaction, or 404. */
  transaction(transactionId: string): Answer
  /** Events with a receipt number above `after`, in order of receipt. */
  events(after: number, limit: number): Answer
}

const matches = (rule: DeclineRule, { bankUserId, transactionId }: Authorization): boolean =>
  rule.bankUserId === bankUserId || rule.transactionId === transactionId

const isSameAuthorization = (row: Record<string, SQLOutputValue>, told: Authorization): boolean =>
  row['bankUserId'] === told.bankUserId &&
  row['type'] === told.type &&
  row['currency'] === told.currency &&
  parseAmount(String(row['amount'])) === parseAmount(told.amount)

const stateOf = (row: Record<string, SQLOutputValue>): 'REVERSED' | 'AUTHORIZED' | 'DECLINED' =>
  row['reversedAt'] !== null ? 'REVERSED' : row['approved'] === 1 ? 'AUTHORIZED' : 'DECLINED'

const limitReached = refusal(503, 'RECORD_LIMIT_REACHED', `${RECORDS_MAX} records are kept; start a new bank`)

const createTransactions = (
  database: DatabaseSync,
  declines: RuleList<DeclineRule>,
): Pick<Bank, 'authorize' | 'reverse' | 'transaction'> => {
  const select = database.prepare('SELECT * FROM transactions WHERE transactionId = ?')
  const selectNewest = database.prepare('SELECT coalesce(max(number), 0) AS number FROM transactions')
  const insert = database.prepare('INSERT INTO transactions (transactionId) VALUES (?)')
  const decide = database.prepare(`
    UPDATE transactions SET bankUserId = ?, type = ?, amount = ?, currency = ?, approved = ?, authorizedAt = ?
    WHERE transactionId = ?`)
  const countAuthorization = database.prepare(
    'UPDATE transactions SET authorizations = authorizations + 1 WHERE transactionId = ?',
  )
  const countReversal = database.prepare(`
    UPDATE transactions SET reversals = reversals + 1, reversedAt = coalesce(reversedAt, ?)
    WHERE transactionId = ?`)

  const isFull = (): boolean => Number(selectNewest.get()?.['number']) >= RECORDS_MAX

  const authorize = (told: Authorization, nowMs: number, refused: boolean): Answer => {
    const { transactionId, bankUserId, type, amount, currency } = told
    const known = select.get(transactionId)
    if (known === undefined) {
      if (isFull()) return limitReached
      insert.run(transactionId)
    } else if (known['approved'] !== null && !isSameAuthorization(known, told)) {
      return refusal(409, 'TRANSACTION_ID_REUSED', `${transactionId} was used for another authorization`)
    }
    countAuthorization.run(transactionId)
    if (known === undefined || known['approved'] === null) {
      const declined = refused || declines.take((rule) => matches(rule, told)) !== undefined
      decide.run(bankUserId, type, amount, currency, declined ? 0 : 1, nowMs, transactionId)
    }
    // A reversal that overtook its authorization stands: reversed is not authorized, whatever was decided.
    const row = select.get(transactionId)
    return answer(200, { acknowledged: row !== undefined && stateOf(row) === 'AUTHORIZED' })
  }

  const reverse = (transactionId: string, nowMs: number): Answer => {
    if (select.get(transactionId) === undefined) {
      if (isFull()) return limitReached
      insert.run(transactionId)
    }
    countReversal.run(nowMs, transactionId)
    return answer(200, { acknowledged: true })
  }

  const transaction = (transactionId: string): Answer => {
    const row = select.get(transactionId)
    if (row === undefined) return refusal(404, 'TRANSACTION_NOT_FOUND', `no transaction ${transactionId}`)
    return answer(200, {
      transactionId,
      state: stateOf(row),
      bankUserId: row['bankUserId'],
      type: row['type'],
      amount: row['amount'],
      currency: row['currency'],
      authorizedAt: row['authorizedAt'],
      authorizations: row['authorizations'],
      reversedAt: row['reversedAt'],
      reversals: row['reversals'],
    })
  }

  return { authorize, reverse, transaction }
}

const createEvents = (database: DatabaseSync): Pick<Bank, 'receive' | 'events'> => {
  const select = database.prepare('SELECT * FROM events WHERE id = ?')
  const selectPage = database.prepare('SELECT * FROM events WHERE receipt > ? ORDER BY receipt LIMIT ?')
  const selectNewest = database.prepare('SELECT coalesce(max(receipt), 0) AS receipt FROM events')
  const insert = database.prepare('INSERT INTO events (id, sequence, type, content, receivedAt) VALUES (?, ?, ?, ?, ?)')
  const countDuplicate = database.prepare('UPDATE events SET duplicates = duplicates + 1 WHERE id = ?')

  const receive = (event: BankEvent, nowMs: number): Answer => {
    const content = JSON.stringify({ createdAt: event.createdAt, data: event.data })
    const known = select.get(event.id)
    if (known === undefined) {
      if (Number(selectNewest.get()?.['receipt']) >= RECORDS_MAX) return limitReached
      insert.run(event.id, event.sequence, event.type, content, nowMs)
    } else {
      const isSame = known['sequence'] === event.sequence && known['type'] === event.type
      if (!isSame || known['content'] !== content) {
        return refusal(409, 'EVENT_ID_REUSED', `event ${event.id} came before with another content`)
      }
      countDuplicate.run(event.id)
    }
    return answer(200, { acknowledged: true })
  }

  const events = (after: number, limit: number): Answer =>
    answer(
      200,
      selectPage.all(after, limit).map((row) => ({
        receipt: row['receipt'],
        sequence: row['sequence'],
        id: row['id'],
        type: row['type'],
        ...(JSON.parse(String(row['content'])) as object),
        receivedAt: row['receivedAt'],
        duplicates: row['duplicates'],
      })),
    )

  return { receive, events }
}

/** Makes the bank on a database that has `BANK_SCHEMA`. */
export const createBank = (database: DatabaseSync, declines: RuleList<DeclineRule>): Bank => ({
  ...createTransactions(database, declines),
  ...createEvents(database),
})
