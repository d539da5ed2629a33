import { createHash } from 'node:crypto'

/** What happened in a run, as one hash over its lines; the lines themselves are kept only when asked for. */
export interface Trace {
  /** Adds a line: what happened, in words and numbers that are the same on every machine. */
  note(line: string): void
  /** 16 hex characters over all lines so far. */
  hash(): string
  readonly lines: number
}

/** Makes an empty trace; `onLine` hears every line (to print a run). */
export const createTrace = (onLine?: (line: string) => void): Trace => {
  const digest = createHash('sha256')
  let lines = 0
  return {
    note: (line) => {
      lines += 1
      digest.update(line)
      digest.update('\n')
      onLine?.(line)
    },
    hash: () => digest.copy().digest('hex').slice(0, 16),
    get lines() {
      return lines
    },
  }
}
