import { check, sleep } from 'k6'
import http from 'k6/http'
import { Counter, Gauge } from 'k6/metrics'
import { statementFrom, transactionsWhile } from './bank.ts'
import { call, jsonOf, listIn, objectIn, type Json } from './http.ts'
import { isZeroSum, sumsOf, unitsOf } from './money.ts'
import { adminToken, areMetricsNamed, bankKey, metricsUrls } from './settings.ts'
import type { Run } from './run.ts'
import { changeBy, closedTrades, usdcOf } from './trader.ts'

/** Faults found in the books; one fails the run. */
const faults = new Counter('books_faults')
/** What was looked at. */
const looked = {
  traders: new Gauge('books_traders'),
  transactions: new Gauge('books_bank_transactions'),
  postings: new Gauge('books_ledger_transactions'),
  sums: new Gauge('books_ledger_sums'),
}

/** How long open orders of the bank are waited for, s. */
const SETTLE_SECONDS = 120
/** Ledger transactions read of each partition, spread over all of them: administration has a limit of its own. */
const POSTINGS_READ_MAX = 20
/** Pause between two calls of administration, s. */
const ADMIN_PAUSE_SECONDS = 0.05

const judge = (what: string, isGood: boolean): void => {
  faults.add(check(null, { [`books: ${what}`]: () => isGood }) ? 0 : 1)
}

/** Each trader has what he was given and what his trades came to, nothing is locked and nothing open. */
const checkTraders = ({ traders }: Run): void => {
  for (const { cookie, start } of traders) {
    const { available, locked, open } = usdcOf({ cookie })
    const changes = closedTrades({ cookie }).reduce((sum, trade) => sum + changeBy(trade), 0n)
    judge('a trader has the start balance plus what the trades came to', available === unitsOf(start) + changes)
    judge('nothing is open or locked any more', open === 0 && locked === 0n)
  }
  looked.traders.add(traders.length)
}

/** Every transaction of the bank since the start has ended and is zero-sum; the statement's entries carry opening to closing. */
const checkBank = ({ startedAt, customers }: Run): void => {
  const isOfRun = ({ createdAt }: Json): boolean => String(createdAt) >= startedAt
  let transactions = transactionsWhile(isOfRun)
  const isPending = ({ status }: Json): boolean => status === 'PENDING'
  for (let waited = 0; waited < SETTLE_SECONDS && transactions.some(isPending); waited += 1) {
    sleep(1)
    transactions = transactionsWhile(isOfRun)
  }
  judge('no transaction of the bank is pending', !transactions.some(isPending))
  const entriesOf = (transaction: Json) =>
    listIn(transaction, 'entries') as unknown as { currency: string; amount: string }[]
  judge(
    'the entries of each transaction come to zero',
    transactions.every((one) => isZeroSum(entriesOf(one))),
  )
  // Each customer's deposit at least: where a list could not be read, nothing in it was wrong.
  const completed = transactions.filter(({ status }) => status === 'COMPLETED')
  judge(
    "the bank's deposits are listed, and what is completed has entries",
    completed.length >= customers.length && completed.every((one) => entriesOf(one).length > 0),
  )
  looked.transactions.add(transactions.length)

  const statement = statementFrom(startedAt)
  const balances = (name: string) =>
    sumsOf(
      listIn(statement, name).map(({ currency, balance }) => ({ currency: String(currency), amount: String(balance) })),
    )
  const [opening, closing] = [balances('opening'), balances('closing')]
  const moved = sumsOf(listIn(statement, 'entries') as unknown as { currency: string; amount: string }[])
  const isCarried = Object.keys({ ...closing, ...moved }).every(
    (currency) => (opening[currency] ?? 0n) + (moved[currency] ?? 0n) === (closing[currency] ?? 0n),
  )
  judge("the bank's statement carries opening to closing", isCarried && listIn(statement, 'closing').length > 0)
}

const admin = (path: string, name: string, alsoFine: readonly number[] = []) => {
  sleep(ADMIN_PAUSE_SECONDS)
  return call('GET', `/api/v1/admin${path}`, name, null, {
    headers: { authorization: `Bearer ${adminToken}` },
    alsoFine,
  })
}

/** Reads a ledger transaction; null where there is none. */
const posting = (partition: number, number: number): Json | null => {
  const answer = admin(`/transactions/${partition}:${number}`, 'ledger transaction', [404])
  return answer.status === 200 ? objectIn(jsonOf(answer), 'data') : null
}

/** The number of a partition's last transaction, found by doubling and halving. */
const lastPosting = (partition: number): number => {
  let high = 1
  while (posting(partition, high) !== null) high *= 2
  let low = Math.floor(high / 2)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (posting(partition, middle) === null) high = middle
    else low = middle
  }
  return low
}

/** Ledger transactions of all partitions, spread over their history, come to zero each. */
const checkPostings = (): void => {
  const partitions = listIn(jsonOf(admin('/partitions', 'partitions')), 'data').filter(({ name }) =>
    String(name).startsWith('ledger/'),
  )
  judge('administration shows the ledger', partitions.length > 0)
  let count = 0
  for (const { number } of partitions) {
    const last = lastPosting(Number(number))
    const step = Math.max(1, Math.floor(last / POSTINGS_READ_MAX))
    for (let at = last; at > 0; at -= step) {
      const entries = listIn(posting(Number(number), at) ?? {}, 'entries') as unknown as {
        currency: string
        amount: string
      }[]
      judge('a ledger transaction has entries and comes to zero', entries.length > 0 && isZeroSum(entries))
      count += 1
    }
  }
  judge('ledger transactions could be read', count > 0)
  looked.postings.add(count)
}

const SERIES = /^bourse_ledger_(imbalance|clearing)_units\{([^}]*)\} (\S+)$/gm

/** Reads what all ledger partitions say of their sums; null where one shows no metrics or none is the ledger's. */
const ledgerSums = (): {
  readonly imbalances: readonly number[]
  readonly clearing: Readonly<Record<string, number>>
} | null => {
  const imbalances: number[] = []
  const clearing: Record<string, number> = {}
  for (const url of metricsUrls) {
    const answer = http.get(url, { tags: { name: 'metrics' }, responseCallback: http.expectedStatuses(200, 404) })
    if (answer.status !== 200) return null
    for (const [, series, labels = '', value] of String(answer.body).matchAll(SERIES)) {
      const currency = /currency="([^"]*)"/.exec(labels)?.[1] ?? ''
      if (series === 'imbalance') imbalances.push(Number(value))
      else clearing[currency] = (clearing[currency] ?? 0) + Number(value)
    }
  }
  return imbalances.length === 0 ? null : { imbalances, clearing }
}

/** The whole ledger: each currency of each partition comes to zero, and so does all clearing. */
const checkSums = (): void => {
  let sums = ledgerSums()
  if (sums === null) {
    if (areMetricsNamed) judge('the metrics that were named show the sums of the ledger', false)
    return
  }
  for (let waited = 0; waited < SETTLE_SECONDS && Object.values(sums.clearing).some((sum) => sum !== 0); waited += 1) {
    sleep(1)
    const next = ledgerSums()
    judge('the sums of the ledger can be read again', next !== null)
    if (next === null) return
    sums = next
  }
  judge(
    'every currency of every ledger partition comes to zero',
    sums.imbalances.every((sum) => sum === 0),
  )
  judge(
    'clearing comes to zero',
    Object.values(sums.clearing).every((sum) => sum === 0),
  )
  looked.sums.add(sums.imbalances.length)
}

/** Checks all that can be seen of the books after a run. What can't be seen is told by the gauges that stay away. */
export const checkBooks = (run: Run): void => {
  checkTraders(run)
  if (bankKey !== '') checkBank(run)
  if (adminToken !== '') checkPostings()
  checkSums()
}
