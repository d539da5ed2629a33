import type { FaultKind } from '../faults/kinds.ts'
import type { SeedOptions, SeedReport } from './seed-report.ts'

/** Runs that shrinking may take. */
const SHRINK_RUNS_MAX = 400

/** A smaller run that still finds the same. */
export interface Shrunk {
  readonly options: SeedOptions
  readonly report: SeedReport
  readonly runs: number
}

type Run = (options: SeedOptions) => Promise<SeedReport>

const pieces = (steps: readonly number[], size: number): number[][] =>
  Array.from({ length: Math.ceil(steps.length / size) }, (_, index) => steps.slice(index * size, (index + 1) * size))

/**
 * Makes a failing run smaller as long as a statement that failed at first still fails: fewer steps (halving), then fault kinds
 * left out one by one, then steps left out piece by piece (delta debugging, Zeller and Hildebrandt 2002).
 */
export const shrink = async (
  failing: SeedOptions,
  first: SeedReport,
  run: Run,
  runsMax = SHRINK_RUNS_MAX,
): Promise<Shrunk> => {
  const statements = new Set(first.findings.map((finding) => finding.statement))
  let best = { options: failing, report: first }
  let runs = 0

  const stillFails = async (options: SeedOptions): Promise<boolean> => {
    if (runs >= runsMax) return false
    runs += 1
    const report = await run(options)
    const fails = report.findings.some((finding) => statements.has(finding.statement))
    if (fails) best = { options, report }
    return fails
  }

  const fewerSteps = async (): Promise<void> => {
    let [low, high] = [0, best.options.steps]
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (await stillFails({ ...best.options, steps: middle })) high = middle
      else low = middle
    }
  }
  const fewerFaults = async (): Promise<void> => {
    for (const kind of Object.keys(best.report.faults) as FaultKind[])
      await stillFails({ ...best.options, without: [...best.options.without, kind] })
  }
  const leaveOut = async (): Promise<void> => {
    const kept = (): number[] =>
      Array.from({ length: best.options.steps }, (_, index) => index + 1).filter((step) => !best.options.skip.has(step))
    let size = Math.ceil(kept().length / 2)
    for (;;) {
      const before = kept().length
      for (const piece of pieces(kept(), size))
        await stillFails({ ...best.options, skip: new Set([...best.options.skip, ...piece]) })
      const isSmaller = kept().length < before
      if (runs >= runsMax || (size === 1 && !isSmaller)) return
      size = Math.ceil(size / 2)
    }
  }

  await fewerSteps()
  await fewerFaults()
  await leaveOut()
  return { ...best, runs }
}
