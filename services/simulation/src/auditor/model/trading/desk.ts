import { codeOfNumber, refusalNumbers, type OutcomeCode } from '@bourse/common/errors/codes.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Quote } from '../../arithmetic/cfd.ts'
import type { Instruction } from '../../evidence/instruction.ts'
import type { Entry } from '../../evidence/journals.ts'
import type { Complain } from '../../findings.ts'
import type { TradeLife, Transfer } from './book.ts'
import type { Surroundings } from './acceptance.ts'
import type { Terms, Trade } from './trade.ts'

/** The auditor's own market: the state that a trading partition must have. */
export interface Market {
  /** Null before the first spec. */
  terms: Terms | null
  state: number
  /** F, what one long unit of quantity has paid since the beginning. */
  funding: bigint
  /** 0 before the first tick; with it the instants of funding begin. */
  firstTickAt: bigint
  /** The next instant of funding; 0 when there is none. */
  nextFunding: bigint
  lastNumber: bigint
  /** Longs minus shorts. */
  netQuantity: bigint
  readonly open: Map<bigint, Trade>
  /** What a tick still closes, in order. */
  pending: { readonly number: bigint; readonly reason: number }[]
  pendingQuote: Quote
}

/** A transfer that the current record must send, and the trade's bytes in its memo; null when it carries none. */
export interface Owed {
  readonly transfer: Transfer
  readonly memo: Uint8Array | null
}

/** What the rules of one market work on: its state, what its trades owe, and where it is told what does not hold. */
export interface Desk {
  readonly market: Market
  readonly lives: Map<bigint, TradeLife>
  readonly complain: Complain
  /** Which record, for messages. */
  where(entry: Entry): string
  owe(ledger: PartitionNumber, instruction: Instruction, memo: Uint8Array | null): void
  /** What the current record owes, in order; the next one owes nothing yet. */
  takeOwed(): readonly Owed[]
  transfers(): readonly Transfer[]
  /** What an account's opening or close is judged on. */
  around(terms: Terms, account: string, now: bigint): Surroundings
  /** True when the code told is one of the expected; another one is a finding of the statement. */
  isTold(entry: Entry, expected: readonly OutcomeCode[], statement: string): boolean
}

/** Refusals taken on trust: a table is full, or the command itself was at fault. */
export const trusted: ReadonlySet<number> = new Set([
  refusalNumbers.CAPACITY_EXCEEDED,
  refusalNumbers.UNAVAILABLE,
  refusalNumbers.ENGINE_FAULT,
  refusalNumbers.INVALID_COMMAND,
  refusalNumbers.AMOUNT_OVERFLOW,
])

const createMarket = (): Market => ({
  terms: null,
  state: 0,
  funding: 0n,
  firstTickAt: 0n,
  nextFunding: 0n,
  lastNumber: 0n,
  netQuantity: 0n,
  open: new Map(),
  pending: [],
  pendingQuote: { bid: 0n, ask: 0n },
})

/** Makes the desk of a market that nothing has happened in. */
export const createDesk = (partition: PartitionNumber, complain: Complain): Desk => {
  const market = createMarket()
  const transfers: Transfer[] = []
  let owed: Owed[] = []
  const where = (entry: Entry): string => `record ${entry.sequence} of ${partitionName(partition)}`
  return {
    market,
    lives: new Map(),
    complain,
    where,
    owe: (ledger, instruction, memo) => {
      const transfer = { partition: ledger, instruction }
      owed.push({ transfer, memo })
      transfers.push(transfer)
    },
    takeOwed: () => {
      const taken = owed
      owed = []
      return taken
    },
    transfers: () => transfers,
    around: (terms, account, now) => ({
      terms,
      state: market.state,
      now,
      funding: market.funding,
      ownTrades: [...market.open.values()].filter((trade) => trade.account === account).length,
      netQuantity: market.netQuantity,
    }),
    isTold: (entry, expected, statement) => {
      const told = codeOfNumber(entry.code)
      if (expected.includes(told)) return true
      complain(statement, `${where(entry)} is told ${told}; by the auditor's market it is ${expected.join(' or ')}`)
      return false
    },
  }
}
