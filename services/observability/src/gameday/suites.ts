import type { ActiveAlert } from '../servers/prometheus.ts'
import { drill, type DrillDeps } from './drill.ts'
import { startGameday, type GamedaySettings } from './gameday.ts'
import { startEmbeddedGameday } from './embedded-gameday.ts'
import type { Mode, ModeResult, UndrilledMode } from './mode.ts'
import { EMBEDDED_MODES } from './modes/embedded.ts'
import { OUTSIDE_MODES } from './modes/outside.ts'
import { PROGRAM_MODES } from './modes/programs.ts'
import { SERVER_MODES } from './modes/servers.ts'

/** Which modes run, and who hears of them. */
export interface SuiteRun extends GamedaySettings {
  readonly chosen: readonly string[]
  readonly onResult: (result: ModeResult) => void
  readonly onSkipped: (mode: UndrilledMode) => void
  readonly onLog: (text: string) => void
}

interface Suite {
  /** Names of its modes, in their order. */
  readonly modes: readonly string[]
  run(run: SuiteRun): Promise<void>
}

/** How long alerts of one drill may last into the pause before the next, ms. */
const QUIET_MS_MAX = 90_000
const QUIET_LOOK_MS = 500

/** Waits until nobody is paged any more and nothing fires that is to tell the next failure: each drill begins in peace. */
const quiet = async <World>(
  { alerts, nowMs, pause }: DrillDeps<World>,
  tells: readonly string[] = [],
): Promise<void> => {
  for (const endMs = nowMs() + QUIET_MS_MAX; nowMs() < endMs; await pause(QUIET_LOOK_MS)) {
    const active = await alerts()
    const isNoise = ({ name, labels }: ActiveAlert): boolean =>
      labels['severity'] === 'critical' || tells.includes(name)
    if (!active.some((alert) => alert.state === 'firing' && isNoise(alert))) return
  }
}

/**
 * Runs the chosen ones of `modes`, one after the other, in one world.
 * @throws the reason of `interrupted`, what was broken being healed
 */
export const runModes = async <World>(
  modes: readonly Mode<World>[],
  deps: DrillDeps<World>,
  { chosen, interrupted, onResult, onSkipped }: Pick<SuiteRun, 'chosen' | 'interrupted' | 'onResult' | 'onSkipped'>,
): Promise<void> => {
  for (const mode of modes) {
    if (!chosen.includes(mode.name)) continue
    interrupted.throwIfAborted()
    const missing = await mode.missing?.(deps.world)
    if (missing !== undefined) {
      onSkipped({ name: mode.name, reason: missing })
      continue
    }
    await quiet(deps, mode.tells)
    const result = await drill(mode, deps)
    // One that was broken off says nothing.
    interrupted.throwIfAborted()
    onResult(result)
  }
}

const DISTRIBUTED = [...OUTSIDE_MODES, ...SERVER_MODES, ...PROGRAM_MODES]

const distributed: Suite = {
  modes: DISTRIBUTED.map(({ name }) => name),
  run: async (run) => {
    const gameday = await startGameday(run)
    try {
      await quiet(gameday.deps)
      await runModes(DISTRIBUTED, gameday.deps, run)
      run.onLog(JSON.stringify(gameday.platform.load?.counts()))
    } finally {
      await gameday.stop()
    }
  },
}

const embedded: Suite = {
  modes: EMBEDDED_MODES.map(({ name }) => name),
  run: async (run) => {
    const gameday = await startEmbeddedGameday(run)
    try {
      await quiet(gameday.deps)
      await runModes(EMBEDDED_MODES, gameday.deps, run)
      run.onLog(JSON.stringify(gameday.load.counts()))
    } finally {
      await gameday.stop()
    }
  },
}

/** The worlds of the gameday, each with its modes. */
export const SUITES: readonly Suite[] = [distributed, embedded]

/** Runs the chosen modes, world by world; a world without any of them is not started. */
export const runSuites = async (run: SuiteRun): Promise<void> => {
  for (const suite of SUITES) if (suite.modes.some((name) => run.chosen.includes(name))) await suite.run(run)
}
