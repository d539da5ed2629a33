import type { Reply } from '@bourse/bridge/codec/reply.ts'
import { steps, type Transaction } from '@bourse/bridge/codec/transaction.ts'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { hex } from '../../evidence/bytes.ts'
import type { Entry } from '../../evidence/journals.ts'
import { differences } from '../differences.ts'
import type { BankLife, Stage } from './book.ts'
import type { Desk } from './desk.ts'

const stageNumbers: Readonly<Record<Stage, number>> = steps

/** What a transaction must be told to be. */
const expectedOf = (life: BankLife): Readonly<Record<string, unknown>> => ({
  bank: life.bank,
  bankUserId: life.customer,
  idempotencyKey: life.key,
  type: life.type,
  symbol: life.symbol,
  fiatCurrency: life.fiatCurrency,
  cryptoCurrency: life.cryptoCurrency,
  fiatAmount: life.fiat,
  cryptoAmount: life.crypto,
  price: life.price,
  tickerPrice: life.ticker,
  spreadEarned: life.spread,
  createdAt: life.createdAt,
  step: stageNumbers[life.stage],
  code: refusalNumbers[life.code],
  executedPrice: life.executedPrice,
  executedQuantity: life.executedQuantity,
  eventSequence: life.eventSequence,
  finishedAt: life.finishedAt,
  ledgerNumber: life.ledgerNumber,
})

/** What is wrong in how a transaction is told, with its balances and all customers' totals once it has ended. */
const faultsOfTransaction = ({ banks }: Desk, told: Transaction, life: BankLife): readonly string[] => {
  const faults: string[] = []
  const about = `transaction ${life.id}`
  const wrong = differences({ ...told }, expectedOf(life))
  if (wrong !== '') faults.push(`${about}: ${wrong}`)
  const [balances, due] = [told.balancesAfter.join(), life.balancesAfter.join()]
  if (balances !== due) faults.push(`${about} has balances ${balances}, not ${due}`)
  if (life.finishedAt === 0n) return faults
  const totals = banks.get(life.bank)?.totals
  for (const { currency, amount } of told.totalsAfter) {
    const total = totals?.get(currency) ?? 0n
    if (amount !== total) faults.push(`all customers of ${life.bank} have ${amount} ${currency}, not ${total}`)
  }
  return faults
}

/** An outcome tells of exactly the transactions that its entry began or ended, each as it must be. */
export const checkTold = (desk: Desk, entry: Entry, reply: Reply): void => {
  const { complain } = desk
  const where = desk.where(entry)
  const told = new Map(reply.transactions.map((transaction) => [hex(transaction.id), transaction]))
  for (const life of desk.takeToTell()) {
    const transaction = told.get(life.id)
    told.delete(life.id)
    if (transaction === undefined) {
      complain('bank-saga', `${where}: transaction ${life.id} is ${life.stage} and nobody hears of it`)
      continue
    }
    life.told = transaction
    for (const fault of faultsOfTransaction(desk, transaction, life)) complain('bank-arithmetic', `${where}: ${fault}`)
  }
  for (const id of told.keys()) complain('bank-saga', `${where}: transaction ${id} is told without a reason`)
}
