import type { Mutant } from '../mutants/mutant.ts'
import type { SeedOptions, SeedReport } from './seed-report.ts'

/** What a worker is started with. */
export interface WorkerData {
  /** Bugs to plant before the product is loaded. */
  readonly mutants: readonly Mutant[]
}

/** A run to do; the answer carries the same number. */
export interface WorkerRequest {
  readonly number: number
  readonly options: SeedOptions
  /** Whether the lines of the trace are to be sent as they are written. */
  readonly verbose: boolean
}

/** What a worker says: a line of a trace, a report, or that the run broke (a bug of the simulator, or of the product). */
export type WorkerReply =
  | { readonly number: number; readonly kind: 'line'; readonly line: string }
  | { readonly number: number; readonly kind: 'report'; readonly report: SeedReport }
  | { readonly number: number; readonly kind: 'broken'; readonly message: string }
