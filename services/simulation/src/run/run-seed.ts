import { viewModels } from '@bourse/common/views/models.ts'
import { createAuditor, type Auditor } from '../auditor/auditor.ts'
import type { Finding } from '../auditor/finding.ts'
import { createFaults } from '../faults/create-faults.ts'
import type { Faults } from '../faults/faults.ts'
import { createHistory, type History } from '../history/history.ts'
import type { SimulatedPlatform } from '../platform/exchange-platform.ts'
import { createPlatformMakers, createSimulatedPlatform } from '../platform/platform.ts'
import { createGround, type Ground } from '../ports/ground.ts'
import { createWorkload, type Workload } from '../workload/workload.ts'
import { wrapGlobals } from '../world/sealed-globals.ts'
import { createWorld, type World } from '../world/world.ts'
import type { SeedOptions, SeedReport } from './seed-report.ts'

/** World time that each part of a run may take before it counts as stuck, ms. */
const PART_MS_MAX = { start: 600_000, steps: 86_400_000, rest: 1_200_000, closing: 1_200_000 } as const
/**
 * How many times rest and closing may begin anew because something moved in them: a ledger with room for few ids takes hours
 * for what a bank has sent it in minutes. Without any movement one is enough; what moves for ever is no rest either.
 */
const MOVING_MAX = 18
/** Events that a whole run may take: one that never ends fails. */
const EVENTS_MAX = 20_000_000

const globals = wrapGlobals()
const makers = createPlatformMakers()

interface Scene {
  readonly world: World
  readonly faults: Faults
  readonly ground: Ground
  readonly platform: SimulatedPlatform
  readonly history: History
  readonly workload: Workload
  readonly auditor: Auditor
}

const setScene = ({ seed, steps, profile, without, skip }: SeedOptions, onLine?: (line: string) => void): Scene => {
  const world = createWorld(seed, onLine === undefined ? {} : { onLine })
  const faults = createFaults(world, { without })
  const ground = createGround({ world, faults, models: viewModels })
  const auditor = createAuditor({ ground, nowMs: () => world.nowMs() })
  const platform = createSimulatedPlatform({ world, ground, faults, makers })
  const history = createHistory(() => world.nowMs())
  const workload = createWorkload(world, platform, history, { profile, steps, skip })
  return { world, faults, ground, platform, history, workload, auditor }
}

/** Runs a part of the play; what it waits for in vain is a finding. */
const play = async (
  { world }: Scene,
  part: keyof typeof PART_MS_MAX,
  isDone: () => boolean,
  waiting: () => readonly string[],
): Promise<Finding[]> => {
  const end = await world.run(isDone, { durationMsMax: PART_MS_MAX[part], eventsMax: EVENTS_MAX - world.events })
  if (end === 'done') return []
  const message = `${part} came to no end (${end}) after ${world.nowMs()} ms: ${waiting().slice(0, 8).join('; ')}`
  return [{ statement: 'comes-to-rest', message }]
}

/** Asks an expensive question at most once for each moment of the world. */
const oncePerMoment = (world: World, question: () => boolean): (() => boolean) => {
  let askedAtMs = -1
  return () => {
    if (world.nowMs() === askedAtMs) return false
    askedAtMs = world.nowMs()
    return question()
  }
}

/** Plays a part that has no end of its own for as long as something moves in it. */
const playWhileMoving = async (
  scene: Scene,
  part: 'rest' | 'closing',
  isDone: () => boolean,
  waiting: () => readonly string[],
): Promise<Finding[]> => {
  const { ground } = scene
  for (let times = 1; ; times++) {
    const { records } = ground
    const found = await play(scene, part, isDone, waiting)
    if (found.length === 0 || ground.records === records || times === MOVING_MAX) return found
  }
}

const playRest = (scene: Scene): Promise<Finding[]> =>
  playWhileMoving(scene, 'rest', oncePerMoment(scene.world, scene.platform.isQuiet), scene.platform.unrest)

/** The four parts: the platform starts, clients act while faults strike, all comes to rest, clients ask what has become of it. */
const playAll = async (scene: Scene): Promise<readonly Finding[]> => {
  const { faults, platform, workload } = scene
  let isStarted = false
  const starting = platform.start().then(() => {
    isStarted = true
  })
  const stuckStart = await play(scene, 'start', () => isStarted, platform.unrest)
  if (stuckStart.length > 0) return stuckStart
  await starting
  workload.begin()
  const found = await play(scene, 'steps', workload.isDone, workload.waiting)
  faults.end()
  platform.heal()
  found.push(...(await playRest(scene)))
  if (found.length > 0) return found
  workload.close()
  found.push(...(await playWhileMoving(scene, 'closing', workload.isDone, workload.waiting)))
  found.push(...(await playRest(scene)))
  // What has not come to rest is not audited: half of what is under way would be missing.
  return found.length > 0 ? found : scene.auditor.audit(platform, scene.history.calls())
}

const answersOf = (history: History): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { request, answer } of history.calls()) {
    const end = answer === null ? 'nothing heard' : answer.ok ? 'OK' : answer.refusal.code
    const name = `${request.kind} ${end}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** Runs one world from its first event to its audit. The same options give the same report on every machine. */
export const runSeed = async (options: SeedOptions, onLine?: (line: string) => void): Promise<SeedReport> => {
  const scene = setScene(options, onLine)
  const { world, faults, ground, platform, history, workload } = scene
  const unsealed = new Set<string>()
  globals.seal((name) => unsealed.add(name))
  try {
    const found = await playAll(scene)
    return {
      seed: options.seed,
      trace: world.trace.hash(),
      findings: [
        ...found,
        ...workload.findings(),
        ...platform.findings().map((message) => ({ statement: 'platform-is-sound', message })),
        ...[...unsealed].map((name) => ({ statement: 'determinism', message: `${name} was used in the run` })),
      ],
      faults: faults.counts(),
      counts: {
        events: world.events,
        calls: history.calls().length,
        records: ground.records,
        answers: answersOf(history),
        worldMs: world.nowMs(),
      },
    }
  } finally {
    globals.unseal()
    platform.close()
  }
}
