import { createSystemIds } from '../../src/adapters/system/ids.ts'
import { idsContract } from '../../src/testkit/contracts/ids.contract.ts'
import { createSeededIds, createSeededRandom } from '../../src/testkit/seeded-random.ts'

idsContract({
  name: "the system's ids",
  open: async () => ({ port: createSystemIds(), destroy: async () => undefined }),
})
idsContract({
  name: 'seeded ids',
  open: async () => ({ port: createSeededIds(createSeededRandom(42)), destroy: async () => undefined }),
})
