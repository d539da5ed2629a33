import type { MachineFactory } from '@bourse/common/kernel/machine.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { allPartitions, type Topology } from '@bourse/common/platform/topology.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { Call } from '../history/history.ts'
import type { Disks } from '../ports/disks.ts'
import { followAll, type Books } from './books.ts'
import type { AppendTimes } from './evidence/append-times.ts'
import { bankLivesOf, type Case, type Identities } from './statements/case.ts'
import { indexEffects } from './evidence/effect-index.ts'
import { readJournals, type Journals } from './evidence/journals.ts'
import type { Finding } from './finding.ts'
import { createFindings, type Complain } from './findings.ts'
import { checkAnswers } from './statements/answers/answers.ts'
import { checkEffects, checkLedgerEffects } from './statements/effects.ts'
import { checkHolds, checkSums } from './statements/money.ts'
import {
  checkAuthorizations,
  checkBankEvents,
  checkExchange,
  type BankRecords,
  type ExchangeOrder,
} from './statements/outside.ts'
import { checkReads } from './statements/reads.ts'
import { checkLedgerState, checkReplay } from './statements/replay.ts'
import { checkSpecs } from './statements/specs.ts'
import { checkBankTransfers, checkTradeTransfers } from './statements/transfers.ts'
import { checkRebuild, checkViewContents, readViews } from './statements/views.ts'

/** What an audit looks at once all is quiet. */
export interface AuditInput {
  readonly topology: Topology
  /** What clients asked and were told. */
  readonly calls: readonly Call[]
  readonly identities: Identities
  readonly disks: Disks
  /** When records reached the disk; null when nobody watched. */
  readonly appended: AppendTimes | null
  /** Makes empty machines of the platform's capacities. */
  readonly factoryOf: (partition: PartitionNumber) => MachineFactory
  /** What the serving runner says of its state; null when nobody serves. */
  readonly stateHash: (partition: PartitionNumber) => Promise<string | null>
  /** The specs as they stand at the end. */
  readonly pairs: readonly TradingPairSpec[]
  readonly banks: readonly Bank[]
  /** The books of the exchange and of the banks. */
  readonly orders: readonly ExchangeOrder[]
  readonly bankRecords: readonly BankRecords[]
}

const caseOf = (input: AuditInput, journals: Journals, books: Books, complain: Complain): Case => ({
  topology: input.topology,
  calls: input.calls,
  books,
  identities: input.identities,
  appended: input.appended,
  effects: indexEffects(journals),
  bankLives: bankLivesOf(books),
  complain,
})

const checkMoney = (input: AuditInput, books: Books, complain: Complain): void => {
  checkSums(books, complain)
  checkHolds(books, complain)
  checkTradeTransfers(books, complain)
  checkBankTransfers(books, input.topology.ledgerPartitions, complain)
}

const checkOutside = (input: AuditInput, books: Books, complain: Complain): void => {
  checkExchange(books, input.orders, complain)
  for (const bank of input.bankRecords) {
    checkBankEvents(books, bank, complain)
    checkAuthorizations(books, bank, complain)
  }
}

/**
 * Audits a platform that has come to rest: what its disks hold, what its clients were told and what the outside has in its
 * books, against the contracts and one another. Every statement is judged by the auditor's own arithmetic and account
 * books; the product's code is used to read disks, to replay and to rebuild. No finding: every statement holds.
 */
export const audit = async (input: AuditInput): Promise<readonly Finding[]> => {
  const { complain, all } = createFindings()
  const journals = await readJournals(input.disks.journal, allPartitions(input.topology), complain)
  const books = followAll(journals, complain)
  const states = await checkReplay(
    { journals, snapshots: input.disks.snapshots, factoryOf: input.factoryOf, stateHash: input.stateHash },
    complain,
  )
  for (const [partition, book] of books.ledgers) {
    const state = states.get(partition)
    if (state !== undefined) checkLedgerState(state, book, complain)
    checkLedgerEffects(journals.get(partition) ?? [], book, complain)
  }
  checkEffects(journals, input.appended, complain)
  checkSpecs(books, input, complain)
  checkMoney(input, books, complain)
  checkOutside(input, books, complain)
  const on = caseOf(input, journals, books, complain)
  checkAnswers(on)
  checkReads(on)
  const documents = await readViews(input.disks.views)
  await checkRebuild({ journals, views: input.disks.views, topology: input.topology, documents }, complain)
  checkViewContents(books, documents, complain)
  return all()
}
