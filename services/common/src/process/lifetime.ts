/** Things that were started and must be stopped, last first. */
export interface Lifetime {
  /** Remembers how to stop what was just started. */
  onStop(stop: () => Promise<void> | void): void
  /** Stops everything, the youngest first. Repeatable: every caller waits for the same stop. */
  stop(): Promise<void>
  readonly stopping: boolean
}

/** Makes an empty lifetime. */
export const createLifetime = (): Lifetime => {
  const stops: (() => Promise<void> | void)[] = []
  let stopping: Promise<void> | null = null
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop()
  }
  return {
    onStop: (stop) => void stops.push(stop),
    stop: () => (stopping ??= stopAll()),
    get stopping() {
      return stopping !== null
    },
  }
}
