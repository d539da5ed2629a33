import type { Faults } from '../../src/faults/faults.ts'
import type { FaultKind } from '../../src/faults/kinds.ts'
import { createGround, type Door, type Ground, type GroundDeps } from '../../src/ports/ground.ts'
import { createWorld, type World } from '../../src/world/world.ts'

/** Faults that strike as a test says: never, always, or in so many of 100 cases. */
export const testFaults = (world: World, percents: Readonly<Partial<Record<FaultKind, number>>> = {}): Faults => {
  const random = world.chance('test faults')
  const counts: Partial<Record<FaultKind, number>> = {}
  let hasEnded = false
  const count = (kind: FaultKind): void => {
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return {
    strikes: (kind) => {
      const percent = hasEnded ? 0 : (percents[kind] ?? 0)
      const isStruck = percent > 0 && random.chance(percent)
      if (isStruck) count(kind)
      return isStruck
    },
    has: (kind) => percents[kind] !== undefined,
    count,
    end: () => {
      hasEnded = true
    },
    get ended() {
      return hasEnded
    },
    counts: () => counts,
  }
}

/** Any number of events within any time. */
export const UNLIMITED = { durationMsMax: Infinity, eventsMax: Infinity } as const

/** A world with its ground. */
export interface TestGround {
  readonly world: World
  readonly ground: Ground
  readonly faults: Faults
  /** Lets so much world time pass. */
  pass(durationMs: number): Promise<void>
  /** Runs the world until a promise of the simulated code settles, and gives what it settled with. */
  settle<Value>(promise: Promise<Value>): Promise<Value>
}

/** Makes a world and its ground for a test. */
export const openTestGround = (
  options: {
    readonly seed?: number
    readonly percents?: Readonly<Partial<Record<FaultKind, number>>>
    readonly onLine?: (line: string) => void
  } & Partial<Omit<GroundDeps, 'world' | 'faults'>> = {},
): TestGround => {
  const { seed = 1, percents = {}, onLine, ...rest } = options
  const world = createWorld(seed, onLine === undefined ? {} : { onLine })
  const faults = testFaults(world, percents)
  const ground = createGround({ models: [], ...rest, world, faults })
  return {
    world,
    ground,
    faults,
    pass: async (durationMs) => {
      await world.run(() => false, { durationMsMax: durationMs, eventsMax: Infinity })
    },
    settle: async (promise) => {
      let isSettled = false
      const settled = (): void => {
        isSettled = true
      }
      promise.then(settled, settled)
      const end = await world.run(() => isSettled, UNLIMITED)
      if (end !== 'done') throw new Error(`the promise did not settle: ${end}`)
      return promise
    },
  }
}

/** A ground whose world goes with real time: what suites that wait on the real clock need. */
export interface PumpedGround extends TestGround {
  readonly door: Door
  stop(): Promise<void>
}

/** World time runs slower than the real one: what is asked between two looks must not be answered too soon by the real clock. */
const WORLD_PACE = 0.7
/** Real time that counts at once: while the machine lets the process wait, no time passes in the world either. */
const STEP_MS_MAX = 5

/** Opens a pumped ground with one door. */
export const openPumpedGround = (options: Parameters<typeof openTestGround>[0] = {}): PumpedGround => {
  const opened = openTestGround(options)
  const { world, ground } = opened
  let isStopped = false
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const pump = async (): Promise<void> => {
    const startMs = world.nowMs()
    let countedMs = 0
    for (let lastMs = performance.now(); !isStopped;) {
      const realMs = performance.now()
      countedMs += Math.min(realMs - lastMs, STEP_MS_MAX)
      lastMs = realMs
      const aheadMs = Math.floor(countedMs * WORLD_PACE) - (world.nowMs() - startMs)
      // An empty event at the end of the span: time passes even when nothing is scheduled.
      if (aheadMs > 0) world.schedule(aheadMs, 'time passes', () => undefined)
      await world.run(() => false, { durationMsMax: Math.max(0, aheadMs), eventsMax: 10_000 })
      await turn()
    }
  }
  const pumping = pump()
  return {
    ...opened,
    door: ground.open('process'),
    stop: async () => {
      isStopped = true
      await pumping
    },
  }
}
