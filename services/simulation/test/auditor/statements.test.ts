import { isDeepStrictEqual } from 'node:util'
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { BankOutcome, BankTransaction } from '@bourse/bridge/client/types.ts'
import type { Journal, StoredRecord } from '@bourse/common/ports/journal.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { bankEventModel, ledgerEntryModel, tradeModel } from '@bourse/common/views/models.ts'
import type { Balance } from '@bourse/ledger/client/types.ts'
import type { OpenTrade } from '@bourse/trading/client/types.ts'
import { allPartitions } from '@bourse/common/platform/topology.ts'
import { audit, type AuditInput } from '../../src/auditor/audit.ts'
import { followAll, type Books } from '../../src/auditor/books.ts'
import type { Case } from '../../src/auditor/statements/case.ts'
import { readJournals, type Journals } from '../../src/auditor/evidence/journals.ts'
import { createFindings, FINDINGS_PER_STATEMENT_MAX } from '../../src/auditor/findings.ts'
import type { Account, Done, Hold } from '../../src/auditor/model/ledger/book.ts'
import { checkAnswers } from '../../src/auditor/statements/answers/answers.ts'
import { checkHolds, checkSums } from '../../src/auditor/statements/money.ts'
import { checkAuthorizations, checkBankEvents, checkExchange } from '../../src/auditor/statements/outside.ts'
import { checkReads } from '../../src/auditor/statements/reads.ts'
import { checkLedgerState, checkReplay } from '../../src/auditor/statements/replay.ts'
import { checkSpecs } from '../../src/auditor/statements/specs.ts'
import { checkBankTransfers, checkTradeTransfers } from '../../src/auditor/statements/transfers.ts'
import { checkRebuild, checkViewContents, readViews, type ViewDocuments } from '../../src/auditor/statements/views.ts'
import type { AnyAnswer, Call, Request } from '../../src/history/history.ts'
import { caseOf, createEar, journalsOf, richRun } from './settled-run.ts'

/** The runs that are audited take as long as the machine lets them. */
const LIMIT_MS = 900_000

let input: AuditInput
let journals: Journals
let books: Books
beforeAll(async () => {
  input = await richRun(7, 300)
  journals = await journalsOf(input)
}, LIMIT_MS)
beforeEach(() => {
  // Tests change what they are given.
  books = followAll(journals, createEar().complain)
})

const heardOf = (check: (complain: ReturnType<typeof createEar>['complain']) => void): readonly string[] => {
  const { complain, heard } = createEar()
  check(complain)
  return heard
}
const accounts = (): Account[] => [...books.ledgers.values()].flatMap((book) => [...book.accounts.values()])
const accountOf = (kind: string): Account => accounts().find((account) => account.key.kind === kind)!
const lives = () => [...books.bridges.values()].flatMap(({ transactions }) => [...transactions.values()])

describe('money', () => {
  test('that is not zero-sum, or rests in clearing, is found by one unit', () => {
    const sums = (): readonly string[] => heardOf((complain) => checkSums(books, complain))
    expect(sums()).toEqual([])
    accountOf('house').balance += 1n
    expect(sums()).toEqual(['zero-sum'])
    accountOf('house').balance -= 1n
    const house = accountOf('house')
    const [book] = [...books.ledgers.values()]
    const map = book!.accounts as Map<string, Account>
    map.set('clearing', { ...house, key: { ...house.key, kind: 'clearing' }, balance: 1n })
    map.set('other house', { ...house, balance: -1n })
    expect(sums()).toEqual(['zero-sum'])
  })

  test('of a customer below zero or below what is locked is found', () => {
    const account = accountOf('customer')
    account.locked = account.balance + 1n
    expect(heardOf((complain) => checkSums(books, complain))).toContain('never-below-zero')
  })

  test('that is locked for nothing, in another amount, or not locked for an open trade is found', () => {
    const holds = (): readonly string[] => heardOf((complain) => checkHolds(books, complain))
    expect(holds()).toEqual([])
    const book = [...books.ledgers.values()].find((one) => one.holds.size > 0)!
    const map = book.holds as Map<string, Hold>
    const [name, hold] = [...map][0]!
    map.set('more/0', hold)
    expect(holds()).toContain('locked-is-margins')
    map.delete('more/0')
    map.set(name, { ...hold, amount: hold.amount + 1n })
    expect(holds()).toContain('locked-is-margins')
    map.delete(name)
    expect(holds()).toContain('locked-is-margins')
  })

  test('of a trade or a bank transaction that moved twice, never, or to another amount is found', () => {
    const trades = (): readonly string[] => heardOf((complain) => checkTradeTransfers(books, complain))
    const banks = (): readonly string[] =>
      heardOf((complain) => checkBankTransfers(books, input.topology.ledgerPartitions, complain))
    expect([trades(), banks()]).toEqual([[], []])
    const anyLegs = [...books.ledgers.values()].flatMap(({ done }) => done.flatMap((one) => one.instruction.legs))
    for (const [check, types] of [
      [trades, [2, 3]],
      [banks, [6, 8, 9]],
    ] as const) {
      for (const type of types) {
        const isMeant = ({ instruction }: Done): boolean => instruction.transactionType === type
        const book = [...books.ledgers.values()].find(({ done }) => done.some(isMeant))!
        const done = book.done as unknown as (typeof book.done)[number][]
        const index = done.findIndex(isMeant)
        const [one] = done.splice(index, 1)
        expect(check()).not.toEqual([])
        done.push(one!, one!)
        expect(check()).not.toEqual([])
        done.pop()
        expect(check()).toEqual([])
        // A market without a fee settles without legs: then there is one too many.
        const { legs: before } = one!.instruction
        const [leg] = before.length > 0 ? before : anyLegs
        const legs = [{ ...leg!, amount: leg!.amount + 1n }, ...before.slice(1)]
        done[done.length - 1] = { ...one!, instruction: { ...one!.instruction, legs } }
        expect(check()).not.toEqual([])
        done[done.length - 1] = one!
      }
    }
  })
})

describe('the outside', () => {
  test("an exchange's order that is missing, doubled, of nobody or of another price or quantity is found", () => {
    const exchange = (orders: typeof input.orders): readonly string[] =>
      heardOf((complain) => checkExchange(books, orders, complain))
    const { orders } = input
    const at = orders.findIndex(({ status }) => status === 'FILLED')
    const filled = orders[at]!
    expect(exchange(orders)).toEqual([])
    expect(exchange(orders.filter((order) => order !== filled))).toEqual(['exchange-books'])
    expect(exchange([...orders, filled])).toEqual(['exchange-books'])
    expect(exchange([...orders, { ...filled, clientOrderId: 'tx_other' }])).toEqual(['exchange-books'])
    for (const change of [
      { executedPrice: `${filled.executedPrice}00001` },
      { executedQty: '0.00000001' },
      { side: 'OTHER' as 'BUY' },
      { status: 'REJECTED' as const },
    ])
      expect(exchange(orders.with(at, { ...filled, ...change }))).toEqual(['exchange-books'])
  })

  test("a bank's event that is missing, doubled, out of order, or says something else is found", () => {
    const bank = input.bankRecords.find(({ events }) => events.length > 2)!
    const heard = (events: typeof bank.events): readonly string[] =>
      heardOf((complain) => checkBankEvents(books, { ...bank, events }, complain))
    const { events } = bank
    expect(heard(events)).toEqual([])
    expect(heard(events.slice(0, -1))).toEqual(['bank-events'])
    expect(heard(events.toSpliced(1, 1))).toContain('bank-events')
    expect(heard([...events, events.at(-1)!])).toEqual(['bank-events'])
    expect(heard([events[1]!, events[0]!, ...events.slice(2)])).toContain('bank-events')
    const at = events.findIndex(({ type }) => type === 'transaction.completed')
    const told = events[at]!
    expect(
      heard(
        events.with(at, {
          ...told,
          data: { ...told.data, feeAmount: '0.12345678' },
        }),
      ),
    ).toEqual(['bank-events'])
    expect(heard(events.with(at, { ...told, type: 'transaction.failed' }))).toEqual(['bank-events'])
  })

  test('an authorization that stands although the trade failed, or that was taken back although it did not, is found', () => {
    for (const bank of input.bankRecords) {
      const heard = (transactions: typeof bank.transactions): readonly string[] =>
        heardOf((complain) => checkAuthorizations(books, { ...bank, transactions }, complain))
      expect(heard(bank.transactions)).toEqual([])
      const other = { AUTHORIZED: 'REVERSED', REVERSED: 'AUTHORIZED', DECLINED: 'AUTHORIZED' } as const
      const [first] = bank.transactions
      if (first === undefined) continue
      expect(heard(bank.transactions.with(0, { ...first, state: other[first.state] }))).toEqual(['authorizations'])
      expect(heard(bank.transactions.slice(1))).toEqual(['authorizations'])
      expect(heard([...bank.transactions, { ...first, transactionId: 'tx_other' }])).toEqual(['authorizations'])
    }
  })
})

/** Calls with the last successful one of a kind changed. */
const withCall = (
  kind: Request['kind'],
  change: (call: Call, value: never) => Partial<Call>,
  isIt: (value: never) => boolean = () => true,
): readonly Call[] => {
  const at = input.calls.findLastIndex(
    ({ request, answer }) => request.kind === kind && answer?.ok === true && isIt(answer.value as never),
  )
  const call = input.calls[at]!
  return input.calls.with(at, { ...call, ...change(call, (call.answer as unknown as { readonly value: never }).value) })
}
const ok = (value: unknown): { readonly answer: AnyAnswer } => ({ answer: { ok: true, value } as AnyAnswer })
const heardOn = (check: (on: Case) => void, change: Partial<Case>): readonly string[] =>
  heardOf((complain) => check(caseOf(input, journals, complain, { books, ...change })))

describe('an answer', () => {
  const answers = (calls: readonly Call[]): readonly string[] => heardOn(checkAnswers, { calls })

  test('is still true in a sound run', () => expect(answers(input.calls)).toEqual([]))

  test.each(['openFee', 'quantity', 'entryPrice', 'margin', 'liquidationPrice'] as const)(
    'about an opened trade with another %s is found',
    (field) => {
      expect(
        answers(withCall('open-trade', (_, trade: OpenTrade) => ok({ ...trade, [field]: (trade[field] ?? 0n) + 1n }))),
      ).toContain('answers-still-true')
    },
  )

  test.each(['stopLossPrice', 'takeProfitPrice', 'liquidationPrice', 'quantity'] as const)(
    'about an updated trade with another %s is found',
    (field) => {
      const changed = (_: Call, trade: OpenTrade) => ok({ ...trade, [field]: (trade[field] ?? 0n) + 1n })
      expect(answers(withCall('update-trade', changed))).toContain('answers-still-true')
    },
  )

  test('about an update that never was, or one given before it was on the disk, is found', () => {
    expect(answers(withCall('update-trade', () => ({ answeredAtMs: 0 })))).toContain('answers-still-true')
    for (const { lives: all } of books.markets.values()) for (const life of all.values()) life.changes.splice(0)
    expect(answers(input.calls)).toContain('answers-still-true')
  })

  test('about a trade or a transaction that vanished, or one given before it was on the disk, is found', () => {
    expect(
      answers(withCall('open-trade', (_, trade: OpenTrade) => ok({ ...trade, tradeId: 'trade_72057594037929999' }))),
    ).toContain('answers-still-true')
    expect(answers(withCall('open-trade', () => ({ answeredAtMs: 0 })))).toContain('answers-still-true')
    expect(answers(withCall('adjust', () => ok({ transactionId: '16777216:99999' })))).toContain('answers-still-true')
    expect(
      answers(withCall('bank-move', () => ok({ kind: 'pending', transactionId: `tx_${'0'.repeat(32)}` }))),
    ).toContain('answers-still-true')
  })

  test('about a bank transaction with another amount, fee, entry or end is found', () => {
    const isDone = ({ kind, ...rest }: BankOutcome): boolean =>
      kind === 'final' && (rest as { transaction: BankTransaction }).transaction.feeAmount !== null
    const told = (change: (transaction: BankTransaction) => Partial<BankTransaction>): readonly string[] =>
      answers(
        withCall(
          'bank-trade',
          (_, { transaction }: { transaction: BankTransaction }) =>
            ok({ kind: 'final', transaction: { ...transaction, ...change(transaction) } }),
          isDone,
        ),
      )
    expect(told(() => ({ feeAmount: '0.12345678' }))).toContain('answers-still-true')
    expect(told(() => ({ amountOut: '0.00000001' }))).toContain('answers-still-true')
    expect(told(() => ({ status: 'FAILED' }))).toContain('answers-still-true')
    expect(told(({ entries }) => ({ entries: entries.toReversed() }))).toContain('answers-still-true')
    expect(
      told(({ entries }) => ({ entries: entries.map((entry) => ({ ...entry, balanceAfter: '1.00' })) })),
    ).toContain('answers-still-true')
  })

  test('that refuses what was executed, or differs from the first answer under its key, is found', () => {
    const refusal = { answer: { ok: false, refusal: { code: 'INSUFFICIENT_FUNDS', message: '' } } } as const
    expect(answers(withCall('open-trade', () => refusal))).toEqual(
      expect.arrayContaining(['answers-still-true', 'repeats-answer-the-same']),
    )
    const conflict = { answer: { ok: false, refusal: { code: 'IDEMPOTENCY_CONFLICT', message: '' } } } as const
    expect(answers(withCall('adjust', () => conflict))).toContain('answers-still-true')
  })
})

describe('a strong read', () => {
  const reads = (calls: readonly Call[], change: Partial<Case> = {}): readonly string[] =>
    heardOn(checkReads, { calls, ...change })

  test('never goes back in a sound run', () => expect(reads(input.calls)).toEqual([]))

  test('of a balance that is one unit off, of an older version, or of a moment before it was asked is found', () => {
    for (const field of ['balance', 'locked', 'version'] as const)
      expect(
        reads(
          withCall('balances', (_, told: readonly Balance[]) =>
            ok(told.map((one) => ({ ...one, [field]: one[field] - 1n }))),
          ),
        ),
      ).toContain('strong-reads')
    const read = input.calls.filter(({ request, answer }) => request.kind === 'balances' && answer?.ok === true)
    const versions = ({ answer }: Call): string =>
      (answer as unknown as { readonly value: readonly Balance[] }).value.map(({ version }) => version).join()
    const isOld = (one: Call): boolean =>
      read.some((other) => isDeepStrictEqual(other.request, one.request) && versions(other) !== versions(one))
    const first = read.find(isOld)!
    // An old answer told late: asked now, it is the state of long ago.
    const stale = { ...first, calledAtMs: Number.MAX_SAFE_INTEGER - 1, answeredAtMs: Number.MAX_SAFE_INTEGER }
    expect(reads([stale])).toEqual(['strong-reads'])
  })

  test('of open trades that leaves one out, or tells another price, is found', () => {
    const isFull = (told: readonly OpenTrade[]): boolean => told.length > 0
    expect(reads(withCall('open-trades', (_, told: readonly OpenTrade[]) => ok(told.slice(1)), isFull))).toContain(
      'strong-reads',
    )
    expect(
      reads(
        withCall(
          'open-trades',
          (_, told: readonly OpenTrade[]) => ok(told.map((one) => ({ ...one, fundingCost: one.fundingCost + 1n }))),
          isFull,
        ),
      ),
    ).toContain('strong-reads')
  })

  test('of a bank’s customer or transaction that tells less than is known is found', () => {
    expect(
      reads(
        withCall(
          'bank-accounts',
          (_, told: readonly { readonly balance: string }[]) => ok(told.map((one) => ({ ...one, balance: '0.01' }))),
          (told: readonly unknown[]) => told.length > 0,
        ),
      ),
    ).toContain('strong-reads')
    expect(
      reads(withCall('bank-transaction', (_, told: BankTransaction) => ok({ ...told, status: 'PENDING' }))),
    ).toContain('strong-reads')
    const missing = { answer: { ok: false, refusal: { code: 'NOT_FOUND', message: '' } } } as const
    expect(reads(withCall('bank-transaction', () => missing))).toContain('strong-reads')
  })

  test('of events that leaves one out is found', () => {
    const isLong = (page: { readonly events: readonly unknown[] }): boolean => page.events.length > 1
    expect(
      reads(
        withCall(
          'bank-events',
          (_, page: { readonly events: readonly unknown[] }) => ok({ ...page, events: page.events.slice(1) }),
          isLong,
        ),
      ),
    ).toContain('lists-tell-the-truth')
  })
})

describe('the disks', () => {
  const findingsOf = async (change: Partial<AuditInput['disks']>): Promise<readonly string[]> => [
    ...new Set((await audit({ ...input, disks: { ...input.disks, ...change } })).map(({ statement }) => statement)),
  ]

  const journalWith = (change: (record: StoredRecord) => StoredRecord | null): Journal => ({
    ...input.disks.journal,
    readFrom: async function* (partition, sequence) {
      for await (const record of input.disks.journal.readFrom(partition, sequence)) {
        const changed =
          partition === allPartitions(input.topology)[0] && record.sequence === 3n ? change(record) : record
        if (changed !== null) yield changed
      }
    },
  })

  test('that lost a record or a byte of one are found', async () => {
    expect(await findingsOf({ journal: journalWith(() => null) })).toContain('hash-chain')
    expect(
      await findingsOf({
        journal: journalWith((record) => ({
          ...record,
          body: record.body.map((byte, at) => (at === 90 ? byte ^ 1 : byte)),
        })),
      }),
    ).toContain('hash-chain')
  })

  test('that do not give the state that is served, or whose snapshots are of another state, are found', async () => {
    const { factoryOf } = input
    const deps = { journals, snapshots: input.disks.snapshots, factoryOf, stateHash: async () => 'another' }
    const heard = createEar()
    const states = await checkReplay(deps, heard.complain)
    expect(new Set(heard.heard)).toEqual(new Set(['replay-from-genesis']))
    const snapshots: Snapshots = {
      ...input.disks.snapshots,
      list: async (partition) =>
        (await input.disks.snapshots.list(partition))
          .slice(0, 1)
          .map((info) => ({ ...info, sequence: info.sequence - 1n })),
      read: async (partition, sequence) => {
        const bytes = (await input.disks.snapshots.read(partition, sequence + 1n))!.slice()
        new DataView(bytes.buffer).setBigUint64(16, sequence, true)
        return bytes
      },
    }
    const ear = createEar()
    await checkReplay({ ...deps, snapshots, stateHash: async () => null }, ear.complain)
    expect(ear.heard).toContain('snapshots')
    const [partition, book] = [...books.ledgers][0]!
    accountOf('house').balance += 1n
    expect(heardOf((complain) => checkLedgerState(states.get(partition)!, book, complain))).toContain('ledger-decides')
  })
})

describe('the views', () => {
  let documents: ViewDocuments
  beforeAll(async () => {
    documents = await readViews(input.disks.views)
  })
  const rebuild = async (kept: ViewDocuments, views: Views = input.disks.views): Promise<readonly string[]> => {
    const { complain, heard } = createEar()
    await checkRebuild({ journals, views, topology: input.topology, documents: kept }, complain)
    return heard
  }

  test.each([tradeModel, ledgerEntryModel, bankEventModel])(
    '$name with a document too few, too many or different are found',
    async (model) => {
      const known = documents.get(model)!
      const [id, document] = [...known][0]!
      const change = (edit: (map: Map<string, typeof document>) => void): ViewDocuments => {
        const copy = new Map(known)
        edit(copy)
        return new Map(documents).set(model, copy)
      }
      const number = Object.entries(document).find(
        ([, value]) => typeof value === 'bigint' || typeof value === 'number',
      )![0]
      const edits = [
        change((map) => map.delete(id)),
        change((map) => map.set('more', { ...document, _id: 'more' })),
        change((map) => map.set(id, { ...document, [number]: -1n })),
      ]
      for (const edited of edits) {
        expect(await rebuild(edited)).toContain('views-equal-a-rebuild')
        expect(heardOf((complain) => checkViewContents(books, edited, complain))).toContain('views-tell-the-truth')
      }
    },
  )

  test('whose cursor is not at the head are found', async () => {
    const views = { ...input.disks.views, cursor: async () => 1n }
    expect(await rebuild(documents, views)).toContain('views-equal-a-rebuild')
    expect(await rebuild(documents)).toEqual([])
  })
})

describe('the rules', () => {
  test('that a partition works by are the last specs', () => {
    const [pair, ...pairs] = input.pairs
    const heard = (change: Partial<AuditInput>): readonly string[] =>
      heardOf((complain) => checkSpecs(books, { ...input, ...change }, complain))
    expect(heard({})).toEqual([])
    expect(heard({ pairs: [{ ...pair!, spreadBps: pair!.spreadBps + 1n }, ...pairs] })).toContain('specs-in-force')
    const [bank, ...banks] = input.banks
    expect(
      heard({
        banks: [{ ...bank!, spec: { ...bank!.spec, quotes: { ...bank!.spec.quotes, ttlSeconds: 99 } } }, ...banks],
      }),
    ).toEqual(['specs-in-force'])
  })

  test('of a report: findings of a statement are bounded, the rest is counted', () => {
    const { complain, all } = createFindings()
    for (let count = 0; count < FINDINGS_PER_STATEMENT_MAX + 3; count++) complain('a', String(count))
    expect([all().length, all().at(-1)?.message]).toEqual([
      FINDINGS_PER_STATEMENT_MAX + 1,
      'and 3 more findings of this statement',
    ])
    expect(lives().length).toBeGreaterThan(0)
  })

  test('of a journal of a partition that is none: it is found', async () => {
    const { complain, heard } = createEar()
    const journal = { ...input.disks.journal, partitions: async () => [0x01000063] }
    await readJournals(journal, allPartitions(input.topology), complain)
    expect(heard).toContain('hash-chain')
  })
})
