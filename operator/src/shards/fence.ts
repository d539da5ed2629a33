/** The fence that goes with every order to a shard. */
export interface Fence {
  current(): number
  /** Takes a higher one; a lower one changes nothing. */
  raise(fence: number): void
}

/** Makes a fence of 0. */
export const createFence = (): Fence => {
  let highest = 0
  return {
    current: () => highest,
    raise: (fence) => {
      highest = Math.max(highest, fence)
    },
  }
}
