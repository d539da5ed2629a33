import { PortError } from '../../ports/failure.ts'
import type { SeededRandom } from '../seeded-random.ts'

/**
 * How a call can go wrong: `fails` before anything is done · `done-but-timed-out` is done, and the caller hears nothing of it ·
 * `slow` answers late · `twice` is done two times, as by a driver that repeats, and the second answer counts ·
 * `forgets` drops what only had to be tried.
 */
export const faultKinds = ['fails', 'done-but-timed-out', 'slow', 'twice', 'forgets'] as const
/** One of the kinds. */
export type FaultKind = (typeof faultKinds)[number]

/** What can happen to a call that changes something. */
export const CALL_FAULTS: readonly FaultKind[] = ['fails', 'done-but-timed-out', 'slow', 'twice']

/** No fault, then each alone, then all together: what a suite is run under. */
export const faultSets = (...kinds: readonly FaultKind[]): readonly (readonly FaultKind[])[] => [
  [],
  ...kinds.map((kind) => [kind]),
  kinds,
]

/** Decides for each call whether and how it goes wrong. */
export interface FaultPlan {
  /** The fault of this call, among those it can have. */
  next(possible: readonly FaultKind[]): FaultKind | null
  /** Whether an unheard answer shows as `unknown` instead of `timeout`. */
  isUnknown(): boolean
  /** The delay of a slow answer. */
  pauseMs(): number
  /** Faults struck so far, by kind. */
  readonly struck: ReadonlyMap<FaultKind, number>
}

/** What a plan is made of. */
export interface FaultPlanOptions {
  readonly random: SeededRandom
  readonly kinds: readonly FaultKind[]
  /** How many of 100 calls go wrong; default 30. */
  readonly percent?: number
  readonly pauseMsMax?: number
}

/** A seeded plan: the same seed strikes the same calls. */
export const createFaultPlan = (options: FaultPlanOptions): FaultPlan => {
  const { random, kinds, percent = 30, pauseMsMax = 3 } = options
  const struck = new Map<FaultKind, number>()
  return {
    next: (possible) => {
      const choices = kinds.filter((kind) => possible.includes(kind))
      if (choices.length === 0 || !random.chance(percent)) return null
      const kind = random.pick(choices)
      struck.set(kind, (struck.get(kind) ?? 0) + 1)
      return kind
    },
    isUnknown: () => random.chance(50),
    pauseMs: () => random.between(0, pauseMsMax),
    struck,
  }
}

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs))

/** Executes a call under the plan. `forgets` is not for calls with an answer: it is left to the port's wrapper. */
export const strike = async <Value>(
  plan: FaultPlan,
  operation: string,
  possible: readonly FaultKind[],
  task: () => Promise<Value>,
): Promise<Value> => {
  const fault = plan.next(possible)
  if (fault === 'fails') throw new PortError('unavailable', `${operation}: failed before anything was done, as planned`)
  const answer = await task()
  if (fault === 'done-but-timed-out') {
    throw new PortError(
      plan.isUnknown() ? 'unknown' : 'timeout',
      `${operation}: done, but nobody hears of it, as planned`,
    )
  }
  if (fault === 'slow') await pause(plan.pauseMs())
  return fault === 'twice' ? task() : answer
}

/** Which of a port's asynchronous operations can go wrong, and how. */
export type FaultyOperations<Port> = { readonly [Operation in keyof Port]?: readonly FaultKind[] }

/** Wraps the named operations of a port; the others go through untouched. */
export const withFaults = <Port extends object>(
  port: Port,
  plan: FaultPlan,
  operations: FaultyOperations<Port>,
): Port =>
  new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name)
      const possible = operations[name as keyof Port]
      if (typeof member !== 'function' || possible === undefined) return member
      return (...values: unknown[]) =>
        strike(plan, String(name), possible, async () => Reflect.apply(member, target, values) as Promise<unknown>)
    },
  })
