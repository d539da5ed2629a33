import type { Platform, PlatformPartition } from './api.ts'

/** State machines that partitions run. */
export const machines = ['ledger', 'trading', 'bridge'] as const
/** What of the partitions is shown: all, those of one machine, or those that do not serve. */
export const views = ['all', ...machines, 'troubled'] as const
/** One of them. */
export type View = (typeof views)[number]

/** Their names. */
export const VIEW_NAMES: Readonly<Record<View, string>> = {
  all: 'All',
  ledger: 'Ledger',
  trading: 'Trading',
  bridge: 'Bridge',
  troubled: 'Not serving',
}

/** A state in words and by tone. */
export const STATE_WORDS = {
  starting: { words: 'Starting', tone: 'warn' },
  serving: { words: 'Serving', tone: 'good' },
  rebuilding: { words: 'Rebuilding', tone: 'warn' },
  stopped: { words: 'Stopped', tone: 'danger' },
} as const satisfies Readonly<Record<PlatformPartition['state'], { words: string; tone: string }>>

/** The partitions of a view, in the order given. */
export const partitionsOf = (partitions: readonly PlatformPartition[], view: View): readonly PlatformPartition[] => {
  if (view === 'all') return partitions
  if (view === 'troubled') return partitions.filter(({ state }) => state !== 'serving')
  return partitions.filter(({ name }) => name.startsWith(`${view}/`))
}

/** How the partitions stand, in a sentence. */
export const summaryOf = (partitions: Platform['partitions']): string => {
  const troubled = partitionsOf(partitions, 'troubled').length
  if (partitions.length === 0) return 'No partition is known.'
  if (troubled === 0)
    return partitions.length === 1 ? 'The one partition serves.' : `All ${partitions.length} partitions serve.`
  return `${troubled} of ${partitions.length} partitions ${troubled === 1 ? 'does' : 'do'} not serve.`
}

/**
 * How many records a restart would replay: those after the newest snapshot; all of them without one. Null while it is not
 * known. Exact: sequences are counted in 64 bits.
 */
export const recordsToReplay = ({
  sequence,
  snapshotSequence,
}: Pick<PlatformPartition, 'sequence' | 'snapshotSequence'>): string | null => {
  if (sequence === null) return null
  const since = BigInt(sequence) - BigInt(snapshotSequence ?? '0')
  return (since < 0n ? 0n : since).toString()
}

/** What is shown this long after it was asked for is called old, ms. */
export const OLD_MS = 10_000

/** The largest lag of the lists over all partitions, in records; null when nobody told one. */
export const lagMax = (partitions: readonly Pick<PlatformPartition, 'viewLagRecords'>[]): string | null => {
  const lags = partitions.flatMap(({ viewLagRecords }) => (viewLagRecords === null ? [] : [BigInt(viewLagRecords)]))
  const [first, ...others] = lags
  if (first === undefined) return null
  return others.reduce((most, lag) => (lag > most ? lag : most), first).toString()
}
