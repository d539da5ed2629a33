import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Entry } from '../../evidence/journals.ts'
import type { Complain } from '../../findings.ts'
import { dayKeys, type BankBook, type BankLife, type Quote } from './book.ts'

/** What the rules of one bridge partition work on: its banks, quotes and transactions, and where findings go. */
export interface Desk {
  readonly partition: PartitionNumber
  readonly banks: Map<string, BankBook>
  readonly quotes: Map<string, Quote>
  readonly transactions: Map<string, BankLife>
  /** Ids of trades and moves that were refused without a trace. */
  readonly refused: Set<string>
  /** Commands to the ledger, by id: the transaction each belongs to. */
  readonly asked: Map<string, string>
  readonly complain: Complain
  /** Which record, for messages. */
  where(entry: Entry): string
  /** The outcome of the current entry must tell of the transaction. */
  tell(life: BankLife): void
  /** The transactions that the current entry's outcome must tell of; the next one's list is empty. */
  takeToTell(): readonly BankLife[]
  /** Fiat that counts in the daily limits: reserved when a trade begins, given back (sign −1) when it fails. */
  count(life: BankLife, sign: bigint): void
  /** Ends a transaction: totals and the bank's next event. */
  finish(entry: Entry, life: BankLife, stage: 'completed' | 'failed'): void
  /** Decides that a transaction fails, at once or when its hold has been released. */
  fail(entry: Entry, life: BankLife, code: OutcomeCode, stage: 'releasing' | 'failed'): void
}

const addTo = (map: Map<string, bigint>, key: string, amount: bigint): void =>
  void map.set(key, (map.get(key) ?? 0n) + amount)

/** Whether it is bought or sold; what is not only moves fiat. */
const isTrade = ({ type }: BankLife): boolean => type === 'BUY' || type === 'SELL'

/** Makes the desk of a bridge partition that nothing has happened in. */
export const createDesk = (partition: PartitionNumber, complain: Complain): Desk => {
  const banks = new Map<string, BankBook>()
  let toTell: BankLife[] = []

  const count: Desk['count'] = (life, sign) => {
    const byDay = banks.get(life.bank)?.byDay
    if (byDay === undefined) return
    for (const key of dayKeys(life.createdAt, life.customer)) addTo(byDay, key, sign * life.reserved)
  }

  const finish: Desk['finish'] = (entry, life, stage) => {
    life.stage = stage
    life.finishedAt = entry.now
    life.finishedIn = entry.sequence
    const bank = banks.get(life.bank)
    if (bank !== undefined && stage === 'completed') {
      const sign = life.type === 'BUY' || life.type === 'WITHDRAWAL' ? -1n : 1n
      addTo(bank.totals, life.fiatCurrency, sign * life.fiat)
      if (isTrade(life)) addTo(bank.totals, life.cryptoCurrency, -sign * life.crypto)
    }
    // A deposit or withdrawal that was refused is no event.
    if (bank !== undefined && (isTrade(life) || stage === 'completed')) {
      bank.eventSequence += 1n
      life.eventSequence = bank.eventSequence
      bank.events.push(life)
    }
    toTell.push(life)
  }

  return {
    partition,
    banks,
    quotes: new Map(),
    transactions: new Map(),
    refused: new Set(),
    asked: new Map(),
    complain,
    where: (entry) => `record ${entry.sequence} of ${partitionName(partition)}`,
    tell: (life) => void toTell.push(life),
    takeToTell: () => {
      const taken = toTell
      toTell = []
      return taken
    },
    count,
    finish,
    fail: (entry, life, code, stage) => {
      life.code = code
      count(life, -1n)
      if (stage === 'failed') finish(entry, life, 'failed')
      else life.stage = stage
    },
  }
}
