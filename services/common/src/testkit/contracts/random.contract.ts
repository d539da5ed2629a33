import { expect } from '@jest/globals'
import type { Random } from '../../ports/random.ts'
import { describeContract, type Opened, type Subject } from './scenario.ts'

const DRAWS = 60_000

/** The Random contract. Of unpredictability a test sees only the coarsest lack. */
export const randomContract = (subject: Subject<Opened<Random>>): void =>
  describeContract(
    subject,
    (port: Random) => port,
    (define) => {
      define('R1 bytes come in the number asked for and do not repeat', async ({ port }) => {
        expect(port.bytes(0)).toHaveLength(0)
        const drawn = Array.from({ length: 1_000 }, () => Buffer.from(port.bytes(16)).toString('hex'))
        expect(new Set(drawn).size).toBe(1_000)
        const counts = new Uint32Array(256)
        for (const byte of port.bytes(DRAWS)) counts[byte]! += 1
        // 234 expected of each value, standard deviation 15: six of them on either side.
        expect(Math.min(...counts)).toBeGreaterThan(140)
        expect(Math.max(...counts)).toBeLessThan(330)
      })

      define('R2 below gives every whole number under the limit, each as likely', async ({ port }) => {
        const counts = new Uint32Array(6)
        for (let index = 0; index < DRAWS; index++) counts[port.below(6)]! += 1
        // 10,000 expected of each, standard deviation 91: six of them on either side.
        expect(Math.min(...counts)).toBeGreaterThan(9_450)
        expect(Math.max(...counts)).toBeLessThan(10_550)
        expect(port.below(1)).toBe(0)
      })

      define('R2 large limits reach their upper half, and no limit gives anything outside', async ({ port }) => {
        const limit = 2 ** 47 + 12_345
        const drawn = Array.from({ length: 2_000 }, () => port.below(limit))
        expect(drawn.filter((value) => !Number.isSafeInteger(value) || value < 0 || value >= limit)).toEqual([])
        expect(drawn.filter((value) => value >= limit / 2).length).toBeGreaterThan(800)
        expect(() => port.below(0)).toThrow()
      })
    },
  )
