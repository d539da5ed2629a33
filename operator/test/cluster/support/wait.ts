import { inspect } from 'node:util'
import { pause } from '../../../../services/all-in-one/test/support/calls.ts'

/** Between two looks, ms: the cluster shares this machine. */
const EVERY_MS = 300
/** A wait ends as soon as it is so; a machine that is busy or stands still for seconds must not end it before. */
const LIMIT_MS = 10 * 60_000

type Seen<Value> = { readonly value: Value } | { readonly error: unknown }

const look = async <Value>(ask: () => Promise<Value>): Promise<Seen<Value>> => {
  try {
    return { value: await ask() }
  } catch (error) {
    return { error }
  }
}

/**
 * Asks until `done` says so; a question that fails is asked again, since servers come and go here.
 * @throws with the last value when `limitMs` is over.
 */
export const until = async <Value>(
  ask: () => Promise<Value>,
  done: (value: Value) => boolean,
  limitMs = LIMIT_MS,
): Promise<Value> => {
  const end = performance.now() + limitMs
  for (;;) {
    const seen = await look(ask)
    if ('value' in seen && done(seen.value)) return seen.value
    if (performance.now() > end)
      throw new Error(`not so within ${limitMs} ms: ${inspect(seen, { depth: 7 }).slice(0, 4_000)}`)
    await pause(EVERY_MS)
  }
}

/** Asks until there is an answer, whatever it is. */
export const answerOf = <Value>(ask: () => Promise<Value>): Promise<Value> => until(ask, () => true)

/** How long ago that was, for a scenario's line. */
export const secondsSince = (beganMs: number): string => `${((performance.now() - beganMs) / 1_000).toFixed(1)} s`
