import { viewModels } from '@bourse/common/views/models.ts'
import { createFaults } from '../../../src/faults/create-faults.ts'
import { faultKinds } from '../../../src/faults/kinds.ts'
import { createHistory, type History } from '../../../src/history/history.ts'
import type { SimulatedPlatform } from '../../../src/platform/exchange-platform.ts'
import { createPlatformMakers, createSimulatedPlatform } from '../../../src/platform/platform.ts'
import { createGround } from '../../../src/ports/ground.ts'
import type { Profile } from '../../../src/run/seed-report.ts'
import { createWorkload, type Workload } from '../../../src/workload/workload.ts'
import { createWorld, type World } from '../../../src/world/world.ts'

/** What a played seed left. `close` ends it. */
export interface Played {
  readonly world: World
  readonly platform: SimulatedPlatform
  readonly history: History
  readonly workload: Workload
  /** Why a part of it did not come to its end. */
  readonly stuck: readonly string[]
  readonly faults: Readonly<Record<string, number>>
}

let made: ReturnType<typeof createPlatformMakers> | undefined
const makersOnce = (): ReturnType<typeof createPlatformMakers> => (made ??= createPlatformMakers())

const LIMITS = { durationMsMax: 200 * 3_600_000, eventsMax: 3_000_000 }
const REST = { durationMsMax: 6 * 3_600_000, eventsMax: 3_000_000 }

/** Plays a seed's workload on its platform, to the closing questions, with faults or in a clean world. */
export const play = async (
  seed: number,
  options: {
    readonly profile: Profile
    readonly steps: number
    readonly isClean: boolean
    readonly onLine?: (line: string) => void
  },
): Promise<Played> => {
  const world = createWorld(seed, options.onLine === undefined ? {} : { onLine: options.onLine })
  const faults = createFaults(world, { without: options.isClean ? [...faultKinds] : [] })
  const ground = createGround({ world, faults, models: viewModels })
  const platform = createSimulatedPlatform({ world, ground, faults, makers: makersOnce() })
  const history = createHistory(() => world.nowMs())
  const { profile, steps } = options
  const workload = createWorkload(world, platform, history, { profile, steps, skip: new Set() })
  const stuck: string[] = []
  const part = async (isDone: () => boolean, limits: typeof REST, waiting: () => readonly string[]): Promise<void> => {
    const end = await world.run(isDone, limits)
    if (end !== 'done') stuck.push(`${end} at ${world.nowMs()} ms: ${waiting().slice(0, 5).join('; ')}`)
  }
  let isStarted = false
  void platform.start().then(() => {
    isStarted = true
  })
  await part(() => isStarted, LIMITS, platform.unrest)
  workload.begin()
  await part(workload.isDone, LIMITS, workload.waiting)
  faults.end()
  platform.heal()
  let askedAtMs = -1
  const isQuiet = (): boolean => {
    if (world.nowMs() === askedAtMs) return false
    askedAtMs = world.nowMs()
    return platform.isQuiet()
  }
  await part(isQuiet, REST, platform.unrest)
  workload.close()
  await part(workload.isDone, LIMITS, workload.waiting)
  return { world, platform, history, workload, stuck, faults: faults.counts() }
}
