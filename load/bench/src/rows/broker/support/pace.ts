import { arrivals, quantile } from '../../wire/support/loops.ts'
import type { Answered } from './producer.ts'

/** Median and 99th percentile of latencies, ms. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

/** What a loop may be told besides its pace. */
export interface PaceOptions {
  /** Hears each answer's moment (`performance.now()`). */
  readonly onAnswer?: (atMs: number) => void
  /** Things on their way at most: what is due beyond waits for an answer, and its latency counts the wait. */
  readonly windowMax?: number
  /** Asks nothing more from then on. */
  readonly ended?: AbortSignal
}

/**
 * Asks at moments of their own (independent arrivals), whether or not earlier ones were answered. Latency counts from the
 * moment a thing was due. Resolves when all that was asked is answered.
 */
export const paced = (
  perSecond: number,
  durationMs: number,
  ask: (answered: Answered) => void,
  { onAnswer = () => undefined, windowMax = Infinity, ended }: PaceOptions = {},
): Promise<Latency> =>
  new Promise((resolve, reject) => {
    const due = arrivals(perSecond, durationMs)
    const latenciesMs = new Float64Array(due.length)
    const startMs = performance.now()
    let asked = 0
    let answers = 0
    const isOver = (): boolean => asked === due.length || ended?.aborted === true
    const endIfAnswered = (): void => {
      if (!isOver() || answers < asked) return
      const ascending = latenciesMs.subarray(0, answers).sort()
      resolve({ p50: quantile(ascending, 0.5), p99: quantile(ascending, 0.99) })
    }
    const askOne = (index: number): void => {
      ask((error) => {
        if (error !== null) return reject(error)
        const atMs = performance.now()
        latenciesMs[index] = atMs - startMs - due[index]!
        onAnswer(atMs)
        answers += 1
        endIfAnswered()
      })
    }
    const tick = (): void => {
      const nowMs = performance.now() - startMs
      while (!isOver() && due[asked]! <= nowMs && asked - answers < windowMax) askOne(asked++)
      if (isOver()) endIfAnswered()
      else setTimeout(tick, 1)
    }
    tick()
  })
