import { beforeAll, describe, expect, test } from '@jest/globals'
import { decodeReply, encodeReply, type Reply } from '@bourse/bridge/codec/reply.ts'
import { commandKinds } from '@bourse/bridge/codec/commands.ts'
import { isTrade, steps, type Transaction } from '@bourse/bridge/codec/transaction.ts'
import { partitionParts } from '@bourse/common/kernel/partition.ts'
import { ledgerKinds } from '@bourse/risk-rules/ledger/codec.ts'
import {
  closedTradeLayout,
  decodeTickOutcome,
  isKeptOutcome,
  listHeadLayout,
  openTradeLayout,
  tradingKinds,
  updatedTradeLayout,
} from '@bourse/risk-rules/trading/codec.ts'
import type { AuditInput } from '../../src/auditor/audit.ts'
import { audit } from '../../src/auditor/audit.ts'
import type { Entry, Journals } from '../../src/auditor/evidence/journals.ts'
import { checkEffects, checkLedgerEffects } from '../../src/auditor/statements/effects.ts'
import { followAll } from '../../src/auditor/books.ts'
import {
  addAt,
  complaintsOf,
  createEar,
  findEntry,
  isRefusedUpdate,
  journalsOf,
  richRun,
  withEntry,
  withOutcome,
  withRecord,
} from './settled-run.ts'

const BODY = 24
/** The runs that are audited take as long as the machine lets them. */
const LIMIT_MS = 900_000

let input: AuditInput
let journals: Journals
beforeAll(async () => {
  input = await richRun(27, 260)
  journals = await journalsOf(input)
}, LIMIT_MS)

const machineOf = ({ partition }: Entry): string => partitionParts(partition).machine
const isOk = (entry: Entry, machine: string, kind: number): boolean =>
  machineOf(entry) === machine && entry.header.kind === kind && entry.code === 0
const isOpened = (entry: Entry): boolean => isOk(entry, 'trading', tradingKinds.open) && !isKeptOutcome(entry.outcome)
const isClosed = (entry: Entry): boolean => isOk(entry, 'trading', tradingKinds.close) && !isKeptOutcome(entry.outcome)
const isUpdated = (entry: Entry): boolean =>
  isOk(entry, 'trading', tradingKinds.update) && !isKeptOutcome(entry.outcome)
const isClosingTick =
  (least: number) =>
  (entry: Entry): boolean =>
    isOk(entry, 'trading', tradingKinds.tick) && decodeTickOutcome(entry.outcome).closed.length >= least

test('a run without faults holds every statement', async () => {
  expect(await audit(input)).toEqual([])
})

describe('a difference of 1e-8', () => {
  test.each(['quantity', 'entryPrice', 'openFee', 'liquidationPrice', 'margin', 'fundingAtOpen'] as const)(
    'in the %s of an opened trade is found',
    (field) => {
      const place = findEntry(journals, isOpened)
      const edited = withOutcome(journals, place, addAt(BODY + openTradeLayout.offsets[field], 1n))
      expect(complaintsOf(edited)).toContain('trade-arithmetic')
    },
  )

  test.each(['exitPrice', 'pnl', 'funding', 'returned', 'fees', 'closeFee', 'deficit', 'liquidationPrice'] as const)(
    'in the %s of a closed trade is found',
    (field) => {
      const offset = closedTradeLayout.offsets[field]
      const byUser = withOutcome(journals, findEntry(journals, isClosed), addAt(BODY + offset, 1n))
      const place = findEntry(journals, isClosingTick(1))
      const byTick = withOutcome(journals, place, addAt(BODY + listHeadLayout.bytes + offset, -1n))
      for (const edited of [byUser, byTick]) expect(complaintsOf(edited)).toContain('trade-arithmetic')
    },
  )

  test.each(['stopLoss', 'takeProfit', 'liquidationPrice', 'quantity', 'openFee', 'margin'] as const)(
    'in the %s of an updated trade is found',
    (field) => {
      const place = findEntry(journals, isUpdated)
      const edited = withOutcome(journals, place, addAt(BODY + updatedTradeLayout.offsets[field], 1n))
      expect(complaintsOf(edited)).toContain('trade-arithmetic')
    },
  )

  test('in F is found', () => {
    const place = findEntry(journals, isClosingTick(0))
    const edited = withOutcome(journals, place, addAt(BODY + listHeadLayout.offsets.funding, 1n))
    expect(complaintsOf(edited)).toEqual(['funding'])
  })

  test('in a balance that the ledger tells is found', () => {
    const place = findEntry(journals, (entry) => isOk(entry, 'ledger', ledgerKinds.SETTLE))
    expect(complaintsOf(withOutcome(journals, place, addAt(BODY + 16, 1n)))).toContain('ledger-decides')
    expect(complaintsOf(withOutcome(journals, place, addAt(BODY, 1n)))).toContain('ledger-decides')
  })
})

describe('what a machine decides', () => {
  test('is judged: a trade that is opened or refused for another reason is found', () => {
    const opened = findEntry(journals, isOpened)
    const refusal = (code: number) => (view: DataView) => view.setUint16(4, code, true)
    expect(complaintsOf(withOutcome(journals, opened, refusal(65)))).toContain('opening')
    const refused = findEntry(
      journals,
      (entry) => machineOf(entry) === 'trading' && entry.header.kind === 2 && entry.code >= 64,
    )
    expect(complaintsOf(withOutcome(journals, refused, refusal(74)))).toContain('opening')
    const updated = findEntry(journals, isUpdated)
    expect(complaintsOf(withOutcome(journals, updated, refusal(69)))).toContain('update')
    const laterBy1 = addAt(BODY + updatedTradeLayout.offsets.updatedAt, 1n)
    expect(complaintsOf(withOutcome(journals, updated, laterBy1))).toContain('update')
    expect(complaintsOf(withOutcome(journals, findEntry(journals, isRefusedUpdate), refusal(72)))).toContain('update')
    const held = findEntry(journals, (entry) => isOk(entry, 'ledger', ledgerKinds.HOLD))
    expect(complaintsOf(withOutcome(journals, held, refusal(33)))).toContain('ledger-decides')
  })

  test('obeys the order of closes: a close for another reason, in another place or left out is found', () => {
    const place = findEntry(journals, isClosingTick(1))
    const reason = BODY + listHeadLayout.bytes + closedTradeLayout.offsets.reason
    const other = withOutcome(journals, place, (view) =>
      view.setUint32(reason, (view.getUint32(reason, true) % 3) + 1, true),
    )
    expect(complaintsOf(other)).toContain('close-precedence')
    const none = withOutcome(journals, place, (view) => view.setUint32(BODY, 0, true))
    expect(complaintsOf(none)).toContain('close-precedence')
  })

  test('is done once: a command that is executed again, answered otherwise, or is no conflict is found', () => {
    // A trader's hold sends a command on, and may come again when that was not accepted; the bridge's may not.
    const isOfBridge = ({ header }: Entry): boolean => header.sender !== 0
    const repeat = findEntry(journals, (entry) => isOk(entry, 'ledger', ledgerKinds.HOLD) && isOfBridge(entry))
    const again = (change: (entry: Entry) => Entry) =>
      withRecord(journals, repeat, (record) => {
        const entry = record.entries[repeat.entry]!
        return { ...record, entries: [...record.entries, change(entry)] }
      })
    expect(complaintsOf(again((entry) => entry))).toEqual([])
    const refused = again((entry) => ({ ...entry, code: 33, outcome: new Uint8Array(24) }))
    expect(complaintsOf(refused)).toContain('one-outcome')
    const otherRequest = again((entry) => ({ ...entry, header: { ...entry.header, requestHash: new Uint8Array(16) } }))
    expect(complaintsOf(otherRequest)).toContain('one-outcome')
    expect(complaintsOf(again((entry) => ({ ...entry, now: entry.now + 600_001n })))).toContain('one-outcome')
  })
})

describe('a bank transaction', () => {
  const isTold = (isIt: (transaction: Transaction) => boolean) => (entry: Entry) =>
    machineOf(entry) === 'bridge' && decodeReply(entry.outcome).transactions.some(isIt)
  const withReply = (isIt: (entry: Entry) => boolean, change: (reply: Reply) => Partial<Reply>): Journals =>
    withEntry(journals, findEntry(journals, isIt), ({ outcome, header }) => {
      const reply = decodeReply(outcome)
      return { outcome: encodeReply(header, { ...reply, ...change(reply) }) }
    })
  const withTransaction = (
    isIt: (transaction: Transaction) => boolean,
    change: (told: Transaction) => Partial<Transaction>,
  ) =>
    withReply(isTold(isIt), (reply) => ({
      transactions: reply.transactions.map((told) => (isIt(told) ? { ...told, ...change(told) } : told)),
    }))
  const isDone = (transaction: Transaction): boolean => transaction.step === steps.completed && isTrade(transaction)

  test.each([
    'price',
    'fiatAmount',
    'cryptoAmount',
    'spreadEarned',
    'executedPrice',
    'executedQuantity',
    'eventSequence',
  ] as const)('that is told with another %s, by 1e-8, is found', (field) => {
    expect(complaintsOf(withTransaction(isDone, (told) => ({ [field]: told[field] + 1n })))).toContain(
      'bank-arithmetic',
    )
  })

  test('that is accepted though it must be refused, or told without a reason or not at all, is found', () => {
    const isFailed = (transaction: Transaction): boolean =>
      transaction.step === steps.failed && !transaction.authorizationCalled
    expect(complaintsOf(withTransaction(isFailed, ({ code }) => ({ code: code === 97 ? 103 : 97 })))).not.toEqual([])
    expect(complaintsOf(withReply(isTold(isDone), () => ({ transactions: [] })))).toContain('bank-saga')
    const nothing = (entry: Entry): boolean =>
      machineOf(entry) === 'bridge' && decodeReply(entry.outcome).transactions.length === 0
    const other = decodeReply(
      [...journals.values()]
        .flat()
        .flatMap(({ entries }) => entries)
        .find(isTold(isDone))!.outcome,
    ).transactions
    expect(
      complaintsOf(
        withReply(
          (entry) => nothing(entry) && entry.header.kind > 100,
          () => ({ transactions: other }),
        ),
      ),
    ).toContain('bank-saga')
  })

  test('of a quote at another price is found, by 1e-8', () => {
    const isQuote = (entry: Entry): boolean =>
      isOk(entry, 'bridge', commandKinds.quote) && decodeReply(entry.outcome).quote !== null
    const edited = withReply(isQuote, ({ quote }) => ({ quote: { ...quote!, cryptoAmount: quote!.cryptoAmount + 1n } }))
    expect(complaintsOf(edited)).toContain('bank-arithmetic')
    const later = withReply(isQuote, ({ quote }) => ({ quote: { ...quote!, expiresAt: quote!.expiresAt + 1n } }))
    expect(complaintsOf(later)).toContain('bank-arithmetic')
  })
})

describe('an effect', () => {
  const complaintsAboutEffects = (edited: Journals): readonly string[] => {
    const { complain, heard } = createEar()
    checkEffects(edited, input.appended, complain)
    return heard
  }
  const arrival = (entry: Entry): boolean => entry.header.origin === 1 && machineOf(entry) === 'ledger'

  test('that never arrives, arrives twice, in another order or with other bytes is found', () => {
    expect(complaintsAboutEffects(journals)).toEqual([])
    const place = findEntry(journals, arrival)
    const entriesOf = (change: (entries: readonly Entry[], at: Entry) => readonly Entry[]) =>
      withRecord(journals, place, (record) => ({
        ...record,
        entries: change(record.entries, record.entries[place.entry]!),
      }))
    expect(complaintsAboutEffects(entriesOf((entries, at) => entries.filter((entry) => entry !== at)))).toContain(
      'effects-once',
    )
    expect(complaintsAboutEffects(entriesOf((entries, at) => [...entries, at]))).toContain('effects-once')
    const swapped = withEntry(journals, place, ({ header }) => ({
      header: { ...header, sequence: header.sequence - 1n },
    }))
    expect(complaintsAboutEffects(swapped)).toContain('effects-once')
    const other = withEntry(journals, place, ({ input: bytes }) => ({
      input: bytes.map((byte, at) => (at === 100 ? byte ^ 1 : byte)),
    }))
    expect(complaintsAboutEffects(other)).toContain('effects-once')
  })

  test('that is journaled by its receiver before its sender’s record was on the disk is found', () => {
    const { complain, heard } = createEar()
    const place = findEntry(journals, arrival)
    const early = {
      of: (partition: number, sequence: bigint) =>
        partition === place.partition && sequence === BigInt(place.record + 1) ? -1 : 0,
      headBefore: () => 0n,
      headAt: () => 0n,
    }
    checkEffects(journals, early, complain)
    expect(heard).toContain('effects-once')
  })

  test('of a trade that is left out, doubled or of another amount is found', () => {
    const place = findEntry(journals, isOpened)
    const withEffects = (
      change: (effects: readonly { readonly bytes: Uint8Array }[]) => readonly { readonly bytes: Uint8Array }[],
    ) =>
      withRecord(journals, place, (record) => ({
        ...record,
        record: { ...record.record, effects: change(record.record.effects) as typeof record.record.effects },
      }))
    expect(complaintsOf(withEffects((effects) => effects.slice(1)))).toContain('trade-transfers')
    expect(complaintsOf(withEffects((effects) => [...effects, ...effects]))).toContain('trade-transfers')
    const amountAt = 56 + 32 + 24 + 32
    const dearer = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at === amountAt ? byte ^ 1 : byte))
    expect(
      complaintsOf(withEffects((effects) => effects.map((effect) => ({ ...effect, bytes: dearer(effect.bytes) })))),
    ).toContain('trade-transfers')
  })

  test('of a ledger that is dropped is found', () => {
    const place = findEntry(journals, (entry, { record }) => machineOf(entry) === 'ledger' && record.effects.length > 0)
    const dropped = withRecord(journals, place, (record) => ({ ...record, record: { ...record.record, effects: [] } }))
    const { complain, heard } = createEar()
    const book = followAll(journals, complain).ledgers.get(place.partition)!
    checkLedgerEffects(
      dropped.get(place.partition)!,
      followAll(dropped, complain).ledgers.get(place.partition) ?? book,
      complain,
    )
    expect(heard).toContain('ledger-sends')
  })
})
