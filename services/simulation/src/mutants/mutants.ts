import { bridgeMutants } from './bridge.ts'
import { cornerMutants } from './corners.ts'
import { foundMutants } from './found.ts'
import { kernelMutants } from './kernel.ts'
import type { Mutant } from './mutant.ts'
import { rulesMutants } from './rules.ts'

/** Every planted bug. The simulator that does not find one of them has a hole. */
export const mutants: readonly Mutant[] = [
  ...kernelMutants,
  ...rulesMutants,
  ...bridgeMutants,
  ...foundMutants,
  ...cornerMutants,
]
