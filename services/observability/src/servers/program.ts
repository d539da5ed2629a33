import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The file of an installed program: what the variable names, else the first on the PATH; undefined when there is none. */
export const findProgram = (variable: string, name: string): string | undefined => {
  const given = process.env[variable]
  if (given !== undefined && given !== '') return isExecutable(given) ? given : undefined
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

/** The clock of this machine: what is watched runs on it. */
export const clock = createSystemClock()

/** Waits `delayMs`. */
export const pause = (delayMs: number): Promise<void> => clock.sleep(delayMs)

/** How a server of this machine is waited for. */
export interface Awaited {
  readonly title: string
  readonly url: string
  readonly isRunning: () => boolean
  readonly output: () => string
}

const START_MS_MAX = 180_000
const PROBE_PAUSE_MS = 50
const ANSWER_MS_MAX = 10_000

/**
 * Resolves when the URL answers 200.
 * @throws when the server ends before it does, or takes longer than three minutes; with the end of what it printed
 */
export const answering = async ({ title, url, isRunning, output }: Awaited): Promise<void> => {
  for (const endMs = clock.monotonicMs() + START_MS_MAX; isRunning() && clock.monotonicMs() < endMs;) {
    const isUp = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) }).then(
      (response) => response.ok,
      () => false,
    )
    if (isUp) return
    await pause(PROBE_PAUSE_MS)
  }
  throw new Error(`${title} did not start: ${output()}`)
}
