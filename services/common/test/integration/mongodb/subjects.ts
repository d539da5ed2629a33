import { afterAll, beforeAll } from '@jest/globals'
import type { FaultKind } from '../../../src/testkit/faults/plan.ts'
import { CALL_FAULTS, faultSets } from '../../../src/testkit/faults/plan.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import {
  mongoLabel,
  mongoMissing,
  startMongo,
  type MongoKind,
  type MongoServer,
} from '../../../src/testkit/servers/mongodb.ts'

/** A server of one kind for all tests of a file. */
export interface SharedServer {
  readonly label: string
  current(): MongoServer
}

/** Longer than all attempts of a server to start take. */
const START_MS_MAX = 400_000

/** Describes something on one server of a kind, started once; skipped, with the reason, when there is none. */
export const describeOnMongo = (kind: MongoKind, what: string, body: (server: SharedServer) => void): void => {
  describeUnless(mongoMissing(kind), `${what} on ${mongoLabel(kind)}`, () => {
    let server: MongoServer | undefined
    beforeAll(async () => {
      server = await startMongo({ kind })
    }, START_MS_MAX)
    afterAll(() => server?.stop(), START_MS_MAX)
    body({
      label: mongoLabel(kind),
      current: () => {
        if (server === undefined) throw new Error('the server has not started')
        return server
      },
    })
  })
}

/** The kinds a contract suite runs on, with the sets of faults: the slow stand-in only bare. */
export const contractKinds: readonly {
  readonly kind: MongoKind
  readonly faults: readonly (readonly FaultKind[])[]
}[] = [
  { kind: 'given', faults: faultSets(...CALL_FAULTS) },
  { kind: 'mongod', faults: faultSets(...CALL_FAULTS) },
  { kind: 'mongo-memory', faults: faultSets(...CALL_FAULTS) },
  { kind: 'ferretdb', faults: [[]] },
]
