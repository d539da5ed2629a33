import {
  createBinaryReader,
  createBinaryWriter,
  type BinaryReader,
  type BinaryWriter,
} from '@bourse/common/codec/binary.ts'
import { readBankRules, writeBankRules } from '../codec/bank-rules.ts'
import { hexOf } from '../codec/identifiers.ts'
import { decodeTransaction, encodeTransaction } from '../codec/transaction.ts'
import {
  addTransaction,
  BANKS_MAX,
  CUSTOMERS_MAX,
  emptyBank,
  emptyBridgeState,
  EVENTS_WAITING_MAX,
  IN_FLIGHT_MAX,
  QUOTES_MAX,
  REDELIVERIES_MAX,
  REVERSALS_WAITING_MAX,
  TRANSACTIONS_MAX,
  type BankState,
  type BridgeState,
  type Quote,
} from './state.ts'

/*
 * The state as bytes. Every map is written in its own order, which is the order things happened in, and read back in it:
 * equal histories give equal bytes, and a restored state goes on as the one that was saved.
 */

/** Version of the layout; 2: redeliveries. A state without any has the bytes of layout 1, and so the hash that it had. */
export const SCHEMA_VERSION = 2
const WITHOUT_REDELIVERIES = 1
const MAGIC = 0x31474442

const writeRedeliveries = (writer: BinaryWriter, bank: BankState): void => {
  writer.flag(bank.redeliveryRunning)
  writer.list([...bank.redeliveries.values()], ({ id, requestHash, first, through, next, acceptedAt }) => {
    writer.bytes(id).bytes(requestHash).u64(first).u64(through).u64(next).i64(acceptedAt)
  })
}

const readRedeliveries = (reader: BinaryReader, bank: BankState): void => {
  bank.redeliveryRunning = reader.flag()
  reader.list(REDELIVERIES_MAX, () => {
    const id = reader.bytes(16)
    return bank.redeliveries.set(hexOf(id), {
      id,
      requestHash: reader.bytes(16),
      first: reader.u64(),
      through: reader.u64(),
      next: reader.u64(),
      acceptedAt: reader.i64(),
    })
  })
}

const writeBank = (writer: BinaryWriter, bank: BankState, version: number): void => {
  writeBankRules(writer, bank.rules)
  writer.u64(bank.accepted).u32(bank.inFlight).i64(bank.day).i128(bank.dayTotal)
  writer.list([...bank.dayByCustomer], ([customer, amount]) => {
    writer.text(customer).i128(amount)
  })
  writer.list([...bank.customers], (customer) => {
    writer.text(customer)
  })
  writer.list([...bank.totals], ([currency, amount]) => {
    writer.text(currency).i128(amount)
  })
  writer.u64(bank.eventSequence).flag(bank.eventRunning)
  writer.list([...bank.events], ([sequence, event]) => {
    writer.u64(sequence).blob(event)
  })
  writer.flag(bank.reversalRunning)
  writer.list([...bank.reversals.values()], (id) => {
    writer.bytes(id)
  })
  if (version > WITHOUT_REDELIVERIES) writeRedeliveries(writer, bank)
}

const readBank = (reader: BinaryReader, version: number): BankState => {
  const bank = emptyBank(readBankRules(reader))
  bank.accepted = reader.u64()
  bank.inFlight = reader.u32()
  bank.day = reader.i64()
  bank.dayTotal = reader.i128()
  reader.list(CUSTOMERS_MAX, () => bank.dayByCustomer.set(reader.text(), reader.i128()))
  reader.list(CUSTOMERS_MAX, () => bank.customers.add(reader.text()))
  reader.list(256, () => bank.totals.set(reader.text(), reader.i128()))
  bank.eventSequence = reader.u64()
  bank.eventRunning = reader.flag()
  reader.list(EVENTS_WAITING_MAX + IN_FLIGHT_MAX, () => bank.events.set(reader.u64(), reader.blob()))
  bank.reversalRunning = reader.flag()
  reader.list(REVERSALS_WAITING_MAX + IN_FLIGHT_MAX, () => {
    const id = reader.bytes(16)
    return bank.reversals.set(hexOf(id), id)
  })
  if (version > WITHOUT_REDELIVERIES) readRedeliveries(reader, bank)
  return bank
}

const writeQuote = (writer: BinaryWriter, quote: Quote): void => {
  writer
    .bytes(quote.id)
    .text(quote.bank)
    .text(quote.bankUserId)
    .flag(quote.side === 'SELL')
    .i128(quote.amount)
  writer.text(quote.currency).text(quote.symbol).i64(quote.expiresAt).flag(quote.used)
  writer
    .i128(quote.price)
    .i128(quote.tickerPrice)
    .i128(quote.fiatAmount)
    .i128(quote.cryptoAmount)
    .i128(quote.spreadEarned)
}

const readQuote = (reader: BinaryReader): Quote => ({
  id: reader.bytes(16),
  bank: reader.text(),
  bankUserId: reader.text(),
  side: reader.flag() ? 'SELL' : 'BUY',
  amount: reader.i128(),
  currency: reader.text(),
  symbol: reader.text(),
  expiresAt: reader.i64(),
  used: reader.flag(),
  price: reader.i128(),
  tickerPrice: reader.i128(),
  fiatAmount: reader.i128(),
  cryptoAmount: reader.i128(),
  spreadEarned: reader.i128(),
})

/** The whole state as bytes. */
export const encodeState = (state: BridgeState): Uint8Array => {
  const banks = [...state.banks.values()]
  const version = banks.some(({ redeliveries }) => redeliveries.size > 0) ? SCHEMA_VERSION : WITHOUT_REDELIVERIES
  const writer = createBinaryWriter(65_536).u32(MAGIC).u32(version)
  writer.list(banks, (bank) => {
    writeBank(writer, bank, version)
  })
  writer.list([...state.transactions.values()], (transaction) => {
    writer.blob(encodeTransaction(transaction))
  })
  writer.list([...state.ended], (hex) => {
    writer.text(hex)
  })
  writer.list([...state.quotes.values()], (quote) => {
    writeQuote(writer, quote)
  })
  return writer.finish()
}

/** The state of such bytes. Throws on bytes that are no state of a known version. */
export const decodeState = (bytes: Uint8Array): BridgeState => {
  const reader = createBinaryReader(bytes)
  if (reader.u32() !== MAGIC) throw new RangeError('not a snapshot of the bridge')
  const version = reader.u32()
  if (version < WITHOUT_REDELIVERIES || version > SCHEMA_VERSION)
    throw new RangeError(`snapshot version ${version} is unknown`)
  const state = emptyBridgeState()
  reader.list(BANKS_MAX, () => {
    const bank = readBank(reader, version)
    return state.banks.set(bank.rules.name, bank)
  })
  reader.list(TRANSACTIONS_MAX, () => addTransaction(state, decodeTransaction(reader.blob())))
  reader.list(TRANSACTIONS_MAX, () => state.ended.add(reader.text()))
  reader.list(QUOTES_MAX, () => {
    const quote = readQuote(reader)
    return state.quotes.set(hexOf(quote.id), quote)
  })
  reader.end()
  return state
}
