import { isDeepStrictEqual } from 'node:util'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionParts } from '@bourse/common/kernel/partition.ts'
import { allPartitions } from '@bourse/common/platform/topology.ts'
import { viewModels } from '@bourse/common/views/models.ts'
import { tradingKinds } from '@bourse/risk-rules/trading/codec.ts'
import type { AuditInput } from '../../src/auditor/audit.ts'
import { createAuditor } from '../../src/auditor/auditor.ts'
import { followAll, type Books } from '../../src/auditor/books.ts'
import { indexEffects } from '../../src/auditor/evidence/effect-index.ts'
import { bankLivesOf, type Case } from '../../src/auditor/statements/case.ts'
import { readJournals, type AuditedRecord, type Entry, type Journals } from '../../src/auditor/evidence/journals.ts'
import type { Complain } from '../../src/auditor/findings.ts'
import { createFaults } from '../../src/faults/create-faults.ts'
import { faultKinds } from '../../src/faults/kinds.ts'
import { createHistory, type Call, type Request } from '../../src/history/history.ts'
import { createPlatformMakers, createSimulatedPlatform } from '../../src/platform/platform.ts'
import { createGround } from '../../src/ports/ground.ts'
import { createWorkload } from '../../src/workload/workload.ts'
import { createWorld } from '../../src/world/world.ts'

const LIMITS = { durationMsMax: 86_400_000, eventsMax: 5_000_000 }

/** A run without faults that has come to rest: all that an audit looks at, good data for tests to doctor. */
export const settledRun = async (seed: number, steps: number): Promise<AuditInput> => {
  const world = createWorld(seed, {})
  const faults = createFaults(world, { without: faultKinds })
  const ground = createGround({ world, faults, models: viewModels })
  const auditor = createAuditor({ ground, nowMs: () => world.nowMs() })
  const platform = createSimulatedPlatform({ world, ground, faults, makers: createPlatformMakers() })
  const history = createHistory(() => world.nowMs())
  const workload = createWorkload(world, platform, history, { profile: 'mixed', steps, skip: new Set() })
  const until = async (isDone: () => boolean): Promise<void> => {
    const end = await world.run(isDone, LIMITS)
    if (end !== 'done') throw new Error(`the run ends with ${end}: ${platform.unrest().join()}`)
  }
  let isStarted = false
  const started = platform.start().then(() => {
    isStarted = true
  })
  await until(() => isStarted)
  await started
  workload.begin()
  await until(workload.isDone)
  faults.end()
  platform.heal()
  await until(platform.isQuiet)
  workload.close()
  await until(workload.isDone)
  await until(platform.isQuiet)
  const input = auditor.inputOf(platform, history.calls())
  const hashes = new Map<number, string>()
  for (const partition of allPartitions(input.topology)) hashes.set(partition, await platform.stateHash(partition))
  return { ...input, stateHash: async (partition) => hashes.get(partition) ?? null }
}

/** Hears complaints, by statement. */
export const createEar = () => {
  const heard: string[] = []
  const complain: Complain = (statement) => void heard.push(statement)
  return { complain, heard }
}

/** The journals of an input. */
export const journalsOf = (input: AuditInput): Promise<Journals> =>
  readJournals(input.disks.journal, allPartitions(input.topology), createEar().complain)

/** Everything the statements about clients need. */
export const caseOf = (input: AuditInput, journals: Journals, complain: Complain, change: Partial<Case> = {}): Case => {
  const books: Books = change.books ?? followAll(journals, createEar().complain)
  return {
    topology: input.topology,
    calls: input.calls,
    books,
    identities: input.identities,
    appended: input.appended,
    effects: indexEffects(journals),
    bankLives: bankLivesOf(books),
    complain,
    ...change,
  }
}

/** Where an entry is: its record's place in its journal, and its own in the record. */
export interface Place {
  readonly partition: number
  readonly record: number
  readonly entry: number
}

/** The last entry of all journals for which `isIt` holds; the test data must have one. */
export const findEntry = (journals: Journals, isIt: (entry: Entry, record: AuditedRecord) => boolean): Place => {
  let place: Place | null = null
  for (const [partition, records] of journals)
    records.forEach((record, index) =>
      record.entries.forEach((entry, at) => {
        if (isIt(entry, record)) place = { partition, record: index, entry: at }
      }),
    )
  if (place === null) throw new Error('the run has no such entry')
  return place
}

/** Journals with one record changed: its entries, or its effects. */
export const withRecord = (
  journals: Journals,
  place: Place,
  change: (record: AuditedRecord) => AuditedRecord,
): Journals =>
  new Map(
    [...journals].map(([partition, records]) => [
      partition,
      partition === place.partition
        ? records.map((record, index) => (index === place.record ? change(record) : record))
        : records,
    ]),
  )

/** Journals with one entry changed. */
export const withEntry = (journals: Journals, place: Place, change: (entry: Entry) => Partial<Entry>): Journals =>
  withRecord(journals, place, (record) => ({
    ...record,
    entries: record.entries.map((entry, index) => (index === place.entry ? { ...entry, ...change(entry) } : entry)),
  }))

/** Journals where an entry's outcome has other bytes: `edit` gets a view of a copy. */
export const withOutcome = (journals: Journals, place: Place, edit: (view: DataView) => void): Journals =>
  withEntry(journals, place, ({ outcome }) => {
    const copy = outcome.slice()
    edit(new DataView(copy.buffer))
    return { outcome: copy, code: decodeOutcomeHeader(copy).code }
  })

/** Adds to the 64-bit integer at an offset. */
export const addAt =
  (offset: number, by: bigint) =>
  (view: DataView): void =>
    view.setBigInt64(offset, view.getBigInt64(offset, true) + by, true)

/** What following these journals complains of. */
export const complaintsOf = (journals: Journals): readonly string[] => {
  const { complain, heard } = createEar()
  followAll(journals, complain)
  return heard
}

/** An update that a market refused for what it asks. */
export const isRefusedUpdate = ({ partition, header, code }: Entry): boolean =>
  partitionParts(partition).machine === 'trading' &&
  header.kind === tradingKinds.update &&
  code >= refusalNumbers.LEVERAGE_TOO_HIGH

/**
 * Whether a run has all that the tests doctor: every kind of close and of bank transaction, open trades at the end, kept
 * snapshots.
 */
const isRich = async (input: AuditInput): Promise<boolean> => {
  const journals = await journalsOf(input)
  const { ledgers, markets, bridges } = followAll(journals, createEar().complain)
  const isTold = (kind: Request['kind'], isIt: (call: Call, value: never) => boolean): boolean =>
    input.calls.some(
      (call) => call.request.kind === kind && call.answer?.ok === true && isIt(call, call.answer.value as never),
    )
  const reasons = new Set(
    [...markets.values()].flatMap(({ lives }) => [...lives.values()].map(({ end }) => end?.reason)),
  )
  const types = new Set(
    [...bridges.values()].flatMap(({ transactions }) =>
      [...transactions.values()].filter(({ stage }) => stage === 'completed').map(({ type }) => type),
    ),
  )
  const isKeyed = ({ key }: Call): boolean => key !== null
  const isUpdateRefused = [...journals.values()].some((records) =>
    records.some(({ entries }) => entries.some(isRefusedUpdate)),
  )
  const versionsOf = (_: Call, told: readonly { readonly version: bigint }[]): string =>
    told.map(({ version }) => version).join()
  const isMoneyReadAgain = isTold('balances', (one, told) =>
    isTold(
      'balances',
      (other, later) =>
        isDeepStrictEqual(one.request, other.request) && versionsOf(one, told) !== versionsOf(other, later),
    ),
  )
  const isFull = (_: Call, value: readonly unknown[]): boolean => value.length > 0
  const lists = await Promise.all([...journals.keys()].map((partition) => input.disks.snapshots.list(partition)))
  return (
    [...ledgers.values()].some(({ holds }) => holds.size > 0) &&
    reasons.size === 5 &&
    types.size === 4 &&
    isTold('open-trade', isKeyed) &&
    isTold('update-trade', isKeyed) &&
    isUpdateRefused &&
    isTold('adjust', isKeyed) &&
    isTold('correct', isKeyed) &&
    isTold('open-trades', isFull) &&
    isMoneyReadAgain &&
    isTold('bank-accounts', isFull) &&
    lists.some(({ length }) => length > 0)
  )
}

const SEEDS_MAX = 60

/** The first settled run from this seed on that has all that the tests doctor. */
export const richRun = async (seed: number, steps: number): Promise<AuditInput> => {
  for (let tried = seed; tried < seed + SEEDS_MAX; tried++) {
    const input = await settledRun(tried, steps)
    if (await isRich(input)) return input
  }
  throw new Error(`none of ${SEEDS_MAX} runs has all that is to be doctored`)
}
