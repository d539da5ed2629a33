import type { Machine } from '@bourse/common/kernel/machine.ts'
import { formatAmount } from '@bourse/common/money/amount.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { AccountKind } from '@bourse/risk-rules/ledger/accounts.ts'
import {
  accountsQuestion, decodeAccounts, decodeHolds, decodeSums, holdsQuestion, PAGE_LIMIT_MAX, sumsQuestion,
} from '@bourse/risk-rules/ledger/queries.ts'
import type { AccountRecord, OpenHold } from '@bourse/risk-rules/ledger/queries.ts'
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
const KINDS = ['customer', 'house', 'fees', 'insurance', 'clearing', 'promotion'] as const satisfies readonly AccountKind[]

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
  for (let cursor = 0n; ; ) {
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

/** What a trade has changed its account's balance by: the margin stays in the balance, locked, until the trade is closed. */
const changeOf = ({ fate }: ReplayRow): Units => {
  if (fate.state === 'open') return -fate.opened.openFee
  return fate.state === 'closed' ? fate.closed.returned - fate.closed.margin - fate.closed.openFee : 0n
}

/** The contract's "Close" once more, from the row alone: nothing is returned but what margin, pnl, funding and fee leave. */
const isWholeRow = ({ fate }: ReplayRow): boolean => {
  if (fate.state !== 'closed') return true
  const { margin, pnl, funding, fees, openFee, closeFee, returned, deficit } = fate.closed
  const rest = margin + pnl - funding
  const isSplit = rest >= 0n ? returned === rest - closeFee && deficit === 0n : returned === 0n && closeFee === 0n && deficit === -rest
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

/** What customers and the accounts of fees and insurance have between them changed by is what the house has, reversed. */
const houseOf = (rows: readonly ReplayRow[]): Units =>
  sumOf(rows, ({ fate }) => (fate.state === 'closed' ? fate.closed.margin - fate.closed.returned - fate.closed.closeFee : 0n))

const liquidationFeesOf = (rows: readonly ReplayRow[]): Units =>
  sumOf(rows, ({ fate }) => (fate.state === 'closed' && isLiquidation(fate.closed) ? fate.closed.closeFee : 0n))

const wrongBalances = (accounts: readonly AccountRecord[], rows: readonly ReplayRow[], { grants }: ReplayMoney): number => {
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

/**
 * Whether the money of a replay is right when everything has settled: the ledger's books against themselves, against the open trades
 * and against the rows.
 */
export const checkMoney = (deps: {
  readonly money: ReplayMoney
  readonly machines: readonly Machine[]
  readonly rows: readonly ReplayRow[]
  readonly spec: TradingPairSpec
  readonly insuranceAtFirst: Units
}): MoneyReport => {
  const { money, rows, spec, insuranceAtFirst } = deps
  const { ledger } = money
  const sums = decodeSums(ledger.query(sumsQuestion()).bytes)
  const accounts = accountsOf(ledger)
  const holds = holdsOf(ledger)
  const openIds = deps.machines.flatMap(openIdsOf)
  const balanceOf = (kind: AccountKind): Units => sums.find((sum) => sum.kind === kind)?.balance ?? 0n
  const total = sumOf(sums, ({ balance }) => balance)
  const locked = sumOf(sums, (sum) => sum.locked)
  const margins = sumOf(openIds, ({ margin }) => margin)
  const negative = accounts.filter((account) => account.kind === 'customer' && account.balance < account.locked).length
  const refunded = insuranceAtFirst + liquidationFeesOf(rows) - balanceOf('insurance')
  const refused = money.faults()
  const statement = (name: string, ok: boolean, found: string): MoneyStatement => ({ name, ok, found })
  const statements = [
    statement('the ledger took every effect', refused.count === 0, `${refused.count} refused${refused.first === null ? '' : `, the first ${refused.first}`}`),
    statement('all balances add up to zero', total === 0n, formatAmount(total)),
    statement('clearing is at zero', balanceOf('clearing') === 0n, formatAmount(balanceOf('clearing'))),
    statement('no customer is below zero', negative === 0, `${negative} of ${money.grants.size} accounts`),
    statement(
      'what the ledger holds is the margins of open trades',
      locked === margins && wrongHolds(holds, openIds) === 0,
      `${formatAmount(locked)} held, ${formatAmount(margins)} of margins, ${wrongHolds(holds, openIds)} of ${openIds.length} holds wrong`,
    ),
    statement(
      'every customer has what the rows say',
      wrongBalances(accounts, rows, money) === 0,
      `${wrongBalances(accounts, rows, money)} of ${money.grants.size} accounts wrong`,
    ),
    statement('every row adds up', rows.every(isWholeRow), `${rows.filter((row) => !isWholeRow(row)).length} of ${rows.length} rows wrong`),
    statement('fees are what the rows say', balanceOf('fees') === feesOf(rows), formatAmount(balanceOf('fees'))),
    statement(
      'the house has what the rows and the insurance say',
      balanceOf('house') === houseOf(rows) + refunded - insuranceAtFirst && refunded >= 0n,
      `${formatAmount(balanceOf('house'))}, of it ${formatAmount(refunded)} refunded by the insurance`,
    ),
  ]
  return {
    ok: statements.every(({ ok }) => ok),
    currency: spec.quoteAsset,
    balances: Object.fromEntries(KINDS.map((kind) => [kind, formatAmount(balanceOf(kind))])),
    openMargins: formatAmount(margins),
    statements,
  }
}
