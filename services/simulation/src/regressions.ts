import type { FaultKind } from './faults/kinds.ts'
import type { Profile } from './run/seed-report.ts'

/** A run that once found something: what was wrong then. It is run by every test from then on. */
export interface Regression {
  readonly seed: number
  readonly steps: number
  readonly profile: Profile
  readonly without?: readonly FaultKind[]
  readonly what: string
}

/** Every run that failed while the platform or the simulator was built. */
export const regressions: readonly Regression[] = []
