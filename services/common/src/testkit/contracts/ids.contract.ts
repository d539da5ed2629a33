import { expect } from '@jest/globals'
import type { Ids } from '../../ports/ids.ts'
import { describeContract, type Opened, type Subject } from './scenario.ts'

const COUNT = 20_000
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u

/** The Ids contract. */
export const idsContract = (subject: Subject<Opened<Ids>>): void =>
  describeContract(
    subject,
    (port: Ids) => port,
    (define) => {
      define('I1 uuid has the text form of RFC 9562, lower case, and does not repeat', async ({ port }) => {
        const made = Array.from({ length: COUNT }, () => port.uuid())
        expect(made.filter((id) => !UUID.test(id))).toEqual([])
        expect(new Set(made).size).toBe(COUNT)
      })

      define("I2 bytes16 are 16 bytes with a UUID's version and variant, and do not repeat", async ({ port }) => {
        const made = Array.from({ length: COUNT }, () => port.bytes16())
        expect(
          made.filter((id) => id.length !== 16 || id[6]! >> 4 < 1 || id[6]! >> 4 > 8 || id[8]! >> 6 !== 2),
        ).toEqual([])
        expect(new Set(made.map((id) => Buffer.from(id).toString('hex'))).size).toBe(COUNT)
      })
    },
  )
