import type { Logger } from 'pino'
import type { Bank } from './bank.ts'
import { formatFault, manifestKey, type LoadedManifests, type Manifests, type UnreadManifest } from './load.ts'
import { validateChange, type TradingPair } from './trading-pair.ts'

/**
 * A manifest that a partition did not take; nothing else of it was changed. `isForNow`: nobody said no, it could only not be
 * told.
 */
export class SpecRefused extends Error {
  override readonly name = 'SpecRefused'
  readonly isForNow: boolean
  constructor(message: string, options: ErrorOptions & { readonly isForNow?: boolean } = {}) {
    super(message, options)
    this.isForNow = options.isForNow ?? false
  }
}

/** What became of a manifest: `Refused` with the reason; one that is `Pending` or refused by a partition is told again. */
export interface ManifestProgress {
  readonly kind: (TradingPair | Bank)['kind']
  readonly name: string
  /** 0 where nobody counts them. */
  readonly generation: number
  readonly state: 'InForce' | 'Pending' | 'Refused'
  readonly reason: string | null
}

/** The manifests in force, and their way into the machines. */
export interface ManifestSet {
  pairs(): readonly TradingPair[]
  banks(): readonly Bank[]
  /** What became of each manifest of the last change, or of the first set. */
  progress(): readonly ManifestProgress[]
  /** Puts every spec in order. @throws {SpecRefused} */
  applyAll(): Promise<void>
  /**
   * Takes changed manifests: what may change is applied, what may not is refused aloud and stays as it was. One that is not taken
   * holds up no other. @throws {SpecRefused} when one was not taken that may be taken later
   */
  change(loaded: LoadedManifests): Promise<void>
}

/** What a set needs. Both ways reject with `SpecRefused` when a machine did not take a manifest. */
export interface ManifestSetDeps {
  readonly manifests: Manifests
  /** Whether the platform has partitions of a symbol. */
  readonly isServed: (symbol: string) => boolean
  readonly applyPair: (pair: TradingPair) => Promise<void>
  readonly applyBank: (bank: Bank) => Promise<void>
  /** Gives a bank the callback it has here. */
  readonly withCallback: (bank: Bank) => Bank
  /**
   * Makes the platform have partitions of a new pair. With it new pairs and banks are served at once, and those whose
   * manifests are gone are not named any more; without it new ones wait for the next start. @throws {SpecRefused}
   */
  readonly addMarket?: (pair: TradingPair) => Promise<void>
  /** Hears of a pair that is not named any more. */
  readonly dropMarket?: (pair: TradingPair) => void
  readonly logger: Logger
}

const same = (a: unknown, b: unknown): boolean => {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
  return text(a) === text(b)
}

/** Remembers what became of each manifest. */
const createProgress = () => {
  const known = new Map<string, ManifestProgress>()
  let generations: Manifests['generations']
  const note = (
    { kind, name }: Pick<ManifestProgress, 'kind' | 'name'>,
    state: ManifestProgress['state'],
    reason: string | null = null,
  ): void => {
    const generation = generations?.get(manifestKey(kind, name)) ?? 0
    known.set(manifestKey(kind, name), { kind, name, generation, state, reason })
  }
  return {
    note,
    /** Begins with another set: what it does not name is forgotten. Answers what it can't use that was not known as such. */
    begin: (manifests: Manifests): readonly UnreadManifest[] => {
      generations = manifests.generations
      const unread = manifests.unread ?? []
      const named = [...manifests.pairs, ...manifests.banks, ...unread]
      const keys = new Set(named.map(({ kind, name }) => manifestKey(kind, name)))
      for (const key of [...known.keys()]) if (!keys.has(key)) known.delete(key)
      const told = new Map(known)
      for (const { reason, ...manifest } of unread)
        known.set(manifestKey(manifest.kind, manifest.name), { ...manifest, state: 'Refused', reason })
      return unread.filter(({ kind, name, reason }) => told.get(manifestKey(kind, name))?.reason !== reason)
    },
    all: (): readonly ManifestProgress[] => [...known.values()],
  }
}

/** Waits for all; then throws a bug, if there was one, else the first refusal. */
const together = async (work: readonly Promise<void>[]): Promise<void> => {
  const failures = (await Promise.allSettled(work)).flatMap((one) =>
    one.status === 'rejected' ? [one.reason as Error] : [],
  )
  const failure = failures.find((error) => !(error instanceof SpecRefused)) ?? failures[0]
  if (failure !== undefined) throw failure
}

/** Makes the set. */
export const createManifestSet = (deps: ManifestSetDeps): ManifestSet => {
  const { logger, addMarket } = deps
  const isLive = addMarket !== undefined
  const pairs = new Map(deps.manifests.pairs.map((pair) => [pair.name, pair]))
  const banks = new Map(deps.manifests.banks.map((bank) => [bank.name, deps.withCallback(bank)]))
  const progress = createProgress()
  for (const { kind, name, reason } of progress.begin(deps.manifests))
    logger.error({ kind, name, reason }, 'a stored manifest is not used')
  for (const manifest of [...pairs.values(), ...banks.values()]) progress.note(manifest, 'InForce')

  /**
   * Specs whose way into a partition had no clear end: some partitions may have them, so that going back to the one before has
   * to be told too. Kinds have names of their own.
   */
  const unclear = new Set<string>()
  const settled = async (manifest: TradingPair | Bank, apply: () => Promise<void>): Promise<void> => {
    const key = manifestKey(manifest.kind, manifest.name)
    unclear.add(key)
    progress.note(manifest, 'Pending', 'it is being told')
    try {
      await apply()
    } catch (error) {
      const isForNow = !(error instanceof SpecRefused) || error.isForNow
      progress.note(manifest, isForNow ? 'Pending' : 'Refused', error instanceof Error ? error.message : String(error))
      throw error
    }
    unclear.delete(key)
    progress.note(manifest, 'InForce')
  }

  const applyPair = (pair: TradingPair): Promise<void> =>
    settled(pair, async () => {
      if (!deps.isServed(pair.spec.symbol) && addMarket !== undefined) await addMarket(pair)
      if (!deps.isServed(pair.spec.symbol))
        throw new SpecRefused(`${pair.spec.symbol} has no partitions yet; restart to serve it`)
      await deps.applyPair(pair)
    })
  const applyBank = (bank: Bank): Promise<void> => settled(bank, () => deps.applyBank(bank))

  const isUnchanged = (before: TradingPair | Bank | undefined, now: TradingPair | Bank): boolean =>
    before !== undefined && same(before, now) && !unclear.has(manifestKey(now.kind, now.name))

  const changePair = async (pair: TradingPair): Promise<void> => {
    const before = pairs.get(pair.name)
    if (isUnchanged(before, pair)) return progress.note(pair, 'InForce')
    const faults = before === undefined ? [] : validateChange(before, pair)
    if (faults.length > 0) {
      for (const fault of faults) logger.error({ pair: pair.name, field: fault.field }, fault.message)
      const reason = faults.map(({ field, message }) => `${field}: ${message}`).join('; ')
      return progress.note(pair, 'Refused', reason)
    }
    await applyPair(pair)
    pairs.set(pair.name, pair)
    logger.info({ pair: pair.name }, 'the changed spec is in force')
  }

  /** A pair whose manifest is gone opens no more trades; those it has end by their owners or their triggers. */
  const retirePair = async (pair: TradingPair): Promise<void> => {
    if (pair.spec.state === 'Open') {
      const key = manifestKey(pair.kind, pair.name)
      const retired: TradingPair = { ...pair, spec: { ...pair.spec, state: 'ReduceOnly' } }
      unclear.add(key)
      await deps.applyPair(retired)
      unclear.delete(key)
      pairs.set(pair.name, retired)
      logger.warn({ pair: pair.name }, 'its manifest is gone: the pair is ReduceOnly from now on')
    }
    if (!isLive) return
    pairs.delete(pair.name)
    deps.dropMarket?.(pair)
  }

  const changeBank = async (bank: Bank): Promise<void> => {
    if (!banks.has(bank.name) && !isLive) {
      logger.warn({ bank: bank.name }, 'a new bank is served after the next start, when its key is made')
      return
    }
    if (isUnchanged(banks.get(bank.name), bank)) return progress.note(bank, 'InForce')
    await applyBank(bank)
    banks.set(bank.name, bank)
    logger.info({ bank: bank.name }, 'the changed spec is in force')
  }

  const change = async (manifests: Manifests): Promise<void> => {
    const unread = manifests.unread ?? []
    for (const { kind, name, reason } of progress.begin(manifests))
      logger.error({ kind, name, reason }, 'a stored manifest is not used')
    const named = new Set(
      [...manifests.pairs, ...manifests.banks, ...unread].map((one) => manifestKey(one.kind, one.name)),
    )
    const isGone = ({ kind, name }: TradingPair | Bank): boolean => !named.has(manifestKey(kind, name))
    const gone = [...pairs.values()].filter(isGone)
    const retiring = together(gone.map(retirePair))
    for (const bank of isLive ? [...banks.values()].filter(isGone) : []) banks.delete(bank.name)
    const takePair = async (pair: TradingPair): Promise<void> => {
      // A symbol is another pair's only once the one before has let go of it.
      if (gone.some(({ spec }) => spec.symbol === pair.spec.symbol)) await retiring
      await changePair(pair)
    }
    await together([
      retiring,
      ...manifests.pairs.map(takePair),
      ...manifests.banks.map(deps.withCallback).map(changeBank),
    ])
  }

  return {
    pairs: () => [...pairs.values()],
    banks: () => [...banks.values()],
    progress: progress.all,
    applyAll: () => together([...[...pairs.values()].map(applyPair), ...[...banks.values()].map(applyBank)]),
    change: async (loaded) => {
      if (loaded.ok) return change(loaded.manifests)
      for (const fault of loaded.faults) logger.error(formatFault(fault))
    },
  }
}
