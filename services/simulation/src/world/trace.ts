import { createHash } from 'node:crypto'

/** What happened in a run, as one hash over its lines; the lines themselves are kept only when asked for. */
export interface Trace {
  /** Adds a line: what happened, in words and numbers that are the same on every machine. */
  note(line: string): void
  /** 16 hex characters over all lines so far. */
  hash(): string
  readonly lines: number
}

/** Characters that are gathered before they are hashed: a call of the hash for each line would cost more than the line. */
const GATHERED_MAX = 16_384

/** Makes an empty trace; `onLine` hears every line (to print a run). */
export const createTrace = (onLine?: (line: string) => void): Trace => {
  const digest = createHash('sha256')
  let lines = 0
  let gathered = ''
  const flush = (): void => {
    digest.update(gathered)
    gathered = ''
  }
  return {
    note: (line) => {
      lines += 1
      gathered += line
      gathered += '\n'
      if (gathered.length >= GATHERED_MAX) flush()
      onLine?.(line)
    },
    hash: () => {
      flush()
      return digest.copy().digest('hex').slice(0, 16)
    },
    get lines() {
      return lines
    },
  }
}
