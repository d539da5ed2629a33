import type { HeldPack } from './bus-line.ts'

/** Packs whose settled parts are remembered; beyond it the oldest is forgotten, and its parts may come a second time. */
export const SETTLED_PACKS_MAX = 8_192

/**
 * What this process has dealt with of packs that the broker may deliver again: an AMQP message returns as a whole, and an
 * acknowledgement that the connection lost was never heard.
 */
export interface SettledMemory {
  remember(pack: HeldPack): void
  /** Whether this part of a pack was dealt with here. */
  isSettled(id: string, index: number): boolean
}

/** Makes an empty memory. */
export const createSettledMemory = (): SettledMemory => {
  const packs = new Map<string, 'all' | ReadonlySet<number>>()
  return {
    remember: (pack) => {
      if (pack.id === '' || (pack.left > 0 && pack.settled === null)) return
      packs.delete(pack.id)
      packs.set(pack.id, pack.left === 0 ? 'all' : pack.settled!)
      const oldest = packs.keys().next().value
      if (packs.size > SETTLED_PACKS_MAX && oldest !== undefined) packs.delete(oldest)
    },
    isSettled: (id, index) => {
      const settled = packs.get(id)
      return settled === 'all' || (settled?.has(index) ?? false)
    },
  }
}
