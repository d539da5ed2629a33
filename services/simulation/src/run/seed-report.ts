import type { Finding } from '../auditor/finding.ts'
import type { FaultKind } from '../faults/kinds.ts'

/** What kind of clients a run has. */
export const profiles = ['bank', 'trader', 'mixed'] as const
/** One of the profiles. */
export type Profile = (typeof profiles)[number]

/** What decides a run. The same values give the same trace on every machine. */
export interface SeedOptions {
  readonly seed: number
  readonly steps: number
  readonly profile: Profile
  /** Fault kinds that must not strike in this run (what shrinking removes). */
  readonly without: readonly FaultKind[]
  /** Steps that are left out (what shrinking removes): their draws are theirs alone, so the others stay the same. */
  readonly skip: ReadonlySet<number>
}

/** What came of a run. */
export interface SeedReport {
  readonly seed: number
  readonly trace: string
  readonly findings: readonly Finding[]
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  readonly counts: {
    readonly events: number
    readonly calls: number
    readonly records: number
    /** Calls by kind and code, `open-trade OK`, `bank-trade QUOTE_USED`. */
    readonly answers: Readonly<Record<string, number>>
    /** World time the run took, ms. */
    readonly worldMs: number
  }
}
