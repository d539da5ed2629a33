import {
  partitionIndexOf,
  partitionName,
  partitionNumber,
  type PartitionNumber,
} from '@bourse/common/kernel/partition.ts'
import { transactionTypes } from '@bourse/risk-rules/ledger/accounts.ts'
import { fillCost } from '../arithmetic/bank.ts'
import type { Books } from '../books.ts'
import { ownerNamed } from '../evidence/bytes.ts'
import { instructionText, type Instruction, type Leg } from '../evidence/instruction.ts'
import type { Complain } from '../findings.ts'
import type { BankLife } from '../model/bridge/book.ts'
import type { Done } from '../model/ledger/book.ts'

/** What is owed, or was carried out, at one ledger partition, with how often. */
type Tally = Map<string, number>

const add = (tally: Tally, text: string, by: number): void => {
  const count = (tally.get(text) ?? 0) + by
  if (count === 0) tally.delete(text)
  else tally.set(text, count)
}

const at = (partition: PartitionNumber, instruction: Instruction): string =>
  `at ${partitionName(partition)} ${instructionText({ ...instruction, slip: null })}`

/** A refund as it is booked and handed on: what the fund paid travels through clearing to the house. */
const refundOf = (partition: PartitionNumber, instruction: Instruction, paid: bigint): string[] => {
  const [, clearing, house] = instruction.legs
  const target = instruction.slip?.target
  if (paid === 0n || clearing === undefined || house === undefined || target === undefined)
    return [at(partition, instruction)]
  const legs = [
    { ...clearing, amount: -paid },
    { ...house, amount: paid },
  ]
  return [at(partition, instruction), at(target, { ...instruction, kind: 'POST', holds: [], legs })]
}

/** An instruction with all that it sends on to other ledgers. */
const withFurther = (
  partition: PartitionNumber,
  instruction: Instruction,
  paidOf: (reference: string) => bigint,
): string[] => {
  if (instruction.kind === 'INSURANCE_REFUND') return refundOf(partition, instruction, paidOf(instruction.reference))
  const { slip } = instruction
  const further = slip === null || slip.instruction === null ? [] : withFurther(slip.target, slip.instruction, paidOf)
  return [at(partition, instruction), ...further]
}

const tradeTypes: ReadonlySet<number> = new Set([
  transactionTypes.TRADE_OPEN_FEE,
  transactionTypes.TRADE_CLOSE,
  transactionTypes.LIQUIDATION_FEE,
  transactionTypes.INSURANCE_REFUND,
])

const tellDifference = (statement: string, tally: Tally, complain: Complain): void => {
  for (const [text, count] of tally) {
    const how =
      count > 0
        ? `is owed and was carried out ${count} times too few`
        : `was carried out ${-count} times more than it is owed`
    complain(statement, `${text} ${how}`)
  }
}

const everythingDone = (books: Books): readonly { readonly partition: PartitionNumber; readonly done: Done }[] =>
  [...books.ledgers.values()].flatMap(({ partition, done }) => done.map((one) => ({ partition, done: one })))

/**
 * Each trade has exactly its transfers, each once, at the right ledger partition: the open fee, the news of other stops, the
 * close, a liquidation fee or a refund; the amounts by the auditor's own arithmetic.
 */
export const checkTradeTransfers = (books: Books, complain: Complain): void => {
  const tally: Tally = new Map()
  const paid = new Map<string, bigint>()
  const all = everythingDone(books)
  for (const { done } of all)
    if (done.instruction.kind === 'INSURANCE_REFUND') paid.set(done.instruction.reference, done.paid)
  const paidOf = (reference: string): bigint => paid.get(reference) ?? 0n
  for (const { transfers } of books.markets.values()) {
    for (const { partition, instruction } of transfers)
      for (const text of withFurther(partition, instruction, paidOf)) add(tally, text, 1)
  }
  for (const { partition, done } of all) {
    const { instruction } = done
    const isTrades =
      tradeTypes.has(instruction.transactionType) ||
      (instruction.kind === 'RELEASE' && instruction.reference === '0'.repeat(32))
    // A client's opening of an account is a transaction of its own type: this one only brings news of a trade.
    const isNews = instruction.kind === 'OPEN_ACCOUNT' && instruction.transactionType === 0
    if (isTrades || isNews) add(tally, at(partition, instruction), -1)
  }
  tellDifference('trade-transfers', tally, complain)
}

const bankPostings = {
  BUY: transactionTypes.BANK_BUY,
  SELL: transactionTypes.BANK_SELL,
  DEPOSIT: transactionTypes.DEPOSIT,
  WITHDRAWAL: transactionTypes.WITHDRAWAL,
} as const

const entriesOf = (life: BankLife): readonly Leg[] => {
  const owner = ownerNamed(`bank-user:${life.bank}:${life.customer}`)
  const omnibus = ownerNamed(`omnibus:${life.bank}`)
  const counter = ownerNamed(`bank:${life.bank}`)
  const sign = life.type === 'BUY' || life.type === 'WITHDRAWAL' ? -1n : 1n
  const fiat = { currency: life.fiatCurrency, amount: sign * life.fiat }
  const crypto = { currency: life.cryptoCurrency, amount: -sign * life.crypto }
  if (life.type === 'DEPOSIT' || life.type === 'WITHDRAWAL')
    return [
      { kind: 'customer', owner, ...fiat },
      { kind: 'bank', owner: counter, ...fiat, amount: -fiat.amount },
    ]
  return [fiat, crypto].flatMap((side): Leg[] => [
    { kind: 'customer', owner, ...side },
    { kind: 'omnibus', owner: omnibus, ...side, amount: -side.amount },
  ])
}

/**
 * The fill: what was promised leaves the omnibus account again, the exchange gets and gives what it executed, the house
 * bears the rest.
 */
const fillOf = (life: BankLife): readonly Leg[] => {
  const side = life.type === 'BUY' ? 'BUY' : 'SELL'
  const sign = side === 'BUY' ? 1n : -1n
  const cost = fillCost(side, life.executedQuantity, life.executedPrice)
  const fiat = { currency: life.fiatCurrency }
  const crypto = { currency: life.cryptoCurrency }
  const omnibus = ownerNamed(`omnibus:${life.bank}`)
  const house = ownerNamed(`house:${life.symbol}`)
  const exchange = ownerNamed('exchange')
  return [
    { kind: 'omnibus', owner: omnibus, ...fiat, amount: -sign * life.fiat },
    { kind: 'exchange', owner: exchange, ...fiat, amount: sign * cost },
    { kind: 'spread', owner: ownerNamed('spread'), ...fiat, amount: life.spread },
    { kind: 'house', owner: house, ...fiat, amount: sign * (life.fiat - cost) - life.spread },
    { kind: 'omnibus', owner: omnibus, ...crypto, amount: sign * life.crypto },
    { kind: 'exchange', owner: exchange, ...crypto, amount: -sign * life.executedQuantity },
    { kind: 'house', owner: house, ...crypto, amount: sign * (life.executedQuantity - life.crypto) },
  ]
}

/** Legs as text, whatever hold they settle. */
const legsText = (
  partition: PartitionNumber,
  kind: Instruction['kind'],
  type: number,
  reference: string,
  legs: readonly Leg[],
): string => at(partition, { kind, transactionType: type, reference, holds: [], legs, slip: null })

/**
 * What the exchange executed and what the customer was promised equals what the ledger cleared, per transaction: a
 * completed trade has one hold, one settlement with the four entries and one fill; a failed one has nothing but holds that
 * were released; a deposit or withdrawal has its two entries once.
 */
export const checkBankTransfers = (books: Books, ledgerPartitions: number, complain: Complain): void => {
  const tally: Tally = new Map()
  const held = new Map<string, number>()
  const lives = new Map([...books.bridges.values()].flatMap((book) => [...book.transactions]))
  for (const life of lives.values()) {
    const owner = Buffer.from(ownerNamed(`bank-user:${life.bank}:${life.customer}`), 'hex')
    const partition = partitionNumber('ledger', partitionIndexOf(owner, ledgerPartitions))
    if (life.stage !== 'completed') continue
    const isTrade = life.type === 'BUY' || life.type === 'SELL'
    add(tally, legsText(partition, isTrade ? 'SETTLE' : 'POST', bankPostings[life.type], life.id, entriesOf(life)), 1)
    if (isTrade) add(tally, legsText(partition, 'POST', transactionTypes.EXCHANGE_FILL, life.id, fillOf(life)), 1)
  }
  for (const { partition, done } of everythingDone(books)) {
    const { kind, reference, transactionType, legs, holds } = done.instruction
    if (!lives.has(reference)) continue
    if (kind === 'HOLD') held.set(reference, (held.get(reference) ?? 0) + 1)
    else held.set(reference, (held.get(reference) ?? 0) - holds.length)
    if (kind !== 'HOLD' && kind !== 'RELEASE')
      add(tally, legsText(partition, kind, transactionType, reference, legs), -1)
  }
  for (const [reference, count] of held)
    if (count !== 0) complain('bank-transfers', `bank transaction ${reference} has ${count} holds that nothing closed`)
  tellDifference('bank-transfers', tally, complain)
}
