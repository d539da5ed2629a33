import type { SeedOptions } from './seed-report.ts'
import { formatNumbers } from './steps.ts'

/** The command that repeats exactly this run. */
export const reproduceCommand = ({ seed, steps, profile, without, skip }: SeedOptions): string =>
  [
    `npm run simulate -- --seed ${seed} --steps ${steps} --profile ${profile}`,
    ...(without.length === 0 ? [] : [`--without ${without.join(',')}`]),
    ...(skip.size === 0 ? [] : [`--skip ${formatNumbers(skip)}`]),
  ].join(' ')
