import { pause } from '../src/servers/program.ts'

/** Longest wait, ms: what is waited for ends it, on however slow a machine. */
const WAIT_MS_MAX = 120_000

/** Reads until it is done. @throws with the last value when that takes too long */
export const until = async <Value>(read: () => Promise<Value>, isDone: (value: Value) => boolean): Promise<Value> => {
  for (const endMs = performance.now() + WAIT_MS_MAX; ; await pause(100)) {
    const value = await read()
    if (isDone(value)) return value
    if (performance.now() > endMs) throw new Error(`it did not come: ${JSON.stringify(value)}`)
  }
}
