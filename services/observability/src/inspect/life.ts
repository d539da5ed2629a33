import { commandOrigins, decodeHeader } from '@bourse/common/kernel/command.ts'
import { partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeRecord, OUTSIDE_RECEIVER, type JournalRecord } from '@bourse/common/kernel/record.ts'
import { ledgerKinds } from '@bourse/risk-rules/ledger/codec.ts'
import { InspectFault } from './fault.ts'
import { shownRecord, type Selection, type ShownRecord } from './record.ts'
import type { InspectSource } from './source.ts'

/** Records that a life may have; one of more is not a command's. */
export const LIFE_RECORDS_MAX = 10_000

/** A record with what of it belongs to the command. */
interface Found {
  readonly record: JournalRecord
  readonly selection: Selection
}

const includes = (bytes: Uint8Array, needles: readonly Uint8Array[]): boolean => {
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return needles.some((needle) => haystack.includes(needle))
}

const indexesOf = (parts: readonly boolean[]): ReadonlySet<number> =>
  new Set(parts.flatMap((is, index) => (is ? [index] : [])))

const selectionOf = (record: JournalRecord, needles: readonly Uint8Array[]): Selection => ({
  commands: indexesOf(
    record.inputs.map((input, index) => includes(input, needles) || includes(record.outcomes[index]!, needles)),
  ),
  effects: indexesOf(record.effects.map(({ bytes }) => includes(bytes, needles))),
})

const withMore = (selection: Selection, commands: readonly number[]): Selection =>
  commands.length === 0 ? selection : { ...selection, commands: new Set([...selection.commands, ...commands]) }

/** Finds the answers to calls that were found: not each of them names what it is about. */
const createAnswerFinder = () => {
  const awaited = new Set<bigint>()
  return {
    isWaiting: (): boolean => awaited.size > 0,
    /** Indexes of the record's inputs that answer a call found before; then its own calls are waited for. */
    take: ({ inputs }: JournalRecord): readonly number[] =>
      inputs.flatMap((input, index) => {
        const { origin, sequence } = decodeHeader(input)
        return origin === commandOrigins.outside && awaited.delete(sequence) ? [index] : []
      }),
    await: ({ effects }: JournalRecord, selection: Selection): void => {
      for (const index of selection.effects)
        if (effects[index]!.receiver === OUTSIDE_RECEIVER) awaited.add(effects[index]!.number)
    },
  }
}

const isEmpty = ({ commands, effects }: Selection): boolean => commands.size === 0 && effects.size === 0

/** Ids of the ledger's commands among the found: their answers go back under them and name nothing else. */
const stepIdsOf = ({ record, selection }: Found): readonly Uint8Array[] => {
  const kinds: ReadonlySet<number> = new Set(Object.values(ledgerKinds))
  return [...selection.commands]
    .map((index) => decodeHeader(record.inputs[index]!))
    .filter(({ kind, id }) => kinds.has(kind) && id.some((byte) => byte !== 0))
    .map(({ id }) => id.slice())
}

const MACHINE_ORDER = ['ledger', 'trading', 'bridge'] as const

/** Every record that mentions one of the needles, by partition. The ledger's come first: the bridge's answers bear its ids. */
const search = async (source: InspectSource, needles: readonly Uint8Array[]): Promise<readonly Found[]> => {
  const known = [...needles]
  const found: Found[] = []
  const searchIn = async (partition: PartitionNumber): Promise<void> => {
    const answers = createAnswerFinder()
    for await (const stored of source.readFrom(partition, 1n)) {
      if (!includes(stored.body, known) && !answers.isWaiting()) continue
      const record = decodeRecord(stored.body)
      const selection = withMore(selectionOf(record, known), answers.take(record))
      answers.await(record, selection)
      if (isEmpty(selection)) continue
      found.push({ record, selection })
      if (found.length > LIFE_RECORDS_MAX)
        throw new InspectFault(`more than ${LIFE_RECORDS_MAX} records mention it: that is no command's id`)
    }
  }
  for (const machine of MACHINE_ORDER) {
    for (const partition of source.partitions) {
      if (partitionParts(partition).machine === machine) await searchIn(partition)
    }
    if (machine === 'ledger') known.push(...found.flatMap(stepIdsOf))
  }
  return found
}

const effectName = (sender: PartitionNumber, receiver: PartitionNumber, number: bigint): string =>
  `${sender}>${receiver}#${number}`

/** What each record follows: the records of the effects and calls that its inputs are or answer. */
const causesOf = (found: readonly Found[]): ReadonlyMap<Found, readonly Found[]> => {
  const senders = new Map<string, Found>()
  for (const one of found)
    for (const { receiver, number } of one.record.effects)
      senders.set(effectName(one.record.partition, receiver, number), one)
  const causeOf = ({ partition }: JournalRecord, input: Uint8Array): Found | undefined => {
    const { origin, sender, sequence } = decodeHeader(input)
    if (origin === commandOrigins.partition) return senders.get(effectName(sender, partition, sequence))
    if (origin === commandOrigins.outside) return senders.get(effectName(partition, OUTSIDE_RECEIVER, sequence))
    return undefined
  }
  return new Map(found.map((one) => [one, one.record.inputs.flatMap((input) => causeOf(one.record, input) ?? [])]))
}

/** In time order; what follows from something comes after it, whatever the clocks of two processes say. */
const inOrder = (found: readonly Found[]): readonly Found[] => {
  const causes = causesOf(found)
  const places = new Map<Found, { readonly atMs: bigint; readonly depth: number }>()
  const placeOf = (one: Found): { readonly atMs: bigint; readonly depth: number } => {
    const known = places.get(one)
    if (known !== undefined) return known
    let place = { atMs: one.record.now, depth: 0 }
    places.set(one, place)
    for (const cause of causes.get(one) ?? []) {
      const before = placeOf(cause)
      if (before.atMs > place.atMs || (before.atMs === place.atMs && before.depth >= place.depth))
        place = { atMs: before.atMs, depth: before.depth + 1 }
    }
    places.set(one, place)
    return place
  }
  const compare = (left: Found, right: Found): number => {
    const [a, b] = [placeOf(left), placeOf(right)]
    if (a.atMs !== b.atMs) return a.atMs < b.atMs ? -1 : 1
    if (a.depth !== b.depth) return a.depth - b.depth
    return Number(left.record.sequence - right.record.sequence)
  }
  return [...found].sort(compare)
}

/**
 * The life of what the needles name, over all partitions and in time order: where it was ordered, what it came to, what it
 * sent on and where that was journaled, calls to the outside and their answers.
 */
export const lifeOf = async (source: InspectSource, needles: readonly Uint8Array[]): Promise<readonly ShownRecord[]> =>
  inOrder(await search(source, needles)).map(({ record, selection }) => shownRecord(source.topology, record, selection))
