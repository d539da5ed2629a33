import { newestPageAfter } from './event-pages.ts'
import type { SimulatorCall } from './shapes.ts'

/** Calls that are kept on screen. */
export const TAIL_MAX = 100
const READ_MAX = 200
/** Pages read at one look; a simulator that is called faster than that is followed at the next. */
const READS_MAX = 5

/** The end of a log that grows. */
export interface LogTail {
  /** The newest calls, newest first, after one more look. */
  read(signal?: AbortSignal): Promise<readonly SimulatorCall[]>
}

/** Follows a log: starts at its newest calls and then reads only what came since. */
export const createLogTail = (
  log: (after: number, limit: number, signal?: AbortSignal) => Promise<readonly SimulatorCall[]>,
): LogTail => {
  let after: number | null = null
  let calls: readonly SimulatorCall[] = []
  return {
    read: async (signal) => {
      let from: number = after ?? (await newestPageAfter(async (at, limit) => (await log(at, limit, signal)).length))
      for (let reads = 0; reads < READS_MAX; reads++) {
        const page = await log(from, READ_MAX, signal)
        from = page.at(-1)?.seq ?? from
        calls = [...[...page].reverse(), ...calls].slice(0, TAIL_MAX)
        after = from
        if (page.length < READ_MAX) break
      }
      return calls
    },
  }
}

const SUMMARY_LENGTH_MAX = 90

/** A body or an answer on one line, shortened; what has no answer hung. */
export const summaryOf = (value: unknown): string => {
  if (value === null) return 'none'
  const text = JSON.stringify(value)
  return text.length > SUMMARY_LENGTH_MAX ? `${text.slice(0, SUMMARY_LENGTH_MAX - 1)}…` : text
}
