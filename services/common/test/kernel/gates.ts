import type { Journal } from '../../src/ports/journal.ts'

/** A door in front of a journal: closed, appends wait in front of it. */
export interface Gate {
  readonly journal: Journal
  /** Appends that wait. */
  readonly waiting: number
  close(): void
  open(): void
}

/** Makes an open gate. */
export const gateOf = (journal: Journal): Gate => {
  let shut: { promise: Promise<void>; resolve: () => void } | null = null
  let waiting = 0
  return {
    journal: {
      ...journal,
      append: async (partition, record) => {
        waiting += 1
        await shut?.promise
        waiting -= 1
        return journal.append(partition, record)
      },
    },
    get waiting() {
      return waiting
    },
    close: () => {
      shut = Promise.withResolvers<void>()
    },
    open: () => {
      shut?.resolve()
      shut = null
    },
  }
}
