import { expect, test } from '@jest/globals'
import type { BankClient, TraderClient } from '../../../../services/all-in-one/test/support/clients.ts'
import type { Cluster } from './cluster.ts'
import type { Installation } from './installation.ts'
import { judge } from './judge.ts'
import type { Load } from './load.ts'

/** What scenarios share, filled as the run goes on; reading what is not there yet throws. */
export interface Stage {
  readonly cluster: Cluster
  readonly installation: Installation
  readonly load: Load
  readonly bank: BankClient
  readonly traders: readonly TraderClient[]
}

/** A stage that is set up step by step. */
export interface OpenStage {
  set(parts: Partial<Stage>): void
  has(part: keyof Stage): boolean
  readonly now: Stage
}

/** Makes an empty stage. */
export const createStage = (): OpenStage => {
  const parts: Partial<Stage> = {}
  const now = new Proxy(parts, {
    get: (from, name) => {
      const part = from[name as keyof Stage]
      if (part === undefined) throw new Error(`there is no ${String(name)}: what makes it has failed`)
      return part
    },
  }) as Stage
  return { set: (more) => void Object.assign(parts, more), has: (part) => parts[part] !== undefined, now }
}

/** Keys of one scenario that are repeated right after it; all of them are at the end of the run. */
const RECENT_MAX = 60
/** The waits of a scenario have limits of their own. */
const SCENARIO_MS_MAX = 30 * 60_000

/** Written to standard error at once: jest prints what a test says only at its end. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`)

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

/** Holds the load, judges what it was answered since `from`, prints the scenario's line, and lets it go on. */
const settle = async (stage: OpenStage, title: string, from: { sent: number; done: number }, told: string) => {
  const { load, bank, traders } = stage.now
  await load.hold()
  const { sent, done, repeats, faults } = load.counts()
  const own = done.slice(from.done)
  const losses = await judge({ bank, traders, done, recent: own.slice(-RECENT_MAX) })
  const slowestMs = own.reduce((most, { tookMs }) => Math.max(most, tookMs), 0)
  say(
    `${title}: sent ${sent - from.sent}, acknowledged ${own.length}, lost ${losses.lost.length}, ` +
      `doubled ${losses.doubled.length}, slowest ${Math.ceil(slowestMs)} ms${told}`,
  )
  load.resume()
  return { ...losses, faults, repeats }
}

/**
 * One scenario under the running load. `body` makes things happen and resolves with what is worth telling, in words; then
 * nothing may be lost or doubled, nor may anything have had no answer.
 */
export const scenario = (stage: OpenStage, title: string, body: () => Promise<string>): void =>
  test(
    title,
    async () => {
      const { sent, done, faults: before } = stage.now.load.counts()
      const from = { sent, done: done.length, faults: before.length }
      const beganMs = performance.now()
      const outcome = await body().then(
        (told) => ({ told, failure: null }),
        (error: unknown) => ({ told: 'FAILED', failure: error instanceof Error ? error : new Error(String(error)) }),
      )
      const judged = await settle(stage, title, from, `, ${outcome.told} (${seconds(performance.now() - beganMs)})`)
      if (outcome.failure !== null) {
        say(`  ${title}: ${outcome.failure.message.slice(0, 2_000)}`)
        throw outcome.failure
      }
      expect({ lost: judged.lost, doubled: judged.doubled, faults: judged.faults.slice(from.faults) }).toEqual({
        lost: [],
        doubled: [],
        faults: [],
      })
    },
    SCENARIO_MS_MAX,
  )

/** A scenario without load: it prints its line, too. */
export const showing = (title: string, body: () => Promise<string>): void =>
  test(
    title,
    async () => {
      const beganMs = performance.now()
      const told = await body().catch((error: unknown) => {
        say(`${title}: FAILED\n  ${String(error).slice(0, 3_000)}`)
        throw error
      })
      say(`${title}: ${told} (${seconds(performance.now() - beganMs)})`)
    },
    SCENARIO_MS_MAX,
  )
