import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { bankEventModel, type BankEventView } from '@bourse/common/views/models.ts'
import { formatAtLeast } from '../codec/present.ts'
import { storedEvent, type StoredAmount, type StoredEvent } from './stored.ts'
import type { BankStatement } from './types.ts'

/** Events of one statement at most. */
export const STATEMENT_EVENTS_MAX = 50_000
const PAGE = 500

const lastSequence = async (views: Views, bank: string): Promise<number> => {
  const [newest] = await views.find(bankEventModel, {
    filter: { bank },
    sortBy: 'sequence',
    direction: 'descending',
    limit: 1,
  })
  return newest?.sequence ?? 0
}

const eventAt = async (views: Views, bank: string, sequence: number): Promise<BankEventView> => {
  const event = await views.get(bankEventModel, `${bank}:${sequence}`)
  if (event === null) throw new Error(`event ${sequence} of bank ${bank} is missing in the view`)
  return event
}

/** The first event at or after a moment; one past the last when there is none. Events are numbered in order of time. */
const firstAtOrAfter = async (views: Views, bank: string, atMs: number, last: number): Promise<number> => {
  let low = 1
  let high = last + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((await eventAt(views, bank, middle)).createdAtMs >= atMs) high = middle
    else low = middle + 1
  }
  return low
}

const totalsBefore = async (views: Views, bank: string, sequence: number): Promise<readonly StoredAmount[]> =>
  sequence <= 1 ? [] : storedEvent((await eventAt(views, bank, sequence - 1)).payload).totals

const asBalances = (totals: readonly StoredAmount[]): { readonly currency: string; readonly balance: string }[] =>
  totals.map(({ currency, amount }) => ({ currency, balance: amount }))

const sumSpread = (events: readonly StoredEvent[]): { readonly currency: string; readonly amount: string }[] => {
  const sums = new Map<string, bigint>()
  for (const { spread } of events) {
    if (spread !== null) sums.set(spread.currency, (sums.get(spread.currency) ?? 0n) + parseAmount(spread.amount))
  }
  return [...sums].map(([currency, amount]) => ({ currency, amount: formatAtLeast(amount, 2) }))
}

/** Events first … before, in order. */
const readEvents = async (views: Views, bank: string, first: number, before: number): Promise<BankEventView[]> => {
  const events: BankEventView[] = []
  for (let next = first; next < before;) {
    const filter = { bank, sequence: { gte: next, lt: before } }
    const page = await views.find(bankEventModel, { filter, sortBy: 'sequence', direction: 'ascending', limit: PAGE })
    const end = page.at(-1)
    if (end === undefined) throw new Error(`event ${next} of bank ${bank} is missing in the view`)
    events.push(...page)
    next = end.sequence + 1
  }
  return events
}

/**
 * The statement of a bank: its customers' entries from `fromMs` up to (not at) `toMs`, by the moment a transaction ended.
 * Opening balance + entries = closing balance, in each currency.
 */
export const readStatement = async (
  views: Views,
  bank: string,
  range: { readonly fromMs: number; readonly toMs: number; readonly asOfMs: number },
): Promise<Result<BankStatement>> => {
  const last = await lastSequence(views, bank)
  const first = await firstAtOrAfter(views, bank, range.fromMs, last)
  const before = await firstAtOrAfter(views, bank, range.toMs, last)
  if (before - first > STATEMENT_EVENTS_MAX) {
    const message = `more than ${STATEMENT_EVENTS_MAX} transactions lie between from and to; ask for a shorter time`
    return refuse('VALIDATION_ERROR', message)
  }
  const events = await readEvents(views, bank, first, before)
  const stored = events.map((event) => storedEvent(event.payload))
  return ok({
    ...range,
    opening: asBalances(await totalsBefore(views, bank, first)),
    closing: asBalances(await totalsBefore(views, bank, before)),
    spreadEarned: sumSpread(stored),
    entries: stored.flatMap(({ entries, bankUserId, type }, index) =>
      entries.map((entry) => ({ ...entry, bankUserId, type, atMs: events[index]?.createdAtMs ?? 0 })),
    ),
  })
}
