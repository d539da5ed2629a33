import { viewModels } from '@bourse/common/views/models.ts'
import { createFaults } from '../../src/faults/create-faults.ts'
import type { Faults } from '../../src/faults/faults.ts'
import { faultKinds, type FaultKind } from '../../src/faults/kinds.ts'
import type { SimulatedPlatform } from '../../src/platform/exchange-platform.ts'
import { createPlatformMakers, createSimulatedPlatform } from '../../src/platform/platform.ts'
import { createGround, type Ground } from '../../src/ports/ground.ts'
import { createWorld, type World } from '../../src/world/world.ts'

const makers = createPlatformMakers()

/** A platform in a world, and its ways. */
export interface Stage {
  readonly world: World
  readonly ground: Ground
  readonly faults: Faults
  readonly platform: SimulatedPlatform
  /** Lets the world go on until the promise is settled. */
  until<Value>(promise: Promise<Value>): Promise<Value>
  /** Ends the faults, heals and waits for rest; gives what is not at rest. */
  rest(): Promise<readonly string[]>
}

/** Starts the platform of a seed; only the kinds named can strike, if the seed draws them. */
export const startStage = async (seed: number, kinds: readonly FaultKind[] = []): Promise<Stage> => {
  const world = createWorld(seed)
  const faults = createFaults(world, { without: faultKinds.filter((kind) => !kinds.includes(kind)) })
  const ground = createGround({ world, faults, models: viewModels })
  const platform = createSimulatedPlatform({ world, ground, faults, makers })
  const until: Stage['until'] = async (promise) => {
    let isSettled = false
    const settled = promise.finally(() => {
      isSettled = true
    })
    const end = await world.run(() => isSettled, { durationMsMax: 600_000, eventsMax: 1_000_000 })
    if (end !== 'done') throw new Error(`the world came to ${end}: ${platform.unrest().join('; ')}`)
    return settled
  }
  await until(platform.start())
  const rest = async (): Promise<readonly string[]> => {
    faults.end()
    platform.heal()
    await world.run(platform.isQuiet, { durationMsMax: 1_200_000, eventsMax: 1_000_000 })
    return platform.unrest()
  }
  return { world, ground, faults, platform, until, rest }
}
