import { performance } from 'node:perf_hooks'

/** Nanoseconds per operation of `operations` operations that `work` does. */
export const nanosecondsEach = (operations: number, work: () => void): number => {
  const startMs = performance.now()
  work()
  return ((performance.now() - startMs) * 1e6) / operations
}

/** The lowest of several measurements: what disturbs a loop of milliseconds only ever adds. */
export const lowestOf = (rounds: number, measure: () => number): number =>
  Math.min(...Array.from({ length: rounds }, measure))
