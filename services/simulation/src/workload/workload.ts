import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Finding } from '../auditor/finding.ts'
import type { History } from '../history/history.ts'
import type { SimulatedPlatform } from '../platform/exchange-platform.ts'
import type { Profile } from '../run/seed-report.ts'
import type { World } from '../world/world.ts'
import { createClients } from './clients.ts'
import { closingQuestions } from './closing.ts'
import { createKnowledge } from './knowledge.ts'
import { createPriceMaker } from './prices.ts'
import { bankSteps } from './steps/bank.ts'
import { repeatSteps } from './steps/repeat.ts'
import type { Stage, Step } from './steps/run.ts'
import { traderSteps } from './steps/trader.ts'
import { drawStyle } from './style.ts'

/** What decides a workload besides the world's seed. */
export interface WorkloadOptions {
  readonly profile: Profile
  readonly steps: number
  /** Steps that are not taken. The moments and draws of the others stay as they are. */
  readonly skip: ReadonlySet<number>
}

/** The clients of a run: what they will do, step by step, and whether they are done with it. */
export interface Workload {
  /** Puts all steps into the world's order. */
  begin(): void
  /** Puts the closing questions into the world's order; to be called when the steps are done and all is quiet. */
  close(): void
  /** Whether everything begun so far has been issued and every client has its answer or has given up. */
  isDone(): boolean
  /** Why it is not done, for a run that does not come to its end. */
  waiting(): readonly string[]
  /** What product code threw at clients instead of refusing. */
  findings(): readonly Finding[]
}

type Weighted = readonly (readonly [Step, number])[]

/** A step after its weight; the weights are those of the seed. */
const pickWeighted = (random: SeededRandom, weighted: Weighted): Step => {
  const total = weighted.reduce((sum, [, weight]) => sum + weight, 0)
  let drawn = random.below(total)
  for (const [step, weight] of weighted) {
    if (drawn < weight) return step
    drawn -= weight
  }
  throw new Error('weights add up to less than their sum')
}

const stepsOfProfile = (profile: Profile): Weighted => {
  if (profile === 'trader') return [...traderSteps, ...repeatSteps]
  if (profile === 'bank') return [...bankSteps, ...repeatSteps]
  return [...traderSteps, ...bankSteps, ...repeatSteps]
}

/** Seeds differ in what they do much of and what not at all, but the first step of each list they all do. */
const drawWeights = (random: SeededRandom, steps: Weighted): Weighted =>
  steps.map(([step, weight]) => {
    const isMain = step === traderSteps[0]?.[0] || step === bankSteps[0]?.[0]
    return [step, weight * random.pick(isMain ? [1, 2] : [0, 1, 1, 1, 3])]
  })

/** Makes the workload of a world. Nothing happens before `begin`. */
export const createWorkload = (
  world: World,
  platform: SimulatedPlatform,
  history: History,
  { profile, steps, skip }: WorkloadOptions,
): Workload => {
  const random = world.chance('workload')
  const style = drawStyle(random)
  const weights = drawWeights(random, stepsOfProfile(profile))
  const knowledge = createKnowledge(() => world.nowMs())
  const { patience } = style
  const onAnswer = knowledge.noteAnswer
  const clients = createClients({ world, platform, history, patience, onAnswer })
  const stage: Stage = { platform, clients, knowledge, style, prices: createPriceMaker(world, platform) }
  const active = new Map<number, string>()
  const faults: string[] = []
  let waitingSteps = 0

  /** Follows a step to its end; what it throws is a fault of this workload, told as a finding all the same. */
  const follow = (step: number, what: string, task: () => Promise<void>): void => {
    active.set(step, what)
    task()
      .catch((error: unknown) => {
        faults.push(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      })
      .finally(() => active.delete(step))
  }

  const begin = (): void => {
    let atMs = 0
    for (let step = 1; step <= steps; step++) {
      const own = world.chance(`step/${step}`)
      atMs += style.pauseMs(own)
      const act = pickWeighted(own, weights)
      if (skip.has(step)) continue
      waitingSteps += 1
      world.schedule(atMs, `step ${step}`, () => {
        waitingSteps -= 1
        follow(step, `step ${step}`, () => act({ ...stage, step, random: own }))
      })
    }
  }

  const close = (): void => {
    const step = steps + 1
    const deps = { platform, clients, knowledge, style, step, random: world.chance('closing') }
    world.schedule(0, 'closing', () => undefined)
    follow(step, 'closing', () => closingQuestions(deps))
  }

  return {
    begin,
    close,
    isDone: () => waitingSteps === 0 && active.size === 0,
    waiting: () => [...active.values(), ...(waitingSteps > 0 ? [`${waitingSteps} steps to come`] : [])],
    findings: () => [...clients.thrown, ...faults].map((message) => ({ statement: 'clients-hear-refusals', message })),
  }
}
