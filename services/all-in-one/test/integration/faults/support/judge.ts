import { codeOfOutcome } from '@bourse/common/kernel/client.ts'
import { decodeHeader, NO_ID } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader, outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'
import { partitionName, partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeRecord } from '@bourse/common/kernel/record.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import { verifyPlatform } from '../../../../src/verification/verify.ts'
import type { Answer, Answered } from './load.ts'
import { createFactories, partitions } from './market.ts'

/** What a run comes to. `faults` says in words what is wrong. */
export interface Verdict {
  readonly lost: number
  readonly doubled: number
  readonly records: number
  readonly openTrades: number
  readonly effectsInFlight: number
  readonly faults: readonly string[]
}

/** Offset, in a ledger outcome's body, of the number of legs: 0 in the answer to a repeat, which leaves the legs out. */
const LEG_COUNT_AT = 8

/** Whether one outcome is the other, or the part of it that is kept for repeats. */
export const isSameOutcome = (partition: PartitionNumber, one: Uint8Array, other: Uint8Array): boolean => {
  const [a, b] = [decodeOutcomeHeader(one), decodeOutcomeHeader(other)]
  if (a.code !== b.code || a.kind !== b.kind || Buffer.compare(a.id, b.id) !== 0) return false
  const length = Math.min(one.length, other.length) - (one.length - outcomeBodyOf(one).length)
  const [left, right] = [one, other].map((outcome) => Uint8Array.from(outcomeBodyOf(outcome).subarray(0, length)))
  if (partitionParts(partition).machine === 'ledger' && length > LEG_COUNT_AT)
    left![LEG_COUNT_AT] = right![LEG_COUNT_AT] = 0
  return Buffer.compare(left!, right!) === 0
}

/** What the records of one partition say, by command id in hex. */
interface Book {
  readonly outcomes: ReadonlyMap<string, readonly Uint8Array[]>
  /** For each effect sent on under a client's id: how many numbers it has. */
  readonly sentOn: ReadonlyMap<string, number>
  /** Effects of a sender that were taken more than once. */
  readonly takenTwice: readonly string[]
}

const readBook = async (journal: Journal, partition: PartitionNumber): Promise<Book> => {
  const outcomes = new Map<string, Uint8Array[]>()
  const sentOn = new Map<string, number>()
  const taken = new Set<string>()
  const takenTwice: string[] = []
  for await (const { body } of journal.readFrom(partition, 1n)) {
    const record = decodeRecord(body)
    record.inputs.forEach((input, index) => {
      const { id, origin, sender, sequence } = decodeHeader(input)
      if (origin === 1) {
        const effect = `${sender}:${sequence}`
        if (taken.has(effect)) takenTwice.push(effect)
        taken.add(effect)
      }
      if (Buffer.compare(id, NO_ID) === 0) return
      const known = outcomes.get(hexOf(id)) ?? []
      known.push(record.outcomes[index]!)
      outcomes.set(hexOf(id), known)
    })
    for (const { receiver, bytes } of record.effects) {
      const { id, kind } = decodeHeader(bytes)
      if (Buffer.compare(id, NO_ID) === 0) continue
      const key = `${hexOf(id)} ${kind} to ${receiver}`
      sentOn.set(key, (sentOn.get(key) ?? 0) + 1)
    }
  }
  return { outcomes, sentOn, takenTwice }
}

/** Where each part of an answer comes from. */
const partsOf = ({ operation }: Answered, answer: Answer): [PartitionNumber, Uint8Array][] => [
  [operation.partition, answer.first],
  ...(answer.then === null ? [] : [[operation.follow!.partition, answer.then] as [PartitionNumber, Uint8Array]]),
]

const lostOf = (
  done: readonly Answered[],
  repeats: readonly (Answer | null)[],
  books: ReadonlyMap<number, Book>,
): string[] => {
  const lost: string[] = []
  done.forEach((answered, index) => {
    const { operation } = answered
    const id = hexOf(operation.id)
    const missing = partsOf(answered, answered).find(
      ([partition, outcome]) =>
        !(books.get(partition)?.outcomes.get(id) ?? []).some((journaled) =>
          isSameOutcome(partition, journaled, outcome),
        ),
    )
    if (missing !== undefined) {
      lost.push(
        `${operation.kind} ${id}: its answer ${codeOfOutcome(missing[1])} is not in ${partitionName(missing[0])}`,
      )
      return
    }
    const repeat = repeats[index] ?? null
    const isRepeated =
      repeat !== null &&
      (repeat.then === null) === (answered.then === null) &&
      isSameOutcome(operation.partition, repeat.first, answered.first) &&
      (repeat.then === null || isSameOutcome(operation.follow!.partition, repeat.then, answered.then!))
    if (!isRepeated) lost.push(`${operation.kind} ${id}: a repeat is answered otherwise`)
  })
  return lost
}

const doubledOf = (books: ReadonlyMap<number, Book>): string[] => {
  const doubled: string[] = []
  for (const [partition, book] of books) {
    const name = partitionName(partition)
    for (const [id, [first, ...more]] of book.outcomes)
      if (more.some((outcome) => !isSameOutcome(partition, first!, outcome)))
        doubled.push(`${id} has two outcomes in ${name}`)
    for (const [effect, times] of book.sentOn) if (times > 1) doubled.push(`${name} sent ${effect} ${times} times`)
    for (const effect of book.takenTwice) doubled.push(`${name} took the effect ${effect} twice`)
  }
  return doubled
}

/** What savers must have by the answers, in units, by owner in hex. */
const owedBy = (done: readonly Answered[]): Map<string, bigint> => {
  const owed = new Map<string, bigint>()
  for (const { operation, first } of done) {
    if (codeOfOutcome(first) !== 'OK') continue
    for (const { owner, amount } of operation.moves) owed.set(owner, (owed.get(owner) ?? 0n) + amount)
  }
  return owed
}

const openedLess = (done: readonly Answered[]): number => {
  const succeeded = (kind: string): number =>
    done.filter(({ operation, then }) => operation.kind === kind && then !== null && codeOfOutcome(then) === 'OK')
      .length
  return succeeded('open') - succeeded('close')
}

/**
 * Judges a platform at rest by its journal: hash chains, replay, money and effects (`verifyPlatform`); every acknowledged
 * outcome is in the journal and is what a repeat was answered; no id and no effect was executed twice; savers have, to the unit,
 * what the answers add up to; and as many trades are open as were opened and not closed.
 */
export const judge = async (deps: {
  readonly journal: Journal
  readonly snapshots: Snapshots
  readonly done: readonly Answered[]
  /** What each was answered when it was said once more at the end. */
  readonly repeats: readonly (Answer | null)[]
  /** What savers have by strong reads, in units, by owner in hex. */
  readonly held: ReadonlyMap<string, bigint>
}): Promise<Verdict> => {
  const { journal, snapshots, done } = deps
  const { factoryOf } = createFactories()
  const report = await verifyPlatform({ journal, snapshots, partitions, factoryOf })
  const faults = report.faults.map(({ partition, what, message }) => `${what} of ${partition}: ${message}`)
  const books = new Map<number, Book>()
  for (const partition of partitions) books.set(partition, await readBook(journal, partition))
  const lost = lostOf(done, deps.repeats, books)
  const doubled = doubledOf(books)
  const owed = owedBy(done)
  for (const [owner, amount] of deps.held)
    if (owed.get(owner) !== amount) faults.push(`${owner} has ${amount}, by the answers ${owed.get(owner)}`)
  const openTrades = report.money?.openTrades ?? -1
  if (openTrades !== openedLess(done)) faults.push(`${openTrades} trades are open, by the answers ${openedLess(done)}`)
  const effectsInFlight = report.money?.effectsInFlight ?? -1
  return {
    lost: lost.length,
    doubled: doubled.length,
    records: report.records,
    openTrades,
    effectsInFlight,
    faults: [...faults, ...lost.slice(0, 5), ...doubled.slice(0, 5)],
  }
}
