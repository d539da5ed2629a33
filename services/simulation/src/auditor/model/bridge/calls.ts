import { decodeCall } from '@bourse/bridge/codec/calls.ts'
import { partitionName } from '@bourse/common/kernel/partition.ts'
import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import { unitsOf } from '../../arithmetic/rational.ts'
import { hex } from '../../evidence/bytes.ts'
import { differences } from '../differences.ts'
import type { BankLife } from './book.ts'
import type { Desk } from './desk.ts'

const STATEMENT = 'bank-saga'

/** How long an order may be on its way, ms. */
const ORDER_VALID_MS = 5_000n

/** What a call asks of the bank or the exchange, and what it must ask for its transaction. */
const askedAndDue = (
  call: ReturnType<typeof decodeCall>,
  life: BankLife,
  now: bigint,
): readonly [asked: Readonly<Record<string, unknown>>, due: Readonly<Record<string, unknown>>] => {
  const { customer: bankUserId, type, symbol, fiat, fiatCurrency, crypto, cryptoCurrency } = life
  if (call.kind === 'authorize') {
    const [amount, currency] = type === 'BUY' ? [fiat, fiatCurrency] : [crypto, cryptoCurrency]
    return [
      { ...call, amount: unitsOf(call.amount) },
      { bankUserId, type, amount, currency },
    ]
  }
  if (call.kind === 'order')
    return [
      { ...call, quantity: unitsOf(call.quantity) },
      { symbol, side: type, quantity: crypto, validUntil: now + ORDER_VALID_MS },
    ]
  return [{}, {}]
}

/**
 * A call to the outside is one that its transaction makes at its stage, with the transaction's own values. Webhooks,
 * the first time and again, are judged by what the bank got.
 */
export const checkCall = (
  { partition, transactions, complain }: Desk,
  { sequence, now }: JournalRecord,
  bytes: Uint8Array,
): void => {
  const call = decodeCall(bytes)
  if (call.kind === 'webhook' || call.kind === 'redeliver') return
  const where = `the ${call.kind} call of record ${sequence} in ${partitionName(partition)}`
  const life = transactions.get(hex(call.transactionId))
  if (life === undefined) return complain(STATEMENT, `${where} is about no transaction`)
  const wrong = differences(...askedAndDue(call, life, now))
  if (wrong !== '') complain(STATEMENT, `${where}: ${wrong}`)
  if (call.kind === 'order' && !life.isAcknowledged)
    complain(STATEMENT, `${where} is made before the bank has acknowledged`)
  if (call.kind === 'reverse' && life.stage !== 'failed' && life.stage !== 'releasing')
    complain(STATEMENT, `${where} takes back a transaction that is ${life.stage}`)
}
