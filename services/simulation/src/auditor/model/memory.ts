import type { Entry } from '../evidence/journals.ts'
import { same } from '../evidence/bytes.ts'
import type { Complain } from '../findings.ts'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { partitionName } from '@bourse/common/kernel/partition.ts'
import { outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'

/** How long a machine itself remembers an id, ms. */
export const WINDOW_MS = 600_000n

interface Remembered {
  readonly requestHash: Uint8Array
  readonly first: Entry
}

/** What a partition has executed, by id. */
export interface Memory {
  /**
   * Judges a command that names an id: `fresh` when it is to be executed now; a repeat's outcome and a conflict are checked here.
   * An id that is executed again after the window has let it go is a finding: nothing may be executed twice, however old.
   */
  judge(entry: Entry): 'fresh' | 'repeated'
  /** Remembers the first outcome. */
  remember(entry: Entry): void
  first(id: string): Entry | undefined
  all(): ReadonlyMap<string, Entry>
}

const notRemembered: ReadonlySet<number> = new Set([refusalNumbers.UNAVAILABLE, refusalNumbers.INVALID_COMMAND])

/**
 * Makes an empty memory. `keptOf` gives the part of the first outcome's body that is answered to a repeat. What `isPassedOn` is
 * executed, and counted, by the partition that it is passed on to: where that did not accept it, its id is free after the window,
 * for whatever request comes with it.
 */
export const createMemory = (
  complain: Complain,
  keptOf: (body: Uint8Array) => Uint8Array,
  isPassedOn: (entry: Entry) => boolean = () => false,
): Memory => {
  const known = new Map<string, Remembered>()
  const at = ({ partition, sequence, id }: Entry): string =>
    `${id} in record ${sequence} of ${partitionName(partition)}`

  const judgeKnown = (entry: Entry, { requestHash, first }: Remembered): void => {
    if (!same(requestHash, entry.header.requestHash)) {
      if (entry.code !== refusalNumbers.IDEMPOTENCY_CONFLICT)
        complain('one-outcome', `id ${at(entry)} came with another request and got code ${entry.code}, not a conflict`)
      return
    }
    const isSame = entry.code === first.code && same(outcomeBodyOf(entry.outcome), keptOf(outcomeBodyOf(first.outcome)))
    if (!isSame && entry.code !== refusalNumbers.ENGINE_FAULT)
      complain(
        'one-outcome',
        `id ${at(entry)} got code ${entry.code}; its first outcome in record ${first.sequence} was code ` +
          `${first.code}, or has another body`,
      )
  }

  return {
    judge: (entry) => {
      if (entry.id === null) return 'fresh'
      const found = known.get(entry.id)
      if (found === undefined) return 'fresh'
      const isInWindow = entry.now - found.first.now <= WINDOW_MS
      if (isInWindow) {
        judgeKnown(entry, found)
        return 'repeated'
      }
      if (!notRemembered.has(entry.code) && !isPassedOn(entry) && !isPassedOn(found.first))
        complain(
          'one-outcome',
          `id ${at(entry)} (kind ${entry.header.kind}, code ${entry.code}) ` +
            `was executed again; it was first in record ${found.first.sequence}, ` +
            `${entry.now - found.first.now} ms before`,
        )
      return 'fresh'
    },
    remember: (entry) => {
      if (entry.id === null || notRemembered.has(entry.code)) return
      known.set(entry.id, { requestHash: entry.header.requestHash, first: entry })
    },
    first: (id) => known.get(id)?.first,
    all: () => new Map([...known].map(([id, { first }]) => [id, first])),
  }
}

/** The first 16 bytes of a ledger's outcome, as if without balances. */
export const keptOfLedger = (body: Uint8Array): Uint8Array => {
  const kept = body.slice(0, 16)
  if (kept.length > 8) kept[8] = 0
  return kept
}

/** The first 48 bytes of a trade. */
export const keptOfTrade = (body: Uint8Array): Uint8Array => body.subarray(0, 48)
