import type { FaultKind } from './kinds.ts'

/** The faults of one run: who can strike, and how often each struck. */
export interface Faults {
  /** Whether this fault strikes now: asked where it could. Never once they have ended. Counts and traces a strike. */
  strikes(kind: FaultKind): boolean
  /** Whether the kind is among those of this run (also after the end). */
  has(kind: FaultKind): boolean
  /** Counts a fault that was decided elsewhere (by the director). */
  count(kind: FaultKind): void
  /** No fault strikes any more: the world is healed, so that all can come to rest. */
  end(): void
  readonly ended: boolean
  counts(): Readonly<Partial<Record<FaultKind, number>>>
}
