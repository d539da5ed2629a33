import type { Machine } from '@bourse/common/kernel/machine.ts'
import { formatAmount } from '@bourse/common/money/amount.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import type { AccountKind } from '@bourse/risk-rules/ledger/accounts.ts'
import {
  accountsQuestion,
  decodeAccounts,
  decodeHolds,
  decodeSums,
  holdsQuestion,
  PAGE_LIMIT_MAX,
  sumsQuestion,
} from '@bourse/risk-rules/ledger/queries.ts'
import type { AccountRecord, OpenHold, Sum } from '@bourse/risk-rules/ledger/queries.ts'
import { closeReasons, decodeOpenIdsAnswer, encodeOpenIdsQuery } from '@bourse/risk-rules/trading/codec.ts'
import type { ClosedTrade, OpenIdItem } from '@bourse/risk-rules/trading/codec.ts'
import { ownerKey } from './money.ts'
import type { ReplayMoney } from './money.ts'
import type { ReplayRow } from './rows.ts'

/** One statement about the money at the end of a replay, and whether it holds. */
export interface MoneyStatement {
  readonly name: string
  readonly ok: boolean
  /** What was found, in figures. */
  readonly found: string
}

/** All statements, and the sums behind them. Amounts are decimal strings. */
export interface MoneyReport {
  readonly ok: boolean
  readonly currency: string
  readonly balances: Readonly<Record<string, string>>
  readonly openMargins: string
  readonly statements: readonly MoneyStatement[]
}

/** Kinds of accounts that a replay moves money between. */
const KINDS = [
  'customer',
  'house',
  'fees',
  'insurance',
  'clearing',
  'promotion',
] as const satisfies readonly AccountKind[]

interface Slotted {
  readonly slot: number
}

const allPages = <Item extends Slotted>(page: (afterSlot: number) => readonly Item[]): Item[] => {
  const items: Item[] = []
  for (let next = page(0); next.length > 0; next = page(next.at(-1)!.slot)) items.push(...next)
  return items
}

const accountsOf = (ledger: Machine): AccountRecord[] =>
  allPages((afterSlot) => decodeAccounts(ledger.query(accountsQuestion(afterSlot, PAGE_LIMIT_MAX)).bytes))

const holdsOf = (ledger: Machine): OpenHold[] =>
  allPages((afterSlot) => decodeHolds(ledger.query(holdsQuestion(afterSlot, PAGE_LIMIT_MAX)).bytes))

const openIdsOf = (trading: Machine): OpenIdItem[] => {
  const items: OpenIdItem[] = []
  for (let cursor = 0n; ;) {
    const page = decodeOpenIdsAnswer(trading.query(encodeOpenIdsQuery(cursor)).bytes)
    items.push(...page.items)
    if (!page.more) return items
    cursor = page.cursor
  }
}

const sumOf = <Item>(items: Iterable<Item>, of: (item: Item) => Units): Units => {
  let sum = 0n
  for (const item of items) sum += of(item)
  return sum
}

/**
 * What a trade has changed its account's balance by: the margin stays in the balance, locked, until the trade
 * is closed.
 */
const changeOf = ({ fate }: ReplayRow): Units => {
  if (fate.state === 'open') return -fate.opened.openFee
  return fate.state === 'closed' ? fate.closed.returned - fate.closed.margin - fate.closed.openFee : 0n
}

/**
 * The contract's "Close" once more, from the row alone: nothing is returned but what margin, pnl, funding and
 * fee leave.
 */
const isWholeRow = ({ fate }: ReplayRow): boolean => {
  if (fate.state !== 'closed') return true
  const { margin, pnl, funding, fees, openFee, closeFee, returned, deficit } = fate.closed
  const rest = margin + pnl - funding
  const isSplit =
    rest >= 0n
      ? returned === rest - closeFee && deficit === 0n
      : returned === 0n && closeFee === 0n && deficit === -rest
  return isSplit && fees === openFee + closeFee && returned >= 0n && closeFee >= 0n
}

const isLiquidation = ({ reason }: ClosedTrade): boolean => reason === closeReasons.LIQUIDATION

/** What the rows say that fees came to: open fees of all, close fees of all that were not liquidated. */
const feesOf = (rows: readonly ReplayRow[]): Units =>
  sumOf(rows, ({ fate }) => {
    if (fate.state === 'open') return fate.opened.openFee
    if (fate.state !== 'closed') return 0n
    return fate.closed.openFee + (isLiquidation(fate.closed) ? 0n : fate.closed.closeFee)
  })

/**
 * What customers and the accounts of fees and insurance have between them changed by is what the house has,
 * reversed.
 */
const houseOf = (rows: readonly ReplayRow[]): Units =>
  sumOf(rows, ({ fate }) =>
    fate.state === 'closed' ? fate.closed.margin - fate.closed.returned - fate.closed.closeFee : 0n,
  )

const liquidationFeesOf = (rows: readonly ReplayRow[]): Units =>
  sumOf(rows, ({ fate }) => (fate.state === 'closed' && isLiquidation(fate.closed) ? fate.closed.closeFee : 0n))

const wrongBalances = (
  accounts: readonly AccountRecord[],
  rows: readonly ReplayRow[],
  { grants }: ReplayMoney,
): number => {
  const expected = new Map(grants)
  for (const row of rows) {
    const key = ownerKey(row.requested.account)
    expected.set(key, (expected.get(key) ?? 0n) + changeOf(row))
  }
  const customers = accounts.filter(({ kind }) => kind === 'customer')
  const wrong = customers.filter(({ owner, balance }) => balance !== expected.get(ownerKey(owner))).length
  return wrong + Math.abs(customers.length - expected.size)
}

const wrongHolds = (holds: readonly OpenHold[], openIds: readonly OpenIdItem[]): number => {
  const margins = new Map(openIds.map(({ openId, margin }) => [ownerKey(openId), margin]))
  const wrong = holds.filter(({ id, index, amount }) => index !== 0 || margins.get(ownerKey(id)) !== amount).length
  return wrong + Math.abs(holds.length - margins.size)
}

/** What ledger and engines say at the end. */
interface Books {
  readonly sums: readonly Sum[]
  readonly accounts: readonly AccountRecord[]
  readonly holds: readonly OpenHold[]
  readonly openIds: readonly OpenIdItem[]
  readonly balanceOf: (kind: AccountKind) => Units
}

const booksOf = (ledger: Machine, machines: readonly Machine[]): Books => {
  const sums = decodeSums(ledger.query(sumsQuestion()).bytes)
  return {
    sums,
    accounts: accountsOf(ledger),
    holds: holdsOf(ledger),
    openIds: machines.flatMap(openIdsOf),
    balanceOf: (kind) =>
      sumOf(
        sums.filter((sum) => sum.kind === kind),
        ({ balance }) => balance,
      ),
  }
}

const marginsOf = (openIds: readonly OpenIdItem[]): Units => sumOf(openIds, ({ margin }) => margin)

/** The books against themselves and against the open trades. */
const bookStatements = ({ sums, accounts, holds, openIds, balanceOf }: Books, money: ReplayMoney): MoneyStatement[] => {
  const { count, first } = money.faults()
  const currencies = new Set(sums.map(({ currency }) => currency)).size
  const total = sumOf(sums, ({ balance }) => balance)
  const customers = accounts.filter(({ kind }) => kind === 'customer')
  const negative = customers.filter(({ balance, locked }) => balance < locked || locked < 0n).length
  const locked = sumOf(sums, (sum) => sum.locked)
  const margins = marginsOf(openIds)
  const wrong = wrongHolds(holds, openIds)
  return [
    {
      name: 'the ledger took every effect',
      ok: count === 0,
      found: `${count} refused${first === null ? '' : `, the first ${first}`}`,
    },
    { name: 'all balances add up to zero', ok: total === 0n && currencies <= 1, found: formatAmount(total) },
    {
      name: 'clearing is at zero',
      ok: balanceOf('clearing') === 0n,
      found: formatAmount(balanceOf('clearing')),
    },
    {
      name: 'no customer is below zero',
      ok: negative === 0,
      found: `${negative} of ${customers.length} accounts`,
    },
    {
      name: 'what the ledger holds is the margins of open trades',
      ok: locked === margins && wrong === 0,
      found: `${formatAmount(locked)} held, ${formatAmount(margins)} margins, ${wrong} of ${openIds.length} wrong`,
    },
  ]
}

/** The books against the rows. */
const rowStatements = (
  { accounts, balanceOf }: Books,
  rows: readonly ReplayRow[],
  money: ReplayMoney,
  insuranceAtFirst: Units,
): MoneyStatement[] => {
  const wrongAccounts = wrongBalances(accounts, rows, money)
  const wrongRows = rows.filter((row) => !isWholeRow(row)).length
  const refunded = insuranceAtFirst + liquidationFeesOf(rows) - balanceOf('insurance')
  const house = houseOf(rows) + refunded - insuranceAtFirst
  return [
    {
      name: 'every customer has what the rows say',
      ok: wrongAccounts === 0,
      found: `${wrongAccounts} of ${money.grants.size} accounts wrong`,
    },
    { name: 'every row adds up', ok: wrongRows === 0, found: `${wrongRows} of ${rows.length} rows wrong` },
    {
      name: 'fees are what the rows say',
      ok: balanceOf('fees') === feesOf(rows),
      found: formatAmount(balanceOf('fees')),
    },
    {
      name: 'the house has what the rows and the insurance say',
      ok: balanceOf('house') === house && refunded >= 0n,
      found: `${formatAmount(balanceOf('house'))}, of it ${formatAmount(refunded)} refunded by the insurance`,
    },
  ]
}

/**
 * Whether the money of a replay is right when everything has settled: the ledger's books against themselves,
 * against the open trades and against the rows.
 */
export const checkMoney = (deps: {
  readonly money: ReplayMoney
  readonly machines: readonly Machine[]
  readonly rows: readonly ReplayRow[]
  readonly currency: string
  readonly insuranceAtFirst: Units
}): MoneyReport => {
  const { money, rows, currency, insuranceAtFirst } = deps
  const books = booksOf(money.ledger, deps.machines)
  const statements = [...bookStatements(books, money), ...rowStatements(books, rows, money, insuranceAtFirst)]
  return {
    ok: statements.every(({ ok }) => ok),
    currency,
    balances: Object.fromEntries(KINDS.map((kind) => [kind, formatAmount(books.balanceOf(kind))])),
    openMargins: formatAmount(marginsOf(books.openIds)),
    statements,
  }
}
