import type { HttpAnswer, HttpConnection } from './http-client.ts'

/** One client of a server: it has a connection and knows what to ask next. */
export interface Lane {
  readonly connection: HttpConnection
  /** The bytes of the next request. */
  next(): string
  /** Judges its answer. @throws on an answer that is not the expected one */
  judge(answer: HttpAnswer): void
}

/** Runs `begin` until a lane fails or `ended` resolves it. */
const guarded = <Value>(begin: (resolve: (value: Value) => void, reject: (error: Error) => void) => void) =>
  new Promise<Value>(begin)

/**
 * Closed loop: every lane asks again as soon as it has its answer, for `durationMs`.
 * @returns answers per second
 */
export const closedLoop = (lanes: readonly Lane[], durationMs: number): Promise<number> =>
  guarded((resolve, reject) => {
    const startMs = performance.now()
    const endMs = startMs + durationMs
    let answers = 0
    let running = lanes.length
    let failed = false
    const turn = (lane: Lane): void => {
      lane.connection.send(lane.next(), (answer) => {
        if (failed) return
        try {
          lane.judge(answer)
        } catch (error) {
          failed = true
          reject(error instanceof Error ? error : new Error(String(error)))
          return
        }
        answers += 1
        const nowMs = performance.now()
        if (nowMs < endMs) {
          turn(lane)
          return
        }
        running -= 1
        if (running === 0) resolve((answers * 1_000) / (nowMs - startMs))
      })
    }
    for (const lane of lanes) turn(lane)
  })

/** What an open loop measured. */
export interface OpenLoopResult {
  readonly perSecond: number
  /** Latencies from the intended moment of sending, ms, ascending. */
  readonly latenciesMs: Float64Array
}

/** Seeded chance: the same arrivals in every run (mulberry32). */
const chanceOf = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
  return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296
}

/** Moments of independent arrivals (exponential gaps), ms from the start. */
export const arrivals = (perSecond: number, durationMs: number): Float64Array => {
  const chance = chanceOf(20_261_121)
  const moments: number[] = []
  for (let atMs = 0; atMs < durationMs; atMs += (-Math.log(1 - chance()) * 1_000) / perSecond) moments.push(atMs)
  return Float64Array.from(moments)
}

/**
 * Open loop: requests are due at moments of their own, whether or not earlier ones were answered; one that finds no free
 * lane waits for one. Latency counts from the moment a request was due, so a stalled server or client hides nothing.
 */
export const openLoop = (lanes: readonly Lane[], perSecond: number, durationMs: number): Promise<OpenLoopResult> =>
  guarded((resolve, reject) => {
    const due = arrivals(perSecond, durationMs)
    const latenciesMs = new Float64Array(due.length)
    const free = [...lanes]
    const startMs = performance.now()
    let sent = 0
    let answered = 0
    let failed = false
    const give = (lane: Lane): void => {
      const index = sent++
      lane.connection.send(lane.next(), (answer) => {
        if (failed) return
        try {
          lane.judge(answer)
        } catch (error) {
          failed = true
          reject(error instanceof Error ? error : new Error(String(error)))
          return
        }
        const nowMs = performance.now()
        latenciesMs[index] = nowMs - startMs - due[index]!
        answered += 1
        free.push(lane)
        if (answered === due.length) {
          resolve({ perSecond: (answered * 1_000) / (nowMs - startMs), latenciesMs: latenciesMs.sort() })
        } else sendDue()
      })
    }
    const sendDue = (): void => {
      const nowMs = performance.now() - startMs
      while (sent < due.length && due[sent]! <= nowMs) {
        const lane = free.pop()
        if (lane === undefined) return
        give(lane)
      }
    }
    const tick = (): void => {
      sendDue()
      if (sent < due.length && !failed) setTimeout(tick, 1)
    }
    tick()
  })

/** The value below which `share` of the ascending values lie. */
export const quantile = (ascending: Float64Array, share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN
