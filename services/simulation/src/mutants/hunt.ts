import { rmSync } from 'node:fs'
import type { Finding } from '../auditor/finding.ts'
import { createPool, type Pool } from '../run/pool.ts'
import type { Profile, SeedOptions } from '../run/seed-report.ts'
import { isInWasm, type Mutant } from './mutant.ts'
import { checkPlantable, compilePlanted } from './plant.ts'

/** Where and how long a planted bug is looked for. */
export interface HuntOptions {
  /** Seeds 1 … this are tried. */
  readonly seedsMax: number
  readonly steps: number
  readonly profile: Profile
  readonly threads: number
}

/** A planted bug and the first seed that found it; null when none did. */
export interface Hunted {
  readonly mutant: Mutant
  readonly seed: number | null
  readonly finding: Finding | null
}

const optionsOf = (seed: number, { steps, profile }: HuntOptions): SeedOptions => ({
  seed,
  steps,
  profile,
  without: [],
  skip: new Set(),
})

/** Tries seeds in order, as many at a time as there are threads, until one finds something. The lowest one counts. */
const firstFinding = async (pool: Pool, options: HuntOptions): Promise<Omit<Hunted, 'mutant'>> => {
  for (let first = 1; first <= options.seedsMax; first += options.threads) {
    const count = Math.min(options.threads, options.seedsMax - first + 1)
    const seeds = Array.from({ length: count }, (_, index) => first + index)
    const reports = await Promise.all(seeds.map((seed) => pool.run(optionsOf(seed, options))))
    const found = reports.find((report) => report.findings.length > 0)
    if (found !== undefined) return { seed: found.seed, finding: found.findings[0] ?? null }
  }
  return { seed: null, finding: null }
}

/** Plants one bug and looks for a seed that finds it. Each hunt has threads of its own: the bug is nowhere else. */
export const hunt = async (mutant: Mutant, options: HuntOptions): Promise<Hunted> => {
  checkPlantable(mutant)
  const compiled = isInWasm(mutant) ? compilePlanted(mutant) : null
  const pool = createPool({ threads: options.threads, mutants: [compiled?.loader ?? mutant] })
  try {
    return { mutant, ...(await firstFinding(pool, options)) }
  } finally {
    await pool.close()
    if (compiled !== null) rmSync(compiled.folder, { recursive: true, force: true })
  }
}
