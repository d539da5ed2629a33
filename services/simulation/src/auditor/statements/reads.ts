import type { BankAccount, BankTransaction, BankEventPage, BankPage } from '@bourse/bridge/client/types.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { bytesOfHex } from '@bourse/common/platform/identity.ts'
import { bridgePartitionOf, ledgerPartitionOf } from '@bourse/common/platform/topology.ts'
import type { Balance } from '@bourse/ledger/client/types.ts'
import type { OpenTrade } from '@bourse/trading/client/types.ts'
import type { Call } from '../../history/history.ts'
import { unitsOf } from '../arithmetic/rational.ts'
import { ownerNamed } from '../evidence/bytes.ts'
import { accountName } from '../evidence/instruction.ts'
import type { Account, LedgerBook } from '../model/ledger/book.ts'
import { tradeAfter, type TradingBook } from '../model/trading/book.ts'
import { differences } from '../model/differences.ts'
import { callText, partitionsOfTrader, windowOf, type Case } from './case.ts'
import { expectedEvent, inUnits } from './outside.ts'
import { faultsOfTold } from './told-bank.ts'
import { faultsOfTrade, lifeAt } from './told-trade.ts'

const STATEMENT = 'strong-reads'

/** One line of an answer about money. */
interface Told {
  readonly currency: string
  readonly balance: bigint | null
  readonly locked: bigint | null
  readonly version: bigint
}

const toldText = (told: readonly Told[]): string =>
  told
    .map(({ currency, balance, locked, version }) => `${currency} ${balance} (locked ${locked}, version ${version})`)
    .sort()
    .join(', ')

/** What a read of the owner's accounts answers when it sees the records through `sequence`. */
const balancesAt = (accounts: readonly Account[], sequence: bigint): readonly Told[] =>
  accounts.flatMap(({ key, moments }) => {
    const moment = moments.findLast((one) => one.sequence <= sequence)
    return moment === undefined
      ? []
      : [{ currency: key.currency, balance: moment.balance, locked: moment.locked, version: moment.version }]
  })

/** The moments within a window at which something of the accounts changes, its beginning first. */
const momentsIn = (accounts: readonly Account[], low: bigint, high: bigint): readonly bigint[] => [
  low,
  ...accounts.flatMap(({ moments }) => moments.map(({ sequence }) => sequence).filter((at) => at > low && at <= high)),
]

const accountsOf = (book: LedgerBook, owner: string): readonly Account[] =>
  [...book.accounts.values()].filter(
    ({ key }) => key.kind === 'customer' && key.owner === owner && accountName(key) !== '',
  )

/** The earliest record of the ledger that a read must see: what is on the disk, and what the senders have decided by then. */
const leastSeen = (
  on: Case,
  call: Call,
  ledger: PartitionNumber,
  low: bigint,
  senders: readonly PartitionNumber[],
): bigint | null => {
  let least = low
  for (const sender of senders) {
    const decided = on.appended === null ? 0n : on.appended.headBefore(sender, call.calledAtMs)
    const arrived = on.effects.arrivedIn(sender, decided, ledger)
    if (arrived === null) return null
    if (arrived > least) least = arrived
  }
  return least
}

const checkMoney = (
  on: Case,
  call: Call,
  owner: string,
  ledger: PartitionNumber,
  senders: readonly PartitionNumber[],
  told: readonly Told[],
): void => {
  const book = on.books.ledgers.get(ledger)
  if (book === undefined) return
  const accounts = accountsOf(book, owner)
  const { low, high } = windowOf(on, call, ledger, Number.MAX_SAFE_INTEGER)
  const least = leastSeen(on, call, ledger, low, senders)
  if (least === null || least > high)
    return on.complain(
      STATEMENT,
      `${callText(call)} was answered before what was decided had reached ${partitionName(ledger)}`,
    )
  const text = toldText(told)
  const possible = momentsIn(accounts, least, high).map((at) => toldText(balancesAt(accounts, at)))
  if (!possible.includes(text))
    on.complain(
      STATEMENT,
      `${callText(call)} is told [${text}]; in records ${least} … ${high} of ${partitionName(ledger)} it is ` +
        `[${[...new Set(possible)].join('] or [')}]`,
    )
}

const checkTradesIn = (
  on: Case,
  call: Call,
  book: TradingBook,
  owner: string,
  ledger: PartitionNumber,
  told: readonly OpenTrade[],
): void => {
  const { low, high } = windowOf(on, call, book.partition, book.fundingAfter.size)
  const lives = [...book.lives.values()].filter(({ trade }) => trade.account === owner)
  const faults = new Set<string>()
  let isPossible = false
  for (let at = low; at <= high && !isPossible; at++) {
    const open = lives.filter(({ trade, end }) => trade.openedIn <= at && (end === null || end.closedIn > at))
    const funding = book.fundingAfter.get(at) ?? 0n
    const wrong =
      open.length === told.length
        ? told.map((trade) => {
            const found = lifeAt(on, trade.tradeId)
            return found === null || !open.includes(found.life)
              ? `${trade.tradeId} is not open`
              : faultsOfTrade(trade, tradeAfter(found.life, at), found, funding)
          })
        : [`${open.length} are open, ${told.length} are told`]
    const text = wrong.filter((one) => one !== '').join('; ')
    isPossible = text === ''
    faults.add(text)
  }
  if (!isPossible)
    on.complain(
      STATEMENT,
      `${callText(call)}: open trades in ${partitionName(book.partition)}, records ${low} … ${high}: ` +
        `${[...faults].slice(0, 3).join(' | ')}`,
    )
  const arrived = on.effects.arrivedIn(book.partition, low, ledger)
  const seen = windowOf(on, call, ledger, Number.MAX_SAFE_INTEGER).high
  if (arrived === null || arrived > seen)
    on.complain(
      STATEMENT,
      `${callText(call)} was answered before the money of ${partitionName(book.partition)} had reached ${partitionName(ledger)}`,
    )
}

const checkTrades = (on: Case, call: Call, trader: number, told: readonly OpenTrade[]): void => {
  const owner = on.identities.ownerOf(trader)
  const { ledger, markets } = partitionsOfTrader(on, bytesOfHex(owner))
  for (const partition of markets) {
    const book = on.books.markets.get(partition)
    if (book === undefined) continue
    checkTradesIn(
      on,
      call,
      book,
      owner,
      ledger,
      told.filter(({ tradeId }) => lifeAt(on, tradeId)?.partition === partition),
    )
  }
  for (const { tradeId } of told)
    if (!markets.includes(lifeAt(on, tradeId)?.partition ?? 0))
      on.complain(STATEMENT, `${callText(call)} is told trade ${tradeId}, which is nowhere`)
}

const checkBankAccounts = (
  on: Case,
  call: Call,
  bank: string,
  customer: string,
  told: readonly BankAccount[],
): void => {
  const owner = ownerNamed(`bank-user:${bank}:${customer}`)
  const ledger = ledgerPartitionOf(on.topology, bytesOfHex(owner))
  const money = told.map(({ currency, balance, lockedBalance, version }) => ({
    currency,
    balance: unitsOf(balance),
    locked: unitsOf(lockedBalance),
    version: BigInt(version),
  }))
  checkMoney(on, call, owner, ledger, [bridgePartitionOf(on.topology, bank)], money)
}

/**
 * What a read of one transaction may say: its end once that is on the disk before the read, and not before it is there at
 * all.
 */
const checkTransaction = (on: Case, call: Call, told: BankTransaction): void => {
  const found = on.bankLives.get(told.transactionId.slice(3))
  if (found === undefined)
    return on.complain(STATEMENT, `${callText(call)} is told ${told.transactionId}, which is not there`)
  const { life, partition } = found
  const { low, high } = windowOf(on, call, partition, Number.MAX_SAFE_INTEGER)
  const faults = faultsOfTold(told, life)
  if (faults !== '') on.complain(STATEMENT, `${callText(call)}: ${told.transactionId}: ${faults}`)
  const isPending = told.status === 'PENDING'
  if (isPending && life.finishedIn !== 0n && life.finishedIn <= low)
    on.complain(
      STATEMENT,
      `${callText(call)} is told that ${told.transactionId} is pending; it had ended in record ${life.finishedIn}`,
    )
  if (!isPending && (life.finishedIn === 0n || life.finishedIn > high))
    on.complain(STATEMENT, `${callText(call)} is told the end of ${told.transactionId} before it was on the disk`)
}

const checkMissing = (on: Case, call: Call): void => {
  const { request } = call
  if (request.kind !== 'bank-transaction' && request.kind !== 'bank-transaction-by-key') return
  for (const { life, partition } of on.bankLives.values()) {
    const isAsked =
      life.bank === request.bank &&
      (request.kind === 'bank-transaction'
        ? `tx_${life.id}` === request.transactionId
        : life.key.toLowerCase() === request.idempotencyKey.toLowerCase())
    if (isAsked && life.startedIn <= windowOf(on, call, partition, 0).low)
      on.complain(
        STATEMENT,
        `${callText(call)} is told that there is no such transaction; tx_${life.id} began in record ${life.startedIn}`,
      )
  }
}

const checkList = (on: Case, call: Call, page: BankPage<BankTransaction>): void => {
  for (const told of page.items) {
    const found = on.bankLives.get(told.transactionId.slice(3))
    const faults = found === undefined ? 'it is not there' : faultsOfTold(told, found.life)
    if (faults !== '') on.complain('lists-tell-the-truth', `${callText(call)}: ${told.transactionId}: ${faults}`)
  }
}

/** Events are read in order without a gap, each as it was sent; the newest may be missing for a while. */
const checkEvents = (on: Case, call: Call, bank: string, after: number, page: BankEventPage): void => {
  const book = [...on.books.bridges.values()].flatMap(({ banks }) => [...banks]).find(([name]) => name === bank)?.[1]
  page.events.forEach((event, index) => {
    const life = book?.events[event.sequence - 1]
    if (event.sequence !== after + index + 1 || life === undefined)
      return on.complain(
        'lists-tell-the-truth',
        `${callText(call)} reads event ${event.sequence} of ${bank} where ${after + index + 1} is next`,
      )
    const expected = expectedEvent(life)
    const wrong = differences(inUnits(event.data as Readonly<Record<string, unknown>>, expected.data), expected.data)
    if (wrong !== '' || event.type !== expected.type)
      on.complain(
        'lists-tell-the-truth',
        `${callText(call)}: event ${event.sequence} of ${bank}: ${event.type}; ${wrong}`,
      )
  })
}

const checkAnswer = (on: Case, call: Call, value: never): void => {
  const { request } = call
  switch (request.kind) {
    case 'balances': {
      const owner = on.identities.ownerOf(request.trader)
      const { ledger, markets } = partitionsOfTrader(on, bytesOfHex(owner))
      return checkMoney(on, call, owner, ledger, markets, value as readonly Balance[])
    }
    case 'open-trades':
      return checkTrades(on, call, request.trader, value)
    case 'bank-accounts':
      return checkBankAccounts(on, call, request.bank, request.customer, value)
    case 'bank-transaction':
    case 'bank-transaction-by-key':
      return checkTransaction(on, call, value)
    case 'bank-transactions':
      return checkList(on, call, value)
    case 'bank-events':
      return checkEvents(on, call, request.bank, request.after, value)
    case 'open-account':
    case 'open-trade':
    case 'update-trade':
    case 'close-trade':
    case 'adjust':
    case 'fund':
    case 'correct':
    case 'market-state':
    case 'quote':
    case 'cancel-quote':
    case 'bank-trade':
    case 'bank-move':
      // Not a read.
      return
  }
}

/**
 * A strong read never goes back in time: it is the state after one record, which includes everything that was on the disk
 * when it was asked (and so everything that any answer before had told), and nothing that was not there when it was
 * answered. A read of money includes what trading or the bridge had decided before.
 */
export const checkReads = (on: Case): void => {
  for (const call of on.calls) {
    const { answer, request } = call
    if (answer === null) continue
    if (answer.ok) {
      checkAnswer(on, call, answer.value as never)
      continue
    }
    if (answer.refusal.code === 'NOT_FOUND') checkMissing(on, call)
    if (answer.refusal.code === 'ACCOUNT_NOT_FOUND' && request.kind === 'balances') {
      const owner = on.identities.ownerOf(request.trader)
      checkMoney(on, call, owner, partitionsOfTrader(on, bytesOfHex(owner)).ledger, [], [])
    }
  }
}
