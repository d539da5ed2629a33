import type { Logger } from 'pino'
import type { FeedQuote } from '@bourse/common/ports/prices.ts'
import type { Ground } from '../ports/ground.ts'
import { beginLife, type Life, type LifeDeps, type Roles } from './life.ts'

/** A process's place in the platform: it lives, dies and lives again under one name. */
export interface Node {
  readonly name: string
  readonly roles: Roles
  /** Its present life; null while it is down. */
  readonly life: Life | null
  /** The last life, dead or not: what clients hold on to until a new one stands in its place. */
  readonly lastLife: Life | null
  readonly isPaused: boolean
  /** How far its wall clock is off, ms. */
  readonly clockOffsetMs: number
  boot(): void
  kill(): void
  pause(): void
  resume(): void
  jumpClock(deltaMs: number): void
  /** Brings it a quote; one that comes while it is paused waits. */
  bring(quote: FeedQuote): void
}

/** Quotes that wait for a paused process; a newer one replaces an older one of its symbol. */
type Waiting = Map<string, FeedQuote>

/** Makes a node that is down. */
export const createNode = (
  ground: Ground,
  deps: LifeDeps,
  name: string,
  roles: Roles,
  loggerOf: (process: string) => Logger,
): Node => {
  let life: Life | null = null
  let lastLife: Life | null = null
  let lives = 0
  let clockOffsetMs = 0
  const waiting: Waiting = new Map()

  return {
    name,
    roles,
    get life() {
      return life
    },
    get lastLife() {
      return lastLife
    },
    get isPaused() {
      return life?.door.state === 'paused'
    },
    get clockOffsetMs() {
      return clockOffsetMs
    },
    boot: () => {
      if (life !== null) throw new Error(`${name} lives already`)
      lives += 1
      const door = ground.open(`${name}#${lives}`)
      if (clockOffsetMs !== 0) door.jumpClock(clockOffsetMs)
      life = beginLife(deps, door, roles, loggerOf(door.name))
      lastLife = life
      for (const symbol of deps.topology.markets.keys()) {
        const latest = deps.latest(symbol)
        if (latest !== null) life.prices.publish(latest)
      }
    },
    kill: () => {
      life?.door.kill()
      life = null
      waiting.clear()
    },
    pause: () => life?.door.pause(),
    resume: () => {
      life?.door.resume()
      for (const quote of waiting.values()) life?.prices.publish(quote)
      waiting.clear()
    },
    jumpClock: (deltaMs) => {
      clockOffsetMs += deltaMs
      life?.door.jumpClock(deltaMs)
    },
    bring: (quote) => {
      if (life === null) return
      if (life.door.state === 'paused') waiting.set(quote.symbol, quote)
      else life.prices.publish(quote)
    },
  }
}
