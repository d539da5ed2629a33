import type { MoveCommand, TradeCommand } from '@bourse/bridge/codec/commands.ts'
import type { Reply } from '@bourse/bridge/codec/reply.ts'
import type { Transaction } from '@bourse/bridge/codec/transaction.ts'
import { createHash } from 'node:crypto'
import { hex } from '../../evidence/bytes.ts'
import type { Entry } from '../../evidence/journals.ts'
import { WINDOW_MS } from '../memory.ts'
import type { Acceptance } from './acceptance.ts'
import type { BankLife } from './book.ts'
import type { Desk } from './desk.ts'

/** The id of the transaction that a command begins, in hex. */
const transactionIdOf = (commandId: Uint8Array): string =>
  createHash('sha256').update('bank-transaction:').update(commandId).digest('hex').slice(0, 32)

/** The part of a transaction that nobody has touched yet. */
const untouched = {
  code: 'OK',
  isAuthorizationCalled: false,
  isAcknowledged: false,
  executedPrice: 0n,
  executedQuantity: 0n,
  eventSequence: 0n,
  finishedAt: 0n,
  finishedIn: 0n,
  ledgerNumber: 0n,
  balancesAfter: [],
  told: null,
} as const

/** Begins a transaction: of a trade with what its acceptance found, of a deposit or withdrawal without. */
export const begin = (
  { banks, transactions, refused }: Desk,
  entry: Entry,
  command: TradeCommand | MoveCommand,
  type: Transaction['type'],
  acceptance: Acceptance | null,
): BankLife => {
  const isMove = acceptance === null
  const deal = acceptance?.deal ?? null
  const pair = acceptance?.pair ?? null
  const isFiat = isMove || type === 'BUY'
  const limitCurrency = banks.get(command.bank)?.rules.limitCurrency
  const life: BankLife = {
    ...untouched,
    id: transactionIdOf(entry.header.id),
    commandId: entry.id ?? '',
    requestHash: hex(entry.header.requestHash),
    bank: command.bank,
    customer: command.bankUserId,
    key: command.idempotencyKey,
    type,
    symbol: pair?.symbol ?? '',
    fiatCurrency: pair?.quoteAsset ?? command.currency,
    cryptoCurrency: pair?.baseAsset ?? '',
    fiat: deal?.fiat ?? (isFiat ? command.amount : 0n),
    crypto: deal?.crypto ?? (isFiat ? 0n : command.amount),
    price: deal?.price ?? 0n,
    ticker: deal === null ? 0n : (acceptance?.ticker ?? 0n),
    spread: deal?.spread ?? 0n,
    quoteName: 'quoteName' in command ? command.quoteName : '',
    reference: 'reference' in command ? command.reference : '',
    createdAt: entry.now,
    reserved: deal !== null && pair?.quoteAsset === limitCurrency ? deal.fiat : 0n,
    startedIn: entry.sequence,
    wasRefused: refused.has(entry.id ?? ''),
    stage: isMove ? 'moving' : 'holding',
  }
  transactions.set(life.id, life)
  return life
}

/** True when the command's id is known: what is told then is judged here. */
export const isRepeat = ({ transactions, complain, where }: Desk, entry: Entry, reply: Reply): boolean => {
  const known = transactions.get(transactionIdOf(entry.header.id))
  if (known === undefined) return false
  if (reply.transactions.length > 0) {
    complain(
      'one-outcome',
      `${where(entry)} executes bank transaction ${known.id} again; it began in record ${known.startedIn}`,
    )
    return true
  }
  const isForgotten = known.finishedAt !== 0n && entry.now - known.finishedAt >= WINDOW_MS
  const expected = known.requestHash === hex(entry.header.requestHash) ? 'OK' : 'IDEMPOTENCY_CONFLICT'
  if (reply.code !== expected && !isForgotten && reply.code !== 'ENGINE_FAULT')
    complain('one-outcome', `${where(entry)}: a repeat of ${known.id} is told ${reply.code}, not ${expected}`)
  return true
}
