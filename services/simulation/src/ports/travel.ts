import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Faults } from '../faults/faults.ts'

/** How long things take on their way, ms; drawn for each. */
export interface Travel {
  /** A message, a request or an answer over the network. */
  message(): number
  /** A write from the moment it is asked for until it is on the disk. */
  write(): number
  /** A question to a disk and its answer. */
  read(): number
}

/** Worlds differ in how far apart the delays lie: from all alike to all mixed up. */
const SPREADS_MS = [1, 2, 5, 20] as const

/** Draws the world's spread, and from then on every delay. */
export const createTravel = (random: SeededRandom, faults: Faults): Travel => {
  const spreadMs = random.pick(SPREADS_MS)
  const short = (): number => random.between(1, spreadMs)
  return {
    message: () => {
      let delayMs = short()
      if (faults.strikes('messages-reordered')) delayMs += random.between(1, 60)
      if (faults.strikes('message-delayed')) delayMs += random.between(50, 3_000)
      return delayMs
    },
    write: () => short() + (faults.strikes('append-slow') ? random.between(20, 2_500) : 0),
    read: short,
  }
}
