/**
 * What the tests of the simulators share: a temporary folder, a clock that can be moved, requests through the
 * door.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Simulator } from '@bourse/common/simulator/service.ts'
import { pino, type Logger } from 'pino'

/** The tests' time: 2024-05-06T12:53:20.123Z. */
export const NOW_MS = 1_715_000_000_123

/** A clock whose wall time is set by the test and whose sleeps are real, but for those of a length that the test holds. */
export interface MovableClock extends Clock {
  setMs(ms: number): void
  /** Sleeps of just this length, begun from now on, last until the function it answers is called. */
  hold(delayMs: number): () => void
}

const createMovableClock = (): MovableClock => {
  let nowMs = NOW_MS
  const held = new Map<number, Promise<void>>()
  return {
    nowMs: () => nowMs,
    monotonicMs: () => performance.now(),
    sleep: async (delayMs, signal) => {
      await (held.get(delayMs) ?? wait(delayMs, undefined, signal === undefined ? {} : { signal }))
    },
    hold: (delayMs) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      held.set(delayMs, promise)
      return () => {
        held.delete(delayMs)
        resolve()
      }
    },
    every: () => {
      throw new Error('no simulator repeats anything')
    },
    setMs: (ms) => {
      nowMs = ms
    },
  }
}

/** An answer with its body read. */
export interface Reply {
  readonly status: number
  readonly body: unknown
}

/** A running simulator with its door. */
export interface SimulatorHarness {
  readonly clock: MovableClock
  url(): string
  /** Sends a request; a body that is a string goes as it is, another as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>
  /** Stops it and starts it again on the same folder. */
  restart(): Promise<void>
  /** Stops it and removes its folder. */
  stop(): Promise<void>
}

/** What every simulator is started with. */
export interface StartOptions {
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
}

/** Starts a simulator in a new folder. */
export const startSimulatorHarness = async (
  startSimulator: (options: StartOptions) => Promise<Simulator>,
): Promise<SimulatorHarness> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'bourse-simulator-'))
  const clock = createMovableClock()
  const start = (): Promise<Simulator> =>
    startSimulator({ host: '127.0.0.1', port: 0, dataDir, logger: pino({ level: 'silent' }), clock })
  let simulator = await start()
  return {
    clock,
    url: () => simulator.url,
    call: async (method, path, body, headers = {}) => {
      const response = await fetch(simulator.url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      return { status: response.status, body: await response.json() }
    },
    restart: async () => {
      await simulator.stop()
      simulator = await start()
    },
    stop: async () => {
      await simulator.stop()
      await rm(dataDir, { recursive: true })
    },
  }
}
